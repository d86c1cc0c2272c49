//! Each kind of failure, by a real cause.

use js_sys::{Function, JSON};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

#[wasm_bindgen_test]
async fn what_is_no_picture_is_refused_before_anything_is_sent() {
    for bytes in [
        &b""[..],
        b"hello",
        b"<!doctype html><title>Not found</title>",
        b"%PDF-1.7 and so on and so forth",
        b"BM but no bitmap, only a text that begins so",
        b"\x89PNG",
    ] {
        let (fetch, notes) = noting_fetch();
        let options = to_server("{}").await;
        set(&options, "image", file(bytes, "picture.png"));
        set(&options, "fetch", fetch);
        let message = assert_error(&thrown(&options).await, "unsupported_image", "no");
        assert!(message.contains("image"), "{message}");
        assert_eq!(notes.length(), 0);
    }
}

#[wasm_bindgen_test]
async fn a_picture_that_cannot_be_read_is_refused() {
    let options = to_server("{}").await;
    let broken = Function::new_no_args(
        "const blob = new Blob(['x']);
         blob.stream = () => new ReadableStream({
           type: 'bytes', pull(c) { c.error(new DOMException('gone', 'NotReadableError')) } });
         return blob",
    );
    set(
        &options,
        "image",
        broken.call0(&JsValue::UNDEFINED).unwrap(),
    );
    let message = assert_error(&thrown(&options).await, "unsupported_image", "no");
    assert!(
        message.contains("cannot be read") && message.contains("gone"),
        "{message}"
    );
}

