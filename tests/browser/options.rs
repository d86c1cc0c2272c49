//! What the caller says is checked before anything is read or sent.

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

/// Asserts that the options are refused before `fetch` is called, with all the words in the message.
async fn assert_refused(options: &JsValue, words: &[&str]) {
    let (fetch, notes) = noting_fetch();
    if get(options, "fetch").is_undefined() {
        set(options, "fetch", fetch);
    }
    let message = assert_error(&thrown(options).await, "invalid_options", "no");
    for word in words {
        assert!(message.contains(word), "{word} is not in {message}");
    }
    assert_eq!(notes.length(), 0);
}

#[wasm_bindgen_test]
async fn a_wrong_parameter_is_named_with_what_came_and_what_is_allowed() {
    for (json, words) in [
        (
            r#"{"creativity": "high"}"#,
            &["creativity", "\"high\"", "highest"][..],
        ),
        (r#"{"creativity": 3}"#, &["creativity", "3"]),
        (r#"{"creativity": null}"#, &["creativity", "null"]),
        (
            r#"{"generate_texture": "yes"}"#,
            &["generate_texture", "\"yes\"", "true or false"],
        ),
        (r#"{"auto_refine": 1}"#, &["auto_refine", "1"]),
        (
            r#"{"refine_speed": "faster"}"#,
            &["refine_speed", "fast", "slow"],
        ),
        (
            r#"{"preview_mesh": "sculpt"}"#,
            &["preview_mesh", "fast_sculpt", "turbo"],
        ),
        (r#"{"topology": "tri"}"#, &["topology", "tris", "quads"]),
        (
            r#"{"resolution": "high"}"#,
            &["resolution", "low_poly", "high_poly"],
        ),
        (
            r#"{"texture_resolution": 1000}"#,
            &["texture_resolution", "1000", "1024"],
        ),
        (
            r#"{"texture_resolution": "512"}"#,
            &["texture_resolution", "\"512\""],
        ),
        (
            r#"{"scaled_bbox": [1, 2]}"#,
            &["scaled_bbox", "[1, 2]", "greater than 0"],
        ),
        (
            r#"{"scaled_bbox": [1, 2, 0]}"#,
            &["scaled_bbox", "[1, 2, 0]"],
        ),
        (
            r#"{"scaled_bbox": [1, 2, "3"]}"#,
            &["scaled_bbox", "[1, 2, \"3\"]"],
        ),
        (
            r#"{"pivot_point": [0, 0, 0.6]}"#,
            &["pivot_point", "0.6", "-0.5 to 0.5"],
        ),
        (r#"{"pivot_point": {"x": 0}}"#, &["pivot_point", "Object"]),
        (r#"{"timeout": 0}"#, &["timeout", "milliseconds"]),
        (r#"{"maxRetries": 1.5}"#, &["maxRetries", "1.5", "whole"]),
        (r#"{"signal": {}}"#, &["signal", "AbortSignal"]),
        (r#"{"onProgress": "yes"}"#, &["onProgress", "a function"]),
        (r#"{"idempotencyKey": ""}"#, &["idempotencyKey"]),
        (r#"{"fetch": "yes"}"#, &["fetch", "a function"]),
    ] {
        assert_refused(&to_server(json).await, words).await;
    }
    let options = to_server("{}").await;
    let infinite = Array::of3(&1.into(), &2.into(), &f64::INFINITY.into());
    set(&options, "scaled_bbox", infinite);
    assert_refused(&options, &["scaled_bbox", "Infinity", "finite"]).await;
}

#[wasm_bindgen_test]
async fn a_misspelt_option_is_told_its_name() {
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
        assert_refused(&options, &[wrong, &format!("did you mean {right}?")]).await;
    }
    let options = to_server(r#"{"symmetry": "on"}"#).await;
    assert_refused(&options, &["symmetry", "extra"]).await;
}

#[wasm_bindgen_test]
async fn exactly_one_picture_is_taken() {
    let options = options("{}");
    set(&options, "baseUrl", server().await);
    assert_refused(&options, &["image", "missing"]).await;
    set(&options, "image_url", "https://pictures.example/a.png");
    set(&options, "image", file(&png(0), "a.png"));
    assert_refused(&options, &["image", "image_url", "give one"]).await;
}

#[wasm_bindgen_test]
async fn an_address_that_is_none_is_refused() {
    for url in [
        "picture.png",
        "ftp://pictures.example/a.png",
        "https://",
        "javascript:alert(1)",
        "data:text/html;base64,aGVsbG8=",
        "data:image/png,hello",
        "data:image/png;base64,aGVsbG8",
        "data:image/png;base64,aGVs bG8=",
        "data:image/png;base64,aGVsbG8=\"}",
        "data:image/png;base64,aGVsbG8====",
    ] {
        let options = options("{}");
        set(&options, "image_url", url);
        set(&options, "baseUrl", server().await);
        assert_refused(&options, &["image_url"]).await;
    }
}

#[wasm_bindgen_test]
async fn extra_goes_into_the_body_but_takes_no_name_that_is_known() {
    let (fetch, notes) = noting_fetch();
    let options =
        to_server(r#"{"creativity": "lowest", "extra": {"symmetry": "on", "n": [1]}}"#).await;
    set(&options, "fetch", fetch);
    create(&options).await.unwrap();
    let body = noted_body(&notes.get(0)).await;
    let start = r#"{"creativity":"lowest","symmetry":"on","n":[1],"image_url":"data:image/png;"#;
    assert!(body.starts_with(start), "{body}");

    for known in ["creativity", "image_url", "apiKey"] {
        let options = to_server("{}").await;
        let extra = js_sys::Object::new();
        set(&extra, known, "x");
        set(&options, "extra", extra);
        assert_refused(&options, &["extra", known]).await;
    }
    let circular = js_sys::Object::new();
    set(&circular, "itself", &circular);
    let options = to_server("{}").await;
    set(&options, "extra", circular);
    assert_refused(&options, &["extra", "JSON"]).await;
}

#[wasm_bindgen_test]
async fn a_base_url_may_have_a_slash_and_a_path() {
    for (suffix, expected) in [
        ("", "/image-to-3d-sessions"),
        ("/", "/image-to-3d-sessions"),
        ("/csm", "/csm/image-to-3d-sessions"),
        ("/csm/", "/csm/image-to-3d-sessions"),
    ] {
        let (fetch, notes) = noting_fetch();
        let options = to_server(r#"{"maxRetries": 0}"#).await;
        let origin = server().await;
        set(&options, "baseUrl", format!("{origin}{suffix}"));
        set(&options, "fetch", fetch);
        let _ = create(&options).await;
        let request: web_sys::Request = get(&notes.get(0), "request").unchecked_into();
        assert_eq!(request.url(), format!("{origin}{expected}"));
    }
    for wrong in [
        "ftp://x.example",
        "https://x.example/?a=1",
        "https://x.example/#a",
        "https://",
        "",
        "5",
    ] {
        let options = to_server("{}").await;
        let wrong = if wrong == "5" {
            JsValue::from(5)
        } else {
            wrong.into()
        };
        set(&options, "baseUrl", &wrong);
        // Relative to the page an empty text is an address, as for `fetch`.
        if wrong != "" {
            assert_refused(&options, &["baseUrl"]).await;
        }
    }
    let options = to_server("{}").await;
    set(
        &options,
        "baseUrl",
        format!("https://me:{CANARY}@x.example"),
    );
    assert_refused(&options, &["baseUrl", "password"]).await;
}

#[wasm_bindgen_test]
async fn headers_are_added_but_cannot_set_what_the_library_sets() {
    let (fetch, notes) = noting_fetch();
    let answer = Function::new_with_args(
        "fetch",
        "return (r) => { fetch(r).catch(() => {}); return Promise.reject(new Error('enough')); }",
    );
    let fetch = answer.call1(&JsValue::UNDEFINED, &fetch).unwrap();
    let options = to_server(r#"{"headers": {"X-Trace": "7"}, "maxRetries": 0}"#).await;
    set(&options, "fetch", fetch);
    set(&options, "apiKey", format!("key-{CANARY}"));
    let _ = thrown(&options).await;
    let request: web_sys::Request = get(&notes.get(0), "request").unchecked_into();
    let header = |name| request.headers().get(name).unwrap().unwrap_or_default();
    assert_eq!(header("x-trace"), "7");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("x-api-key"), format!("key-{CANARY}"));

    for name in ["x-api-key", "X-API-Key", "Content-Type", "idempotency-key"] {
        let options = to_server("{}").await;
        let headers = js_sys::Object::new();
        set(&headers, name, CANARY);
        set(&options, "headers", headers);
        assert_refused(&options, &["headers", &name.to_lowercase()]).await;
    }
    let options = to_server("{}").await;
    let headers = js_sys::Object::new();
    set(&headers, "x-trace", format!("{CANARY}\n"));
    set(&headers, "wrong name", format!("{CANARY}\u{2028}"));
    set(&options, "headers", headers);
    assert_refused(&options, &["headers"]).await;
}

#[wasm_bindgen_test]
async fn the_key_is_a_text_or_comes_from_a_function_asked_once() {
    let origin = server().await;
    // No fetch option here: it would make the key optional.
    let options = options("{}");
    set(&options, "image", file(&png(0), "a.png"));
    let message = assert_error(&thrown(&options).await, "invalid_options", "no");
    assert!(message.contains("apiKey"), "{message}");

    for make in ["() => 'k'", "async () => 'k'"] {
        let (fetch, notes) = noting_fetch();
        let count = Array::new();
        let code = format!("return () => {{ count.push(1); return ({make})(); }}");
        let key = Function::new_with_args("count", &code);
        set(
            &options,
            "apiKey",
            key.call1(&JsValue::UNDEFINED, &count).unwrap(),
        );
        set(&options, "baseUrl", &*origin);
        set(&options, "fetch", fetch);
        create(&options).await.unwrap();
        let request: web_sys::Request = get(&notes.get(0), "request").unchecked_into();
        assert_eq!(request.headers().get("x-api-key").unwrap().unwrap(), "k");
        assert_eq!(count.length(), 1);
    }
    for wrong in [
        "return ''",
        "return 5",
        "return 'a\\nb'",
        "return 'schlüssel€'",
    ] {
        let options = to_server("{}").await;
        set(&options, "apiKey", Function::new_no_args(wrong));
        assert_refused(&options, &["apiKey"]).await;
    }
    for wrong in ["", " canary7d1f93 ", "canary7d1f93\n"] {
        let options = to_server("{}").await;
        set(&options, "apiKey", wrong);
        assert_refused(&options, &["apiKey"]).await;
    }
    // What the caller's own function throws is the caller's.
    let options = to_server("{}").await;
    set(
        &options,
        "apiKey",
        Function::new_no_args("throw 'no key today'"),
    );
    assert_eq!(thrown(&options).await, "no key today");
}

#[wasm_bindgen_test]
async fn what_a_callback_throws_ends_the_call() {
    let options = to_server("{}").await;
    set(
        &options,
        "onProgress",
        Function::new_no_args("throw 'enough'"),
    );
    let (fetch, notes) = noting_fetch();
    set(&options, "fetch", fetch);
    assert_eq!(thrown(&options).await, "enough");
    assert_eq!(notes.length(), 0);
}

#[wasm_bindgen_test]
async fn a_picture_of_no_binary_kind_is_refused() {
    for image in [
        JsValue::from("picture.png"),
        JsValue::from(5),
        JsValue::NULL,
        js_sys::Object::new().into(),
        Array::of1(&Uint8Array::new_with_length(5)).into(),
    ] {
        let options = to_server("{}").await;
        set(&options, "image", image);
        assert_refused(&options, &["image", "File"]).await;
    }
}
