//! Options are validated before any file is read or any request is sent.

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::*;

/// Asserts that a create with these options fails with this message before `fetch` is called.
async fn assert_rejected(options: &JsValue, message: &str) {
    let (fetch, records) = recording_fetch();
    if get(options, "fetch").is_undefined() {
        set(options, "fetch", fetch);
    }
    let error = create_error(options).await;
    assert_eq!(assert_error(&error, "invalid_options", "no"), message);
    assert_eq!(records.length(), 0);
}

#[wasm_bindgen_test]
async fn names_an_invalid_option_with_its_value_and_the_accepted_values() {
    for (json, message) in [
        (
            r#"{"creativity": "high"}"#,
            r#"Invalid creativity "high": expected "highest", "moderate" or "lowest""#,
        ),
        (
            r#"{"creativity": 3}"#,
            r#"Invalid creativity 3: expected "highest", "moderate" or "lowest""#,
        ),
        (
            r#"{"creativity": null}"#,
            r#"Invalid creativity null: expected "highest", "moderate" or "lowest""#,
        ),
        (
            r#"{"generate_texture": "yes"}"#,
            r#"Invalid generate_texture "yes": expected true or false"#,
        ),
        (
            r#"{"auto_refine": 1}"#,
            "Invalid auto_refine 1: expected true or false",
        ),
        (
            r#"{"refine_speed": "faster"}"#,
            r#"Invalid refine_speed "faster": expected "fast" or "slow""#,
        ),
        (
            r#"{"preview_mesh": "sculpt"}"#,
            r#"Invalid preview_mesh "sculpt": expected "fast_sculpt" or "turbo""#,
        ),
        (
            r#"{"topology": "tri"}"#,
            r#"Invalid topology "tri": expected "tris" or "quads""#,
        ),
        (
            r#"{"resolution": "high"}"#,
            r#"Invalid resolution "high": expected "low_poly" or "high_poly""#,
        ),
        (
            r#"{"texture_resolution": 1000}"#,
            "Invalid texture_resolution 1000: expected 128, 256, 512, 1024 or 2048",
        ),
        (
            r#"{"texture_resolution": "512"}"#,
            "Invalid texture_resolution \"512\": expected 128, 256, 512, 1024 or 2048",
        ),
        (
            r#"{"scaled_bbox": [1, 2]}"#,
            "Invalid scaled_bbox [1, 2]: expected [width, height, depth], three finite numbers \
             greater than 0, or -1 for automatic",
        ),
        (
            r#"{"scaled_bbox": [1, 2, 0]}"#,
            "Invalid scaled_bbox [1, 2, 0]: expected [width, height, depth], three finite numbers \
             greater than 0, or -1 for automatic",
        ),
        (
            r#"{"scaled_bbox": [1, 2, "3"]}"#,
            "Invalid scaled_bbox [1, 2, \"3\"]: expected [width, height, depth], three finite \
             numbers greater than 0, or -1 for automatic",
        ),
        (
            r#"{"scaled_bbox": [1, [2], 3, 4]}"#,
            "Invalid scaled_bbox [1, […], 3, …]: expected [width, height, depth], three finite \
             numbers greater than 0, or -1 for automatic",
        ),
        (
            r#"{"pivot_point": [0, 0, 0.6]}"#,
            "Invalid pivot_point [0, 0, 0.6]: expected [x, y, z], three numbers from -0.5 to 0.5",
        ),
        (
            r#"{"pivot_point": {"x": 0}}"#,
            "Invalid pivot_point {…}: expected [x, y, z], three numbers from -0.5 to 0.5",
        ),
        (
            r#"{"timeout": 0}"#,
            "Invalid timeout 0: expected a number of milliseconds greater than 0",
        ),
        (
            r#"{"maxRetries": 1.5}"#,
            "Invalid maxRetries 1.5: expected an integer from 0 to 100",
        ),
        (
            r#"{"signal": {}}"#,
            "Invalid signal {…}: expected an AbortSignal",
        ),
        (
            r#"{"onProgress": "yes"}"#,
            r#"Invalid onProgress "yes": expected a function"#,
        ),
        (
            r#"{"idempotencyKey": ""}"#,
            r#"Invalid idempotencyKey "": expected a non-empty string"#,
        ),
        (
            r#"{"idempotencyKey": "ends with a space "}"#,
            "idempotencyKey must contain only characters allowed in HTTP headers, and no leading \
             or trailing space",
        ),
        (
            r#"{"fetch": "yes"}"#,
            r#"Invalid fetch "yes": expected a function"#,
        ),
        (
            r#"{"extra": [1]}"#,
            "Invalid extra [1]: expected an object of additional parameters",
        ),
    ] {
        assert_rejected(&to_server(json).await, message).await;
    }
    let options = to_server("{}").await;
    let infinite = Array::of3(&1.into(), &2.into(), &f64::INFINITY.into());
    set(&options, "scaled_bbox", infinite);
    let message = "Invalid scaled_bbox [1, 2, Infinity]: expected [width, height, depth], three \
                   finite numbers greater than 0, or -1 for automatic";
    assert_rejected(&options, message).await;
}