#[wasm_bindgen_test]
async fn a_no_of_the_api_is_told_in_its_own_words() {
    for (fault, kind, status, words) in [
        ("401", "authentication", 401, "Invalid API key"),
        ("403", "authentication", 403, "Invalid API key"),
        ("402", "payment_required", 402, "Not enough credits"),
        ("404", "not_found", 404, "Not found"),
        ("413", "api", 413, "Image too large"),
        ("400-rate", "rate_limited", 400, "Rate limit exceeded"),
        ("429", "rate_limited", 429, "Too many requests"),
    ] {
        let options = with_fault(fault, r#"{"maxRetries": 0}"#).await;
        let error = thrown(&options).await;
        let message = assert_error(&error, kind, "rejected");
        assert!(message.contains(words), "{message}");
        assert_eq!(get(&error, "status"), status);
        assert_eq!(get(&get(&error, "body"), "message"), words);
    }
}

#[wasm_bindgen_test]
async fn a_picture_that_the_server_cannot_read_is_refused_with_the_reason() {
    let options = to_server("{}").await;
    let mut truncated = png(0);
    truncated.truncate(40);
    set(&options, "image", file(&truncated, "picture.png"));
    let error = thrown(&options).await;
    let message = assert_error(&error, "api", "rejected");
    assert!(
        message.contains("image_url: the image/png cannot be read"),
        "{message}"
    );
    assert_eq!(get(&error, "status"), 400);
}

#[wasm_bindgen_test]
async fn after_a_fault_of_the_server_a_session_may_exist() {
    for (fault, status, words) in [
        ("500", 500, "Something broke"),
        ("502", 502, "502 Bad Gateway"),
        ("503", 503, "Down for maintenance"),
        ("empty", 500, "empty body"),
        ("no-json", 201, "<!doctype html><title>Welcome</title>"),
        ("no-session", 201, "session_code"),
    ] {
        let options = with_fault(fault, "{}").await;
        let error = thrown(&options).await;
        let message = assert_error(&error, "api", "unknown");
        assert!(message.contains(words), "{message}");
        if fault != "no-session" {
            assert_eq!(get(&error, "status"), status);
        }
    }
}

#[wasm_bindgen_test]
async fn only_the_beginning_of_a_foreign_page_is_shown() {
    let options = to_server("{}").await;
    let long = "return Promise.resolve(new Response('x'.repeat(5000), { status: 200 }))";
    set(&options, "fetch", Function::new_no_args(long));
    let error = thrown(&options).await;
    let message = assert_error(&error, "api", "unknown");
    assert!(
        message.contains(&"x".repeat(200)) && !message.contains(&"x".repeat(201)),
        "{message}"
    );
}

#[wasm_bindgen_test]
async fn an_echoed_key_shows_nowhere() {
    // `thrown` and the test run's own scan look for it.
    for fault in ["echo-json", "echo-html"] {
        let error = thrown(&with_fault(fault, "{}").await).await;
        let body = String::from(JSON::stringify(&get(&error, "body")).unwrap());
        assert!(body.contains("[hidden]"), "{body}");
    }
    let session = create(&with_fault("echo-created", "{}").await)
        .await
        .unwrap();
    let session = String::from(JSON::stringify(&session).unwrap());
    assert!(
        session.contains("[hidden]") && !session.contains(CANARY),
        "{session}"
    );

    for code in [
        "(r) => Promise.reject(new Error('sent ' + r.headers.get('x-api-key')))",
        "(r) => { throw r.headers.get('x-api-key') }",
    ] {
        let options = to_server(r#"{"maxRetries": 0}"#).await;
        set(&options, "apiKey", format!("a \"quoted\" {CANARY}"));
        set(&options, "fetch", js_sys::eval(code).unwrap());
        let message = assert_error(&thrown(&options).await, "network", "unknown");
        assert!(message.contains("[hidden]"), "{message}");
    }
}

#[wasm_bindgen_test]
async fn a_redirect_is_not_followed() {
    let origin = server().await;
    let arrived = async || {
        let log = text(&format!("{origin}/sandbox/requests")).await;
        let host = origin.replace("http://127.0.0.1", "localhost");
        log.matches(&format!("\"host\":\"{host}\"")).count()
    };
    let before = arrived().await;
    let error = thrown(&with_fault("redirect", "{}").await).await;
    let message = assert_error(&error, "api", "unknown");
    assert!(
        message.contains("redirect") && message.contains("baseUrl"),
        "{message}"
    );
    assert_eq!(arrived().await, before);
    // The place that it leads to is there, and would have been seen.
    let elsewhere = origin.replace("127.0.0.1", "localhost");
    fetch(&format!("{elsewhere}/image-to-3d-sessions")).await;
    assert_eq!(arrived().await, before + 1);
}

#[wasm_bindgen_test]
async fn a_path_that_is_no_api_is_not_found() {
    let options = to_server("{}").await;
    set(&options, "image", file(&png(3_000_000), "picture.png"));
    set(&options, "baseUrl", format!("{}/v1", server().await));
    let message = assert_error(&thrown(&options).await, "not_found", "rejected");
    assert!(message.contains("/v1/image-to-3d-sessions"), "{message}");
}

#[wasm_bindgen_test]
async fn no_answer_is_a_network_error() {
    let options = to_server("{}").await;
    // A port on which nobody listens.
    set(&options, "baseUrl", "http://127.0.0.1:20113");
    let message = assert_error(&thrown(&options).await, "network", "unknown");
    assert!(
        message.contains("http://127.0.0.1:20113") && message.contains("CORS"),
        "{message}"
    );
}

#[wasm_bindgen_test]
async fn where_the_default_address_is_silent_the_way_out_is_named() {
    let options = options("{}");
    set(&options, "image", file(&png(0), "a.png"));
    set(&options, "apiKey", format!("key-{CANARY}"));
    // Never the real address: a test talks to this machine only.
    let refuse = "return Promise.reject(new TypeError('Failed to fetch'))";
    set(&options, "fetch", Function::new_no_args(refuse));
    let message = assert_error(&thrown(&options).await, "network", "unknown");
    for words in ["https://api.csm.ai", "reported gone", "baseUrl"] {
        assert!(message.contains(words), "{message}");
    }
}

#[wasm_bindgen_test]
async fn a_call_that_takes_too_long_is_a_timeout() {
    // Within it the request must go out.
    let options = to_server(r#"{"timeout": 1000}"#).await;
    set(
        &options,
        "fetch",
        Function::new_no_args("return new Promise(() => {})"),
    );
    let message = assert_error(&thrown(&options).await, "timeout", "unknown");
    assert!(message.contains("1000 ms"), "{message}");

    set(
        &options,
        "apiKey",
        Function::new_no_args("return new Promise(() => {})"),
    );
    assert_error(&thrown(&options).await, "timeout", "no");
}
