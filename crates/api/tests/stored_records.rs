//! Records that earlier versions stored.

mod support;

use std::sync::Mutex;

use api::{Change, Client, Config, DailyLimit, Entries, Progress, Source};
use serde_json::{Value, json};
use support::*;

const CODE: &str = "SESSION_1721312478_0262299";
const TOKEN: &str = "0c0a6b6b5c9c4f5e9a9d6b4a0f6de5f1";
const CREATE: &str = r#"{"image_url":"https://example.com/a.png"}"#;
const KEY: [(&str, &str); 1] = [("x-api-key", "key of shop")];

/// A session of the client `shop` whose refinement runs at a remote engine.
const REMOTE: &str = r#"{
    "code": "SESSION_1721312478_0262299",
    "id": "669924de3390dabd997e1dfa",
    "parameters": {"creativity": "lowest", "preview_mesh": "turbo", "auto_refine": true},
    "client": "shop",
    "ticket": "0c0a6b6b5c9c4f5e9a9d6b4a0f6de5f1",
    "engine": "remote",
    "unsupported": ["creativity"],
    "note": {"stage": "Refine", "from": 1721312480050, "text": "job 17"},
    "remote": "https://example.com/a.png",
    "created": 1721312478050,
    "spin": {"from": 1721312478050, "until": 1721312479050, "made": 24, "is_glb_alone": false},
    "preview": {"from": 1721312479050, "until": 1721312480050, "made": 4, "is_glb_alone": true},
    "refine": {"from": 1721312480050, "until": 1721312482050, "made": null, "is_glb_alone": false},
    "chosen_spin": 2,
    "failure": null,
    "shape": null,
    "once": [{"key": "shop k", "digest": [151, 3, 9, 82, 205, 89, 233, 230, 118, 0, 247, 192, 46, 170, 58, 176,
        151, 255, 149, 172, 178, 116, 50, 16, 73, 205, 107, 129, 188, 179, 54, 92]}],
    "picture_bytes": 94
}"#;

/// A session that was created with the key `fault_refine-failed`.
const FAILED: &str = r#"{
    "code": "SESSION_1721312478_6224369",
    "id": "669924decb1da76d4a2a3766",
    "parameters": {"auto_refine": true},
    "client": null,
    "ticket": null,
    "engine": "sculpt",
    "unsupported": [],
    "note": null,
    "remote": null,
    "created": 1721312478050,
    "spin": {"from": 1721312478050, "until": 1721312479050, "made": 0, "is_glb_alone": false},
    "preview": {"from": 1721312479050, "until": 1721312480050, "made": 471660, "is_glb_alone": false},
    "refine": {"from": 1721312480050, "until": 1721312482050, "made": null, "is_glb_alone": false},
    "chosen_spin": 0,
    "failure": {"stage": "Refine", "reason": "it was asked to fail by the key that created it"},
    "shape": {"Fails": "Refine"},
    "once": [],
    "picture_bytes": 94
}"#;

fn store(entries: &[(&str, &[u8])]) -> SharedStore {
    let store = SharedStore::default();
    let entries = entries.iter();
    let changes = entries.map(|(key, bytes)| Change::Put((*key).to_owned(), (*bytes).into()));
    store.commit(changes.collect()).unwrap();
    store
}

