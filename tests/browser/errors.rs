//! The errors of calls, each by a real cause.

use js_sys::{Function, JSON};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::*;

/// A local URL without a server.
const UNUSED_URL: &str = "http://127.0.0.1:20113";

#[wasm_bindgen_test]
async fn rejects_non_images_before_sending() {
    let unrecognized = |bytes| {
        format!(
            "image: unrecognized image format (first bytes: {bytes}). Supported: PNG, JPEG, WebP, \
             GIF, BMP, TIFF, SVG, AVIF"
        )
    };
    for (bytes, message) in [
        (&b""[..], "image: the file is empty".into()),
        (b"hi", unrecognized("68 69")),
        (b"hello", unrecognized("68 65 6c 6c …")),
        (
            b"<!doctype html><title>Not found</title>",
            unrecognized("3c 21 64 6f …"),
        ),
        (
            b"%PDF-1.7 and so on and so forth",
            unrecognized("25 50 44 46 …"),
        ),
        (
            b"BM but no bitmap, only a text that begins so",
            unrecognized("42 4d 20 62 …"),
        ),
        (b"\x89PNG", unrecognized("89 50 4e 47")),
    ] {
        let (fetch, records) = recording_fetch();
        let options = to_server("{}").await;
        set(&options, "image", file(bytes, "image.png"));
        set(&options, "fetch", fetch);
        let error = create_error(&options).await;
        assert_eq!(assert_error(&error, "unsupported_image", "no"), message);
        assert_eq!(records.length(), 0);
    }
}

#[wasm_bindgen_test]
async fn rejects_data_urls_without_an_image() {
    let options = options("{}");
    set(&options, "image_url", "data:image/png;base64,");
    set(&options, "baseUrl", server().await);
    let message = assert_error(&create_error(&options).await, "unsupported_image", "no");
    assert_eq!(message, "image_url: the data: URL contains no image");
    set(&options, "image_url", "data:image/png;base64,aGVsbG8=");
    let message = assert_error(&create_error(&options).await, "unsupported_image", "no");
    assert_eq!(
        message,
        "image_url: unrecognized image format (first bytes: 68 65 6c 6c …). Supported: PNG, JPEG, \
         WebP, GIF, BMP, TIFF, SVG, AVIF"
    );
}

#[wasm_bindgen_test]
async fn rejects_unreadable_files() {
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
    let message = assert_error(&create_error(&options).await, "unsupported_image", "no");
    assert_eq!(
        message,
        "image: the file cannot be read. It was changed or moved after it was chosen, or is not on \
         this device (gone)."
    );
}

