//! An `Idempotency-Key` makes a request count once.

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
fn the_same_request_gets_the_first_session_again() {
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
fn another_request_with_the_same_key_is_refused() {
    let api = TestApi::new();
    api.create_with(KEY, json!({}));
    let other = with_picture(json!({"creativity": "highest"})).to_string();
    let answer = api.send(request("POST", SESSIONS, KEY, &other));
    assert!(refused(&answer, 409).contains("Idempotency-Key"));
    assert_eq!(sessions(&api), 1);
}

#[test]
fn a_request_that_was_refused_does_not_use_up_its_key() {
    let api = TestApi::new();
    let answer = api.send(request("POST", SESSIONS, KEY, "{}"));
    refused(&answer, 400);
    api.create_with(KEY, json!({}));
    assert_eq!(sessions(&api), 1);
}

#[test]
fn requests_at_the_same_time_make_one_session() {
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
fn it_holds_for_preview_and_refine_too() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    let preview = format!("{SESSIONS}/get-3d/preview/{code}");
    let ask = |api: &TestApi, key, path: &str, body| {
        let answer = api.send(request("POST", path, &[("idempotency-key", key)], body));
        answer.status().as_u16()
    };
    let spin = r#"{"selected_spin_index": 1}"#;
    assert_eq!(ask(&api, "p", &preview, spin), 200);
    assert_eq!(ask(&api, "p", &preview, spin), 200);
    assert_eq!(ask(&api, "other", &preview, spin), 409);
    api.now += 1000;
    let refine = format!("{SESSIONS}/get-3d/refine/{code}");
    assert_eq!(ask(&api, "p", &refine, spin), 409);
    assert_eq!(ask(&api, "r", &refine, ""), 200);
    api.now += 2000;
    assert_eq!(ask(&api, "r", &refine, ""), 200);
    // The repetition did not begin it again.
    assert_eq!(api.session(&code)["status"], "refine_done");
}
