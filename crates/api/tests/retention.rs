//! Stored sessions: restarts, deletion of old sessions, failures of the store.

mod support;

use std::sync::atomic::Ordering;

use api::{Client, Config, Retention, Sculptor};
use serde_json::{Value, json};
use support::*;

fn exists(api: &TestApi, code: &str) -> bool {
    api.get(&format!("{SESSIONS}/{code}")).status() == 200
}

#[test]
fn resumes_sessions_in_the_next_process() {
    let store = SharedStore::default();
    let api = store.open(&Config::default(), START);
    let key = [
        ("idempotency-key", "k"),
        ("x-api-key", "fault_refine-failed"),
    ];
    let turbo = code(&api.create(json!({"preview_mesh": "turbo"})));
    let failing = code(&api.create_with(&key, json!({"auto_refine": true})));
    // At a lower speed, stages that have started keep their planned end.
    let slow = Config {
        speed: 0.1,
        ..Default::default()
    };
    let mut api = store.open(&slow, START + 1500);
    assert_eq!(api.session(&turbo)["status"], "spin_generate_done");
    assert_eq!(api.session(&failing)["status"], "training_preview");
    let choice = json!({"selected_spin_index": 3});
    assert_eq!(api.preview(&turbo, &choice).status(), 200);
    api.now += 2500;
    assert_eq!(api.session(&turbo)["status"], "training_preview");
    let again = api.create_with(&key, json!({"auto_refine": true}));
    assert_eq!(code(&again), failing);

    let api = store.open(&Config::default(), START + 20_000);
    let done = api.session(&turbo);
    assert_eq!(done["status"], "preview_done");
    assert_eq!(api.session(&failing)["status"], "refine_failed");
    let result = api.get_url(&done["mesh_url_glb"]).into_body();
    let api = store.open(&Config::default(), START + 20_000);
    assert_eq!(*api.get_url(&done["mesh_url_glb"]).body(), result);
    assert_eq!(*api.get_url(&done["image_url"]).body(), png());
}

#[test]
fn deletes_old_sessions_with_all_their_files() {
    let store = SharedStore::default();
    let config = Config {
        retention: Retention {
            max_age: 10_000,
            max_bytes: u64::MAX,
            max_bytes_per_client: None,
        },
        ..Default::default()
    };
    let mut api = store.open(&config, START);
    let key = [("idempotency-key", "k")];
    let old = code(&api.create_with(&key, json!({"auto_refine": true})));
    let turbo = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 10_000;
    let newer = code(&api.create(json!({})));
    assert_eq!(api.session(&old)["status"], "refine_done");
    assert_eq!(api.session(&turbo)["status"], "spin_generate_done");
    // Records and images, two models, four spins, two cutouts.
    assert_eq!(store.len(), 6 + 2 + 4 + 2);
    api.now += 1;
    api.create(json!({}));
    assert!(!exists(&api, &old) && !exists(&api, &turbo) && exists(&api, &newer));
    assert_eq!(store.len(), 4);
    // The idempotency key can be used again.
    assert_ne!(code(&api.create_with(&key, json!({}))), old);
    // Sessions expire while no server runs, too; those that are in progress are kept.
    let mut api = store.open(&config, START + 20_001);
    assert!(exists(&api, &newer));
    api.now = START + 19_001;
    assert_eq!(api.session(&newer)["status"], "preview_done");
    let mut api = store.open(&config, START + 20_001);
    api.engine = None;
    assert!(!exists(&api, &newer));
    // Records, images, models and cutouts.
    assert_eq!(store.len(), 8);
}

#[test]
fn deletes_the_oldest_sessions_above_the_maximum_size() {
    let size = png().len() as u64;
    let config = |bytes| Config {
        retention: Retention {
            max_age: u64::MAX,
            max_bytes: bytes,
            max_bytes_per_client: None,
        },
        ..Default::default()
    };
    let size_of = |api: &TestApi, session: &Value| {
        let session = api.session(&code(session));
        api.get_url(&session["preview_mesh_url_glb"]).body().len() as u64
    };
    // Sessions that are done: their images, their results and their records count.
    let mut api = TestApi::with(&config(u64::MAX));
    let first = api.create(json!({}));
    api.now += 5000;
    let both = 2 * (size + size_of(&api, &first));
    // A record counts as little more than 1 KiB.
    let mut api = TestApi::with(&config(both + size + 3 * 1500));
    let codes = [0; 3].map(|_| {
        let session = code(&api.create(json!({})));
        api.now += 5000;
        assert_eq!(api.session(&session)["status"], "preview_done");
        session
    });
    // The third was created before its result was stored.
    assert_eq!(codes.each_ref().map(|code| exists(&api, code)), [true; 3]);
    api.inner.delete_expired(api.now).unwrap();
    let there = codes.each_ref().map(|code| exists(&api, code));
    assert_eq!(there, [false, true, true]);
    // A session alone is kept, however large it is.
    let mut api = TestApi::with(&config(1));
    let code = code(&api.create(json!({})));
    assert!(exists(&api, &code));
    // A pending session is not deleted for another one.
    api.engine = None;
    let response = api.post(SESSIONS, &with_image(json!({})));
    assert_eq!(
        error_message(&response, 507),
        "The storage of this server is full of sessions in progress. Try again later."
    );
    assert!(exists(&api, &code));
}