#[wasm_bindgen_test]
async fn reports_rejections_with_the_message_of_the_api() {
    for (fault, kind, status, api_message) in [
        ("401", "authentication", 401, "Invalid API key"),
        ("403", "authentication", 403, "Invalid API key"),
        ("402", "payment_required", 402, "Not enough credits"),
        ("404", "not_found", 404, "Not found"),
        ("413", "api", 413, "Image too large"),
        ("400-rate", "rate_limited", 400, "Rate limit exceeded"),
        ("429", "rate_limited", 429, "Too many requests"),
    ] {
        let options = to_failing_server(fault, r#"{"maxRetries": 0}"#).await;
        let error = create_error(&options).await;
        let message = assert_error(&error, kind, "rejected");
        assert_eq!(message, format!("{api_message} (HTTP {status})"));
        assert_eq!(get(&error, "status"), status);
        assert_eq!(get(&get(&error, "body"), "message"), api_message);
    }
}

#[wasm_bindgen_test]
async fn reports_why_the_server_cannot_decode_an_image() {
    let options = to_server("{}").await;
    let mut truncated = png(0);
    truncated.truncate(40);
    set(&options, "image", file(&truncated, "image.png"));
    let error = create_error(&options).await;
    let message = assert_error(&error, "unsupported_image", "rejected");
    let expected = "image: the PNG file cannot be decoded: ";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(get(&error, "status"), 400);

    let options = self::options("{}");
    set(&options, "baseUrl", server().await);
    let base64 = base64_simd::STANDARD.encode_to_string(&truncated);
    set(
        &options,
        "image_url",
        format!("data:image/png;base64,{base64}"),
    );
    let message = assert_error(
        &create_error(&options).await,
        "unsupported_image",
        "rejected",
    );
    let expected = "image_url: the PNG file cannot be decoded: ";
    assert!(message.starts_with(expected), "{message}");
}

#[wasm_bindgen_test]
async fn suggests_prepare_for_formats_that_only_browsers_read() {
    let heic: &[u8] = include_bytes!("../fixtures/pictures/photo.heic");
    for (bytes, message) in [
        (
            heic,
            "this server does not read HEIC. Convert it to JPEG, or use `prepare` in Safari.",
        ),
        (
            b"\xff\x0a",
            "this server does not read JPEG XL. Convert it to JPEG, or use `prepare` in Safari.",
        ),
        (
            b"\0\0\x01\0\x01\0",
            "this server does not read ICO. Convert it to JPEG, or use `prepare`.",
        ),
    ] {
        let options = to_server("{}").await;
        set(&options, "image", file(bytes, "image"));
        let error = create_error(&options).await;
        assert_eq!(
            assert_error(&error, "unsupported_image", "rejected"),
            format!("image: {message} (HTTP 400)")
        );
    }
}

#[wasm_bindgen_test]
async fn reports_images_with_too_many_pixels_as_too_large() {
    let options = to_server("{}").await;
    // A bitmap of 50,000 × 50,000 pixels.
    let mut bitmap = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bitmap.extend([50_000_u32.to_le_bytes(), 50_000_u32.to_le_bytes()].concat());
    bitmap.extend([1, 0, 24, 0]);
    bitmap.resize(54, 0);
    set(&options, "image", file(&bitmap, "image.bmp"));
    let error = create_error(&options).await;
    let message = assert_error(&error, "api", "rejected");
    assert_eq!(get(&error, "code"), "image_too_large");
    assert!(message.starts_with("image: the image has "), "{message}");
}

#[wasm_bindgen_test]
async fn reports_rejections_without_a_code_as_other_servers_do() {
    let reply = Function::new_no_args(
        "const message = 'image_url: no such image';
         return Promise.resolve(Response.json({ message, code: 'BAD' }, { status: 400 }))",
    );
    let options = to_server("{}").await;
    set(&options, "fetch", reply);
    let message = assert_error(&create_error(&options).await, "api", "rejected");
    assert_eq!(message, "image_url: no such image (HTTP 400)");
}

#[wasm_bindgen_test]
async fn reports_that_a_session_may_exist_after_server_errors() {
    for (fault, status, expected) in [
        ("500", 500, "Something broke (HTTP 500)"),
        (
            "502",
            502,
            "The server returned HTTP 502: <html><head><title>502 Bad Gateway</title></head></html>",
        ),
        ("503", 503, "Down for maintenance (HTTP 503)"),
        ("empty", 500, "The server returned HTTP 500: empty body"),
        (
            "no-json",
            201,
            "Unexpected response (HTTP 201): not JSON from the Image-to-3D API: <!doctype \
             html><title>Welcome</title>",
        ),
        (
            "no-session",
            201,
            "Unexpected response: the session has no session_code",
        ),
    ] {
        let options = to_failing_server(fault, "{}").await;
        let error = create_error(&options).await;
        let message = assert_error(&error, "api", "unknown");
        assert_eq!(message, expected);
        if fault != "no-session" {
            assert_eq!(get(&error, "status"), status);
        }
    }
}

#[wasm_bindgen_test]
async fn shortens_unexpected_bodies() {
    let options = to_server("{}").await;
    let long = "return Promise.resolve(new Response('x'.repeat(5000), { status: 200 }))";
    set(&options, "fetch", Function::new_no_args(long));
    let error = create_error(&options).await;
    let message = assert_error(&error, "api", "unknown");
    assert_eq!(
        message,
        format!(
            "Unexpected response (HTTP 200): not JSON from the Image-to-3D API: {}…",
            "x".repeat(200)
        )
    );
}

#[wasm_bindgen_test]
async fn hides_keys_that_the_server_echoes() {
    // `create_error` and the test run search for the key as well.
    for fault in ["echo-json", "echo-html"] {
        let error = create_error(&to_failing_server(fault, "{}").await).await;
        let body = String::from(JSON::stringify(&get(&error, "body")).unwrap());
        assert!(body.contains("[hidden]"), "{body}");
    }
    let session = create(&to_failing_server("echo-created", "{}").await)
        .await
        .unwrap();
    let session = String::from(JSON::stringify(&session).unwrap());
    assert!(
        session.contains("[hidden]") && !session.contains(CANARY),
        "{session}"
    );
}

#[wasm_bindgen_test]
async fn hides_keys_in_exceptions_of_fetch() {
    let failing = async |code| {
        let options = to_server(r#"{"maxRetries": 0}"#).await;
        set(&options, "apiKey", format!("a \"quoted\" {CANARY}"));
        set(&options, "fetch", js_sys::eval(code).unwrap());
        create_error(&options).await
    };
    let rejecting =
        "(url, { headers }) => Promise.reject(new Error('sent ' + headers['x-api-key']))";
    let message = assert_error(&failing(rejecting).await, "network", "unknown");
    assert_eq!(message, no_response(&server().await, "sent [hidden]"));
    let throwing = "(url, { headers }) => { throw headers['x-api-key'] }";
    let message = assert_error(&failing(throwing).await, "invalid_options", "no");
    assert_eq!(message, "The function fetch threw: [hidden]");
}

/// Returns the message of a request to `base_url` that failed for this reason.
fn no_response(base_url: &str, reason: &str) -> String {
    format!(
        "No response from {base_url}: {reason}. The server may be down, its name may not resolve, \
         or it may not allow this page's origin (CORS); browsers do not report which."
    )
}

#[wasm_bindgen_test]
async fn does_not_follow_redirects() {
    let origin = server().await;
    let redirect_target = origin.replace("127.0.0.1", "localhost");
    let requests_to_target = async || {
        let log = text(&format!("{origin}/sandbox/requests")).await;
        let host = redirect_target.replace("http://", "");
        log.matches(&format!("\"host\":\"{host}\"")).count()
    };
    let before = requests_to_target().await;
    let error = create_error(&to_failing_server("redirect", "{}").await).await;
    let message = assert_error(&error, "api", "unknown");
    assert_eq!(
        message,
        "The server responded with a redirect, which is not followed because it would forward the \
         API key. Set baseUrl to the target of the redirect."
    );
    assert_eq!(requests_to_target().await, before);
    // The target of the redirect exists, and its requests are logged.
    fetch(&format!("{redirect_target}/image-to-3d-sessions")).await;
    assert_eq!(requests_to_target().await, before + 1);
}

#[wasm_bindgen_test]
async fn reports_unknown_paths_as_not_found() {
    let options = to_server("{}").await;
    set(&options, "image", file(&png(3_000_000), "image.png"));
    set(&options, "baseUrl", format!("{}/v1", server().await));
    let message = assert_error(&create_error(&options).await, "not_found", "rejected");
    assert!(message.contains("/v1/image-to-3d-sessions"), "{message}");
}

#[wasm_bindgen_test]
async fn reports_missing_responses_as_network_errors() {
    let options = to_server("{}").await;
    set(&options, "baseUrl", UNUSED_URL);
    let message = assert_error(&create_error(&options).await, "network", "unknown");
    // The reason differs between browsers.
    let (start, end) = no_response(UNUSED_URL, "\n")
        .split_once('\n')
        .map(|(start, end)| (start.to_owned(), end.to_owned()))
        .unwrap();
    assert!(
        message.starts_with(&start) && message.ends_with(&end),
        "{message}"
    );
}

#[wasm_bindgen_test]
async fn suggests_base_url_if_the_default_server_does_not_respond() {
    let options = options("{}");
    set(&options, "image", file(&png(0), "a.png"));
    set(&options, "apiKey", format!("key-{CANARY}"));
    // Tests send no request to the real server.
    let reject = "return Promise.reject(new TypeError('Failed to fetch'))";
    set(&options, "fetch", Function::new_no_args(reject));
    let message = assert_error(&create_error(&options).await, "network", "unknown");
    assert_eq!(
        message,
        "No response from https://api.csm.ai: Failed to fetch. The service at this address has \
         been reported offline since 2026. Set baseUrl to another server of this API, for example \
         your own (see the README)."
    );
}

#[wasm_bindgen_test]
async fn times_out() {
    let never = || Function::new_no_args("return new Promise(() => {})");
    // Long enough for the request to be sent.
    let options = to_server(r#"{"timeout": 1000}"#).await;
    set(&options, "fetch", never());
    let message = assert_error(&create_error(&options).await, "timeout", "unknown");
    assert_eq!(message, "Timed out after 1000 ms");

    set(&options, "apiKey", never());
    let message = assert_error(&create_error(&options).await, "timeout", "no");
    assert_eq!(message, "Timed out after 1000 ms");
}