/// Opens a store with the remote session, the usage of its day and a secret.
fn open_remote() -> (SharedStore, TestApi) {
    let store = store(&[
        (&format!("session/{CODE}"), REMOTE.as_bytes()),
        (&format!("file/{CODE}/image"), &png()),
        (&format!("file/{CODE}/spin-0.png"), b"view 0"),
        (&format!("file/{CODE}/preview.glb"), b"glTF"),
        ("spent", br#"{"day":19922,"by_client":{"shop":1}}"#),
        ("secret", b"a secret"),
    ]);
    let config = Config {
        engines: vec!["remote".into()],
        paid_engines: vec!["remote".into()],
        daily_limit: DailyLimit {
            total: None,
            per_client: Some(1),
            ..DailyLimit::default()
        },
        clients: vec![Client {
            name: "shop".into(),
            key: "key of shop".into(),
        }],
        url_secret: b"another secret".to_vec(),
        ..Config::default()
    };
    let mut api = store.open(&config, START + 3000);
    api.engine = None;
    (store, api)
}

fn get_remote(api: &TestApi) -> Value {
    let path = format!("{SESSIONS}/{CODE}");
    data(&api.send(request("GET", &path, &KEY, "")))
}

#[test]
fn reads_a_session_of_a_remote_engine() {
    let (store, api) = open_remote();
    let url = |name: &str| format!("http://here:1234/files/{CODE}/{name}?ticket={TOKEN}");
    let spins = [0, 1, 2, 3].map(|view| json!({"image_url": url(&format!("spin-{view}.png"))}));
    let expected = json!({
        "_id": "669924de3390dabd997e1dfa",
        "user_id": "5a4db0c5a4db0c5a4db0c5a4",
        "session_code": CODE,
        "image_url": "https://example.com/a.png",
        "status": "training_refine",
        "session_status": "in_progress",
        "percent_done": 99,
        "spins": spins,
        "preview_mesh_url_glb": url("preview.glb"),
        "engine": "remote",
        "unsupported": ["creativity"],
        "source": "external",
        "created_at": "2024-07-18T14:21:18.050Z",
        "updated_at": "2024-07-18T14:21:20.050Z",
        "auto_refine": true,
        "creativity": "lowest",
        "generate_texture": false,
        "pivot_point": [0.0, 0.0, 0.0],
        "preview_mesh": "turbo",
        "refine_speed": "slow",
        "resolution": "high_poly",
        "texture_resolution": 2048,
        "topology": "tris",
    });
    assert_eq!(get_remote(&api), expected);
    for (name, bytes) in [("image", png()), ("spin-0.png", b"view 0".to_vec())] {
        assert_eq!(*api.get_url(&json!(url(name))).body(), bytes);
    }
    assert_eq!(api.get(&format!("/files/{CODE}/image")).status(), 404);
    assert_eq!(store.get("secret").unwrap().unwrap(), b"a secret");
}

#[test]
fn resumes_the_job_of_a_remote_engine() {
    let (_, mut api) = open_remote();
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    assert_eq!((job.engine(), job.image_url()), ("remote", None));
    let seen = Mutex::new(None);
    let engine = Stub(|source: &Source, _: &mut Progress| {
        let preview = source.preview.map(<[u8]>::to_vec);
        *seen.lock().unwrap() = Some((source.checkpoint.load()?, preview));
        Ok(())
    });
    api.inner.run_job(job, None, &engine).unwrap();
    let expected = (Some("job 17".to_owned()), Some(b"glTF".to_vec()));
    assert_eq!(seen.into_inner().unwrap(), Some(expected));
    api.now += 1000;
    let session = get_remote(&api);
    assert_eq!(session["status"], "refine_done");
    let model = api.get_url(&session["mesh_url_glb"]);
    assert_eq!(text(&model), "glTF Refined of view 2");
}

#[test]
fn reads_idempotency_keys_and_the_usage_of_the_day() {
    let (_, api) = open_remote();
    let create = |key: &str| {
        let headers = [KEY[0], ("idempotency-key", key)];
        api.send(request("POST", SESSIONS, &headers, CREATE))
    };
    let replay = create("k");
    assert_eq!(
        (replay.status(), code(&data(&replay))),
        (http::StatusCode::CREATED, CODE.into())
    );
    assert_eq!(api.inner.metrics(api.now).unwrap().paid_today, 1);
    assert_eq!(
        error_message(&create("another"), 402),
        "The daily limit of 1 paid model for this key is reached. It resets at 00:00 UTC."
    );
}

#[test]
fn reads_a_session_with_a_simulated_failure() {
    let record: Value = serde_json::from_str(FAILED).unwrap();
    let code = code_of(&record);
    let store = store(&[
        (&format!("session/{code}"), FAILED.as_bytes()),
        (&format!("file/{code}/image"), &png()),
    ]);
    let mut api = store.open(&Config::default(), START + 1000);
    api.engine = None;
    assert!(api.inner.next_job(api.now + 9000).unwrap().is_none());
    assert_eq!(api.session(&code)["status"], "training_preview");
    api.now = START + 4000;
    let session = api.session(&code);
    assert_eq!(session["status"], "refine_failed");
    assert_eq!(
        session["error"],
        "it was asked to fail by the key that created it"
    );
    assert!(session.get("preview_mesh_url_obj").is_some());
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
}

#[test]
fn reads_each_simulated_fault() {
    for (fault, field) in [
        ("UnknownStatus", "status"),
        ("UnknownFields", "geometry_model"),
        ("OldStyle", "session_status"),
        ("ResultExpired", "status"),
        ("ResultNoCors", "status"),
        ("ResultTrickle", "status"),
    ] {
        let mut record: Value = serde_json::from_str(FAILED).unwrap();
        record["shape"] = json!(fault);
        record["failure"] = Value::Null;
        record["refine"] = Value::Null;
        record["parameters"] = json!({});
        let code = code_of(&record);
        let store = store(&[
            (&format!("session/{code}"), record.to_string().as_bytes()),
            (&format!("file/{code}/preview.glb"), b"glTF"),
        ]);
        let api = store.open(&Config::default(), START + 3000);
        let session = api.session(&code);
        let expected = match fault {
            "UnknownStatus" => Some(json!("warming_up")),
            "UnknownFields" => Some(json!("v9")),
            "OldStyle" => None,
            _ => Some(json!("preview_done")),
        };
        assert_eq!(session.get(field), expected.as_ref(), "{fault}");
        let model = api.get(&format!("/files/{code}/preview.glb"));
        let status = if fault == "ResultExpired" { 403 } else { 200 };
        assert_eq!(model.status(), status, "{fault}");
        let has_cors = model.headers().contains_key("access-control-allow-origin");
        assert_eq!(has_cors, fault != "ResultNoCors", "{fault}");
        let delivery = model.extensions().get::<api::Delivery>();
        assert_eq!(delivery.is_some(), fault == "ResultTrickle", "{fault}");
    }
}

#[test]
fn reads_a_record_without_the_fields_that_were_added_later() {
    let mut record: Value = serde_json::from_str(FAILED).unwrap();
    let code = code_of(&record);
    let open = |record: &Value| {
        let bytes = record.to_string().into_bytes();
        let store = store(&[(&format!("session/{code}"), &bytes)]);
        store.open(&Config::default(), START + 4000)
    };
    let session = open(&record).session(&code);
    assert_eq!(session["status"], "refine_failed");
    assert_eq!(session["engine"], "sculpt");
    assert!(session.get("preview_mesh_url_obj").is_some());
    let fields = record.as_object_mut().unwrap();
    for field in ["client", "ticket", "engine", "unsupported", "note"] {
        assert!(fields.remove(field).is_some());
    }
    for stage in ["spin", "preview", "refine"] {
        let span = fields[stage].as_object_mut().unwrap();
        assert_eq!(span.remove("is_glb_alone"), Some(json!(false)));
    }
    assert_eq!(open(&record).session(&code), session);
}

fn code_of(record: &Value) -> String {
    record["code"].as_str().unwrap().to_owned()
}
