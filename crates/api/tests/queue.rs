//! The limit of pending sessions.

mod support;

use api::{Config, Response};
use serde_json::json;
use support::*;

/// Asserts that the queue is full, and returns the seconds of `Retry-After`.
#[track_caller]
fn wait(response: &Response) -> u64 {
    let message = error_message(response, 429);
    let wait = response.headers()["retry-after"].to_str().unwrap();
    assert_eq!(
        message,
        format!("Too many pending sessions. Try again in {wait} s.")
    );
    assert_eq!(
        response.headers()["access-control-expose-headers"],
        "retry-after, etag, accept-ranges, content-range, content-disposition, x-request-id"
    );
    wait.parse().unwrap()
}

fn of(queue: usize) -> Config {
    Config {
        max_pending: queue,
        ..Config::default()
    }
}

fn create(api: &TestApi) -> Response {
    api.post(SESSIONS, &with_image(json!({})))
}

#[test]
fn rejects_sessions_above_the_limit_and_creates_nothing() {
    let mut api = TestApi::with(&of(2));
    let first = code(&api.create(json!({})));
    api.now += 500;
    api.create(json!({"auto_refine": true}));
    assert_eq!(wait(&create(&api)), 2);
    // An invalid body is not even parsed.
    assert_eq!(wait(&api.post(SESSIONS, &json!({}))), 2);
    let listed = data(&api.get(SESSIONS))["results"].take();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    api.now += 499;
    assert_eq!(wait(&create(&api)), 2);
    // The preview of the first session is created.
    api.now += 1;
    assert_eq!(api.session(&first)["status"], "training_preview");
    assert_eq!(create(&api).status(), 201);
    assert_eq!(wait(&create(&api)), 2);
}

#[test]
fn replays_requests_while_the_queue_is_full() {
    let api = TestApi::with(&of(1));
    let key = [("idempotency-key", "k")];
    let first = api.create_with(&key, json!({}));
    assert_eq!(code(&api.create_with(&key, json!({}))), code(&first));
    // A rejected request uses up neither an idempotency key nor a fault.
    let mut api = TestApi::with(&of(1));
    api.create(json!({}));
    let key = [
        ("idempotency-key", "k"),
        ("x-api-key", "fault_preview-failed_1"),
    ];
    let body = with_image(json!({})).to_string();
    wait(&api.send(request("POST", SESSIONS, &key, &body)));
    api.now += 1000;
    api.session(&code(&data(&api.get(SESSIONS))["results"][0]));
    let created = api.create_with(&key, json!({}));
    api.now += 2000;
    assert_eq!(api.session(&code(&created))["status"], "preview_failed");
}

#[test]
fn rejects_previews_and_refinements_above_the_limit_and_changes_nothing() {
    let mut api = TestApi::with(&of(1));
    let turbo = code(&api.create(json!({"preview_mesh": "turbo"})));
    // It waits for the selection of a spin, which does not count as pending work.
    let plain = code(&api.create(json!({"generate_preview_mesh": true})));
    api.now += 1000;
    let full = code(&api.create(json!({})));
    let choice = json!({"selected_spin_index": 1});
    for _ in 0..2 {
        assert_eq!(wait(&api.preview(&turbo, &choice)), 2);
        assert_eq!(
            wait(&api.refine(&plain, &json!({"scaled_bbox": [1, 2, 3]}))),
            2
        );
    }
    assert_eq!(api.session(&turbo)["status"], "spin_generate_done");
    assert_eq!(api.session(&plain)["status"], "preview_done");
    assert!(api.session(&plain).get("scaled_bbox").is_none());
    assert_eq!(
        api.get_url(&api.session(&plain)["mesh_url_glb"]).status(),
        200
    );
    api.now += 1000;
    assert_eq!(api.session(&full)["status"], "training_preview");
    assert_eq!(api.preview(&turbo, &choice).status(), 200);
    assert_eq!(api.refine(&plain, &json!({})).status(), 200);
}

#[test]
fn expects_overdue_sessions_to_need_as_long_again() {
    let mut api = TestApi::without_engine(&of(1));
    api.create(json!({}));
    // The preview should have been done 10 seconds ago.
    api.now += 12_000;
    assert_eq!(wait(&create(&api)), 10);
    api.now += 1_000_000;
    assert_eq!(wait(&create(&api)), 60);
}
