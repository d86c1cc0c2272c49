//! Requests with an `Idempotency-Key`.

mod support;

use std::sync::Arc;

use serde_json::json;
use support::*;

const KEY: &[(&str, &str)] = &[("idempotency-key", "order 7")];

fn sessions(api: &TestApi) -> usize {
    data(&api.get(SESSIONS))["results"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn returns_the_first_session_to_the_same_request() {
    let mut api = TestApi::new();
    let first = api.create_with(KEY, json!({}));
    api.now += 5000;
    let second = api.create_with(KEY, json!({}));
    assert_eq!(code(&first), code(&second));
    assert_eq!(second["created_at"], first["created_at"]);
    assert_eq!(sessions(&api), 1);
    api.create(json!({}));
    api.create_with(&[("idempotency-key", "order 8")], json!({}));
    assert_eq!(sessions(&api), 3);
}

#[test]
fn rejects_another_request_with_the_same_key() {
    let api = TestApi::new();
    api.create_with(KEY, json!({}));
    let other = with_image(json!({"creativity": "highest"})).to_string();
    let response = api.send(request("POST", SESSIONS, KEY, &other));
    assert_eq!(
        error_message(&response, 409),
        "This Idempotency-Key was already used for a different request"
    );
    assert_eq!(sessions(&api), 1);
}

#[test]
fn does_not_use_up_the_key_of_a_rejected_request() {
    let api = TestApi::new();
    let response = api.send(request("POST", SESSIONS, KEY, "{}"));
    error_message(&response, 400);
    api.create_with(KEY, json!({}));
    assert_eq!(sessions(&api), 1);
}

#[test]
fn creates_one_session_for_simultaneous_requests() {
    let api = Arc::new(TestApi::new());
    for round in 0..20 {
        let key = format!("round {round}");
        let barrier = Arc::new(std::sync::Barrier::new(4));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (api, key, barrier) = (api.clone(), key.clone(), barrier.clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    code(&api.create_with(&[("idempotency-key", &key)], json!({})))
                })
            })
            .collect();
        let codes: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    }
    let all = data(&api.get("/image-to-3d-sessions?limit=100"));
    assert_eq!(all["results"].as_array().unwrap().len(), 20);
}

#[test]
fn applies_to_previews_and_refinements() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    let preview = format!("{SESSIONS}/get-3d/preview/{code}");
    let post = |api: &TestApi, key, path: &str, body| {
        let response = api.send(request("POST", path, &[("idempotency-key", key)], body));
        response.status().as_u16()
    };
    let spin = r#"{"selected_spin_index": 1}"#;
    assert_eq!(post(&api, "p", &preview, spin), 200);
    assert_eq!(post(&api, "p", &preview, spin), 200);
    assert_eq!(post(&api, "other", &preview, spin), 409);
    api.now += 1000;
    let refine = format!("{SESSIONS}/get-3d/refine/{code}");
    assert_eq!(post(&api, "p", &refine, spin), 409);
    assert_eq!(post(&api, "r", &refine, ""), 200);
    api.now += 2000;
    assert_eq!(post(&api, "r", &refine, ""), 200);
    // The replay did not start the refinement again.
    assert_eq!(api.session(&code)["status"], "refine_done");
}
