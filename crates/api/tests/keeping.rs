//! What is kept, for how long, and what happens where it cannot be.

mod support;

use std::sync::atomic::Ordering;

use api::{Change, Config, Retention, Sculptor, Store};
use serde_json::{Value, json};
use support::*;

fn exists(api: &TestApi, code: &str) -> bool {
    api.get(&format!("{SESSIONS}/{code}")).status() == 200
}

#[test]
fn a_session_goes_on_where_it_was_in_the_next_process() {
    let store = Shared::default();
    let api = store.open(&Config::default(), START);
    let key = [
        ("idempotency-key", "k"),
        ("x-api-key", "fault_refine-failed"),
    ];
    let turbo = code(&api.create(json!({"preview_mesh": "turbo"})));
    let failing = code(&api.create_with(&key, json!({"auto_refine": true})));
    // Slower now: what was under way ends when it was to end.
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
    let result = api.follow(&done["mesh_url_glb"]).into_body();
    let api = store.open(&Config::default(), START + 20_000);
    assert_eq!(*api.follow(&done["mesh_url_glb"]).body(), result);
    assert_eq!(*api.follow(&done["image_url"]).body(), png());
}

#[test]
fn a_session_that_an_older_server_stored_is_as_it_was() {
    let store = Shared::default();
    let mut api = store.open(&Config::default(), START);
    let code = code(&api.create(json!({})));
    api.now += 2000;
    let session = api.session(&code);
    let key = format!("session/{code}");
    let mut record: Value = serde_json::from_slice(&store.get(&key).unwrap().unwrap()).unwrap();
    for stage in ["spin", "preview"] {
        let span = record[stage].as_object_mut().unwrap();
        // Whether a model can be written in other formats was not asked then.
        assert_eq!(span.remove("is_glb_alone"), Some(json!(false)));
    }
    let bytes = serde_json::to_vec(&record).unwrap();
    store.commit(vec![Change::Put(key, bytes)]).unwrap();
    let api = store.open(&Config::default(), api.now);
    assert_eq!(api.session(&code), session);
}

#[test]
fn old_sessions_go_with_all_that_is_theirs() {
    let store = Shared::default();
    let config = Config {
        retention: Retention {
            max_age: 10_000,
            max_bytes: u64::MAX,
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
    // Records and pictures, two models, four spins.
    assert_eq!(store.len(), 6 + 2 + 4);
    api.now += 1;
    api.create(json!({}));
    assert!(!exists(&api, &old) && !exists(&api, &turbo) && exists(&api, &newer));
    assert_eq!(store.len(), 4);
    // Its key is free again.
    assert_ne!(code(&api.create_with(&key, json!({}))), old);
    // Time passes for a server that does not run, too.
    let mut api = store.open(&config, START + 20_001);
    api.engine = None;
    assert!(!exists(&api, &newer));
    assert_eq!(store.len(), 4);
}

#[test]
fn the_oldest_go_where_the_sum_is_too_large() {
    let size = png().len() as u64;
    let config = |bytes| Config {
        retention: Retention {
            max_age: u64::MAX,
            max_bytes: bytes,
        },
        ..Default::default()
    };
    let create = |api: &mut TestApi| {
        api.now += 1;
        code(&api.create(json!({})))
    };
    let mut api = TestApi::idle(&config(2 * size));
    let codes = [0; 3].map(|_| create(&mut api));
    assert_eq!(
        [0, 1, 2].map(|at| exists(&api, &codes[at])),
        [false, true, true]
    );
    // Results count.
    api.now += 5000;
    let job = api.inner.next_job(api.now).unwrap();
    api.inner.run_job(job, None, &Sculptor).unwrap();
    let done = |code: &String| api.session(code)["status"] == "preview_done";
    assert_eq!([&codes[1], &codes[2]].map(done), [true, false]);
    let last = create(&mut api);
    let there = [&codes[1], &codes[2], &last].map(|code| exists(&api, code));
    assert_eq!(there, [false, true, true]);
    // The newest stays, however large.
    let mut api = TestApi::with(&config(1));
    let code = create(&mut api);
    assert!(exists(&api, &code));
}

#[test]
fn what_cannot_be_stored_is_not_answered_as_if_it_were() {
    let store = Shared::default();
    let mut api = store.open(&Config::default(), START);
    let code = code(&api.create(json!({})));
    api.engine = None;
    store.full.store(true, Ordering::Relaxed);
    let answer = api.post(SESSIONS, &with_picture(json!({})));
    assert!(refused(&answer, 500).contains("the disk is full"));
    api.now += 2000;
    let job = api.inner.next_job(api.now).unwrap();
    let failed = api.inner.run_job(job, None, &Sculptor).unwrap_err();
    assert_eq!(failed.to_string(), "the disk is full");
    assert_eq!(api.session(&code)["status"], "training_preview");
    store.full.store(false, Ordering::Relaxed);
    // It is still due.
    let job = api.inner.next_job(api.now).unwrap();
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
