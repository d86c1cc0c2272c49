//! Long strings in requests: none is stored.

mod support;

use api::Config;
use serde_json::{Value, json};
use support::*;

/// Returns a text of 1 MiB.
fn long() -> String {
    "a".repeat(1 << 20)
}

/// Asserts that neither the store nor the log of requests holds a long text.
#[track_caller]
fn assert_nothing_long_is_kept(api: &TestApi, store: &SharedStore) {
    let longest = store.sizes().into_values().max().unwrap_or_default();
    assert!(longest < 64 << 10, "{longest} bytes are stored");
    let log = api.get("/sandbox/requests").into_body();
    assert!(log.len() < 64 << 10, "{} bytes are logged", log.len());
}

#[track_caller]
fn assert_rejected(path: &str, headers: &[(&str, &str)], body: &Value, message: &str) {
    let store = SharedStore::default();
    let mut api = store.open(&Config::default(), START);
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    let path = path.replace("CODE", &code);
    let response = api.send(request("POST", &path, headers, &body.to_string()));
    let received = error_message(&response, 400);
    assert!(received.starts_with(message), "{received}");
    assert!(received.len() < 1000, "{} bytes", received.len());
    assert_nothing_long_is_kept(&api, &store);
}

#[test]
fn rejects_long_strings_in_the_body_of_a_create_request() {
    for field in contract::Parameters::NAMES {
        let body = with_image(json!({*field: long()}));
        assert_rejected(SESSIONS, &[], &body, &format!("Invalid {field} "));
    }
    for field in ["engine", "generate_preview_mesh"] {
        let body = with_image(json!({field: long()}));
        assert_rejected(SESSIONS, &[], &body, &format!("Invalid {field} "));
    }
    for start in [
        "https://example.com/",
        "http://",
        "ftp://",
        "data:",
        "data:image/png;base64",
    ] {
        let body = json!({"image_url": start.to_owned() + &long()});
        assert_rejected(SESSIONS, &[], &body, "Invalid image_url ");
    }
    let png = data_uri("image/png", &png());
    let body = json!({"image_url": png.replace("image/png", &long())});
    assert_rejected(SESSIONS, &[], &body, "Invalid image_url ");
}

#[test]
fn rejects_long_strings_in_the_body_of_a_preview_or_refinement_request() {
    let preview = format!("{SESSIONS}/get-3d/preview/CODE");
    let fields = [
        "selected_spin_index",
        "selected_spin",
        "scaled_bbox",
        "pivot_point",
    ];
    for field in fields {
        let body = json!({field: long()});
        assert_rejected(&preview, &[], &body, &format!("Invalid {field} "));
    }
    let refine = format!("{SESSIONS}/get-3d/refine/CODE");
    for field in ["scaled_bbox", "pivot_point"] {
        let body = json!({field: long()});
        assert_rejected(&refine, &[], &body, &format!("Invalid {field} "));
    }
}

#[test]
fn rejects_long_idempotency_keys() {
    let long = long();
    let headers = [("idempotency-key", long.as_str())];
    let message = "Invalid idempotency-key \"aaa";
    assert_rejected(SESSIONS, &headers, &with_image(json!({})), message);
    let preview = format!("{SESSIONS}/get-3d/preview/CODE");
    assert_rejected(
        &preview,
        &headers,
        &json!({"selected_spin_index": 0}),
        message,
    );
}

#[test]
fn rejects_long_keys_that_select_a_fault() {
    let key = format!("fault_429_1_{}", long());
    let headers = [("x-api-key", key.as_str())];
    let message = "x-api-key: a key that selects a fault has at most 255 characters";
    assert_rejected(SESSIONS, &headers, &with_image(json!({})), message);
}

#[test]
fn does_not_keep_long_paths_hosts_and_header_names() {
    let store = SharedStore::default();
    let api = store.open(&Config::default(), START);
    let (text, path) = (long(), format!("/{}", "a".repeat(60_000)));
    let name = "a".repeat(60_000);
    let headers = [("host", text.as_str()), ("x-api-key", &text), (&name, "")];
    for method in ["GET", "POST", &"A".repeat(60_000)] {
        assert_eq!(api.send(request(method, &path, &headers, "")).status(), 404);
    }
    assert_nothing_long_is_kept(&api, &store);
}

#[test]
fn accepts_an_image_url_of_8_kib() {
    let api = TestApi::without_engine(&Config::default());
    let url = |length: usize| {
        let start = "https://example.com/";
        json!({"image_url": start.to_owned() + &"a".repeat(length - start.len())})
    };
    api.create(url(8192));
    let message = error_message(&api.post(SESSIONS, &url(8193)), 400);
    assert!(
        message.ends_with(": expected a URL of at most 8192 bytes"),
        "{message}"
    );
}