#[wasm_bindgen_test]
async fn rejects_options_that_are_no_object() {
    for (options, received) in [
        (JsValue::UNDEFINED, "undefined"),
        (JsValue::NULL, "null"),
        (5.into(), "5"),
        (Array::new().into(), "[]"),
    ] {
        let error = create_error(&options).await;
        let message = assert_error(&error, "invalid_options", "no");
        assert_eq!(
            message,
            format!("Expected an options object, got {received}")
        );
    }
}

#[wasm_bindgen_test]
async fn suggests_the_name_of_a_misspelled_option() {
    for (wrong, right) in [
        ("refine_sped", "refine_speed"),
        ("refineSpeed", "refine_speed"),
        ("api_key", "apiKey"),
        ("apikey", "apiKey"),
        ("base_url", "baseUrl"),
        ("imageUrl", "image_url"),
        ("texture_resolutoin", "texture_resolution"),
        ("max_retries", "maxRetries"),
    ] {
        let options = to_server("{}").await;
        set(&options, wrong, "x");
        let message = format!(r#"Unknown option "{wrong}". Did you mean "{right}"?"#);
        assert_rejected(&options, &message).await;
    }
    let options = to_server(r#"{"symmetry": "on"}"#).await;
    let message = r#"Unknown option "symmetry". Pass parameters newer than this library in extra."#;
    assert_rejected(&options, message).await;
}

#[wasm_bindgen_test]
async fn requires_exactly_one_image() {
    let options = options("{}");
    set(&options, "baseUrl", server().await);
    let message = "Missing image: expected exactly one of image and image_url";
    assert_rejected(&options, message).await;
    set(&options, "image_url", "https://pictures.example/a.png");
    set(&options, "image", file(&png(0), "a.png"));
    let message = "Expected exactly one of image and image_url, got both";
    assert_rejected(&options, message).await;
}

#[wasm_bindgen_test]
async fn rejects_invalid_image_urls() {
    const URL: &str = "an https:, http: or base64 data: URL of an image";
    const DATA_URL: &str = "data:image/<type>;base64,<image>";
    for (url, expected) in [
        ("picture.png", URL),
        ("ftp://pictures.example/a.png", URL),
        ("https://", URL),
        ("javascript:alert(1)", URL),
        ("data:image/png,hello", DATA_URL),
        ("data:image/png;base64", DATA_URL),
        ("data:image/svg+xml,", DATA_URL),
    ] {
        let options = options("{}");
        set(&options, "image_url", url);
        set(&options, "baseUrl", server().await);
        let message = format!("Invalid image_url \"{url}\": expected {expected}");
        assert_rejected(&options, &message).await;
    }
    for base64 in [
        "iVBORw0KG",
        "iVBORw0KGg=",
        "iVBORw0KGg==\"}",
        "iVBORw0KGg====",
        "iVBORw0K-_8=",
        "iVBORw0K%",
        "iVBORw0KGg%3D",
    ] {
        let options = options("{}");
        set(
            &options,
            "image_url",
            format!("data:image/png;base64,{base64}"),
        );
        set(&options, "baseUrl", server().await);
        let message = "image_url: invalid base64 in data: URL (check the padding)";
        assert_rejected(&options, message).await;
    }
}

#[wasm_bindgen_test]
async fn sends_extra_but_rejects_known_names_in_it() {
    let (fetch, records) = recording_fetch();
    let options =
        to_server(r#"{"creativity": "lowest", "extra": {"symmetry": "on", "n": [1]}}"#).await;
    set(&options, "fetch", fetch);
    create(&options).await.unwrap();
    let body = recorded_body(&records.get(0)).await;
    let start = r#"{"creativity":"lowest","symmetry":"on","n":[1],"image_url":"data:image/png;"#;
    assert!(body.starts_with(start), "{body}");

    for known in ["creativity", "image_url", "apiKey"] {
        let options = to_server("{}").await;
        let extra = js_sys::Object::new();
        set(&extra, known, "x");
        set(&options, "extra", extra);
        let message = format!("extra must not contain \"{known}\": pass it as an option");
        assert_rejected(&options, &message).await;
    }
    let throwing = js_sys::Object::new();
    set(
        &throwing,
        "toJSON",
        Function::new_no_args("throw new Error('no JSON today')"),
    );
    let extra = js_sys::Object::new();
    set(&extra, "nested", throwing);
    let options = to_server("{}").await;
    set(&options, "extra", extra);
    assert_rejected(&options, "extra cannot be converted to JSON: no JSON today").await;

    let circular = js_sys::Object::new();
    set(&circular, "itself", &circular);
    let options = to_server("{}").await;
    set(&options, "extra", circular);
    let message = assert_error(&create_error(&options).await, "invalid_options", "no");
    // The reason differs between browsers.
    let start = "extra cannot be converted to JSON: ";
    assert!(message.starts_with(start), "{message}");
}

#[wasm_bindgen_test]
async fn accepts_base_urls_with_slash_and_path() {
    for (suffix, expected) in [
        ("", "/image-to-3d-sessions"),
        ("/", "/image-to-3d-sessions"),
        ("/csm", "/csm/image-to-3d-sessions"),
        ("/csm/", "/csm/image-to-3d-sessions"),
    ] {
        let (fetch, records) = recording_fetch();
        let options = to_server(r#"{"maxRetries": 0}"#).await;
        let origin = server().await;
        set(&options, "baseUrl", format!("{origin}{suffix}"));
        set(&options, "fetch", fetch);
        let _ = create(&options).await;
        let request: web_sys::Request = get(&records.get(0), "request").unchecked_into();
        assert_eq!(request.url(), format!("{origin}{expected}"));
    }
}

#[wasm_bindgen_test]
async fn rejects_invalid_base_urls() {
    // An empty string is a valid URL relative to the page, as for `fetch`.
    for (wrong, received) in [
        (JsValue::from("ftp://x.example"), "\"ftp://x.example\""),
        (
            "https://x.example/?a=1".into(),
            "\"https://x.example/?a=1\"",
        ),
        ("https://x.example/#a".into(), "\"https://x.example/#a\""),
        ("https://".into(), "\"https://\""),
        (5.into(), "5"),
    ] {
        let options = to_server("{}").await;
        set(&options, "baseUrl", wrong);
        let message = format!(
            "Invalid baseUrl {received}: expected an http: or https: URL without query and fragment"
        );
        assert_rejected(&options, &message).await;
    }
    let options = to_server("{}").await;
    set(
        &options,
        "baseUrl",
        format!("https://me:{CANARY}@x.example"),
    );
    let message = "baseUrl must not contain a user name or password";
    assert_rejected(&options, message).await;
}

#[wasm_bindgen_test]
async fn adds_headers_but_rejects_those_that_the_library_sets() {
    let (fetch, records) = recording_fetch();
    let record_and_fail = Function::new_with_args(
        "fetch",
        "return (url, init) => {
             fetch(url, init).catch(() => {}); return Promise.reject(new Error('enough')) }",
    );
    let fetch = record_and_fail.call1(&JsValue::UNDEFINED, &fetch).unwrap();
    let options = to_server(r#"{"headers": {"X-Trace": "7"}, "maxRetries": 0}"#).await;
    set(&options, "fetch", fetch);
    set(&options, "apiKey", format!("key-{CANARY}"));
    let _ = create_error(&options).await;
    let request: web_sys::Request = get(&records.get(0), "request").unchecked_into();
    let header = |name| request.headers().get(name).unwrap().unwrap_or_default();
    assert_eq!(header("x-trace"), "7");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("x-api-key"), format!("key-{CANARY}"));

    for (name, hint) in [
        ("x-api-key", "pass the key as apiKey"),
        ("X-API-Key", "pass the key as apiKey"),
        ("Content-Type", "the library sets it"),
        ("idempotency-key", "pass it as idempotencyKey"),
    ] {
        let options = to_server("{}").await;
        let headers = js_sys::Object::new();
        set(&headers, name, CANARY);
        set(&options, "headers", headers);
        let name = name.to_lowercase();
        let message = format!("headers must not contain {name}: {hint}");
        assert_rejected(&options, &message).await;
    }
    let options = to_server("{}").await;
    let headers = js_sys::Object::new();
    set(&headers, "x-trace", format!("{CANARY}\n"));
    set(&headers, "wrong name", format!("{CANARY}\u{2028}"));
    set(&options, "headers", headers);
    let message =
        "headers must be an object, an array of pairs or Headers, with valid names and values";
    assert_rejected(&options, message).await;
}

#[wasm_bindgen_test]
async fn requires_a_key_without_a_base_url() {
    // A `fetch` option would make the key optional.
    let options = options("{}");
    set(&options, "image", file(&png(0), "a.png"));
    let message = assert_error(&create_error(&options).await, "invalid_options", "no");
    assert_eq!(
        message,
        "Missing apiKey: expected an API key, or a baseUrl of a server that needs none"
    );
}

#[wasm_bindgen_test]
async fn calls_a_key_function_once() {
    for make in ["() => 'k'", "async () => 'k'"] {
        let (fetch, records) = recording_fetch();
        let count = Array::new();
        let code = format!("return () => {{ count.push(1); return ({make})(); }}");
        let key = Function::new_with_args("count", &code);
        let options = to_server("{}").await;
        set(
            &options,
            "apiKey",
            key.call1(&JsValue::UNDEFINED, &count).unwrap(),
        );
        set(&options, "fetch", fetch);
        create(&options).await.unwrap();
        let request: web_sys::Request = get(&records.get(0), "request").unchecked_into();
        assert_eq!(request.headers().get("x-api-key").unwrap().unwrap(), "k");
        assert_eq!(count.length(), 1);
    }
}

#[wasm_bindgen_test]
async fn rejects_invalid_keys_without_repeating_them() {
    const HEADER: &str = "apiKey must contain only characters allowed in HTTP headers, and no \
                          leading or trailing space";
    const EMPTY: &str = "The apiKey function must return a non-empty string";
    for (wrong, message) in [
        ("return ''", EMPTY),
        ("return 5", EMPTY),
        ("return 'a\\nb'", HEADER),
        ("return 'schlüssel€'", HEADER),
    ] {
        let options = to_server("{}").await;
        set(&options, "apiKey", Function::new_no_args(wrong));
        assert_rejected(&options, message).await;
    }
    let type_error = "apiKey must be a non-empty string or a function that returns one";
    for (wrong, message) in [
        (JsValue::from(""), type_error),
        (5.into(), type_error),
        (" canary7d1f93 ".into(), HEADER),
        ("canary7d1f93\n".into(), HEADER),
    ] {
        let options = to_server("{}").await;
        set(&options, "apiKey", wrong);
        assert_rejected(&options, message).await;
    }
}

#[wasm_bindgen_test]
async fn passes_on_exceptions_of_the_key_function() {
    let options = to_server("{}").await;
    set(
        &options,
        "apiKey",
        Function::new_no_args("throw 'no key today'"),
    );
    assert_eq!(create_error(&options).await, "no key today");
}

#[wasm_bindgen_test]
async fn passes_on_exceptions_of_on_progress() {
    let options = to_server("{}").await;
    set(
        &options,
        "onProgress",
        Function::new_no_args("throw 'enough'"),
    );
    let (fetch, records) = recording_fetch();
    set(&options, "fetch", fetch);
    assert_eq!(create_error(&options).await, "enough");
    assert_eq!(records.length(), 0);
}

#[wasm_bindgen_test]
async fn rejects_images_that_are_not_binary() {
    for (image, received) in [
        (JsValue::from("picture.png"), "\"picture.png\""),
        (JsValue::from(5), "5"),
        (JsValue::NULL, "null"),
        (js_sys::Object::new().into(), "{…}"),
        (
            Array::of1(&Uint8Array::new_with_length(5)).into(),
            "[[object Uint8Array]]",
        ),
    ] {
        let options = to_server("{}").await;
        set(&options, "image", image);
        let message = format!(
            "Invalid image {received}: expected a File, Blob, ArrayBuffer or ArrayBufferView (pass a \
             URL as image_url)"
        );
        assert_rejected(&options, &message).await;
    }
}