#[test]
fn keeps_the_paid_result_of_a_client_while_another_one_uploads() {
    let clients = ["shop", "app"].map(|name| Client {
        name: name.into(),
        key: format!("key-of-{name}"),
    });
    let config = Config {
        clients: clients.into(),
        retention: Retention {
            max_age: u64::MAX,
            max_bytes: 200_000,
            max_bytes_per_client: None,
        },
        ..Default::default()
    };
    let mut api = TestApi::with(&config);
    let shop = [("x-api-key", "key-of-shop")];
    let app = [("x-api-key", "key-of-app")];
    let low_poly = || json!({"resolution": "low_poly"});
    let paid = code(&api.create_with(&shop, low_poly()));
    api.now += 5000;
    for _ in 0..40 {
        api.create_with(&app, low_poly());
        api.now += 5000;
    }
    let path = format!("{SESSIONS}/{paid}");
    assert_eq!(api.send(request("GET", &path, &shop, "")).status(), 200);
    let list = data(&api.send(request("GET", SESSIONS, &app, "")));
    assert!(list["results"].as_array().unwrap().len() < 40);
}

#[test]
fn deletes_a_session_with_its_files_for_its_own_client_only() {
    let clients = ["shop", "app"].map(|name| Client {
        name: name.into(),
        key: format!("key-of-{name}"),
    });
    let store = SharedStore::default();
    let config = Config {
        clients: clients.into(),
        ..Default::default()
    };
    let mut api = store.open(&config, START);
    let stored = store.len();
    let shop = [("x-api-key", "key-of-shop"), ("idempotency-key", "k")];
    let app = [("x-api-key", "key-of-app")];
    let session = api.create_with(&shop, json!({"auto_refine": true}));
    api.now += 10_000;
    let path = format!("{SESSIONS}/{}", code(&session));
    let delete = |headers: &[(&str, &str)]| api.send(request("DELETE", &path, headers, ""));
    assert_eq!(delete(&[]).status(), 401);
    assert_eq!(delete(&app).status(), 404);
    let response = delete(&shop);
    assert_eq!(response.status(), 204);
    assert!(response.body().is_empty());
    assert_eq!(delete(&shop).status(), 404);
    assert_eq!(api.get_url(&session["image_url"]).status(), 404);
    assert_eq!(store.len(), stored);
    // The idempotency key can be used again.
    assert_ne!(code(&api.create_with(&shop, json!({}))), code(&session));
}

#[test]
fn fails_requests_and_jobs_that_cannot_be_stored() {
    let store = SharedStore::default();
    let mut api = store.open(&Config::default(), START);
    let code = code(&api.create(json!({})));
    api.engine = None;
    store.is_full.store(true, Ordering::Relaxed);
    let response = api.post(SESSIONS, &with_image(json!({})));
    assert_eq!(
        error_message(&response, 500),
        "Sessions cannot be read or stored: the disk is full"
    );
    api.now += 2000;
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    let failed = api.inner.run_job(job, None, &Sculptor).unwrap_err();
    assert_eq!(failed.to_string(), "the disk is full");
    assert_eq!(api.session(&code)["status"], "training_preview");
    store.is_full.store(false, Ordering::Relaxed);
    // The job is still due.
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    api.inner.run_job(job, None, &Sculptor).unwrap();
    assert_eq!(api.session(&code)["status"], "preview_done");
    assert_eq!(
        data(&api.get(SESSIONS))["results"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn counts_the_records_towards_the_maximum_size() {
    let config = Config {
        retention: Retention {
            max_age: u64::MAX,
            max_bytes: 100 << 10,
            max_bytes_per_client: None,
        },
        ..Default::default()
    };
    let store = SharedStore::default();
    let mut api = store.open(&config, START);
    api.engine = None;
    let url = format!("https://example.com/{}", "a".repeat(8000));
    let statuses = [0; 50].map(|_| {
        api.now += 1;
        let response = api.post(SESSIONS, &json!({"image_url": url}));
        response.status().as_u16()
    });
    // None of the sessions is done, so that none is deleted for another one.
    assert_eq!((statuses[0], statuses[49]), (201, 507));
    let bytes: usize = store.sizes().into_values().sum();
    assert!(bytes <= 100 << 10, "{bytes} bytes");
}
