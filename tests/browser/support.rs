//! Helpers: the server, images, calls and their errors.

use csm_image_to_3d::create_session;
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use tsify::Ts;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

#[wasm_bindgen(module = "/pkg/error.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = ImageTo3dError)]
    static ERROR_CLASS: Function;
}

/// A part of every key in these tests. The test run fails if its output contains it.
pub const CANARY: &str = "canary7d1f93";

/// Returns the origin of the server that the test run started.
pub async fn server() -> String {
    let json = text("/target/test-server.json").await;
    let server = JSON::parse(&json).unwrap();
    get(&server, "origin").as_string().unwrap()
}

pub async fn fetch(url: &str) -> Response {
    let fetch: Function = get(&js_sys::global(), "fetch").unchecked_into();
    let promise = fetch.call1(&JsValue::UNDEFINED, &url.into()).unwrap();
    JsFuture::from(Promise::from(promise))
        .await
        .unwrap()
        .unchecked_into()
}

pub async fn text(url: &str) -> String {
    let text = JsFuture::from(fetch(url).await.text().unwrap()).await;
    text.unwrap().as_string().unwrap()
}

pub async fn bytes(url: &str) -> Vec<u8> {
    let response = fetch(url).await;
    assert!(response.ok(), "{url}: {}", response.status());
    let buffer = JsFuture::from(response.array_buffer().unwrap()).await;
    Uint8Array::new(&buffer.unwrap()).to_vec()
}

pub fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

pub fn set(object: &JsValue, name: &str, value: impl Into<JsValue>) {
    Reflect::set(object, &name.into(), &value.into()).unwrap();
}

/// Returns options from JSON, to which the tests add values that are not JSON.
pub fn options(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

/// Returns options for the smallest image and the server.
pub async fn to_server(json: &str) -> JsValue {
    let options = options(json);
    set(&options, "image", file(&png(0), "smallest.png"));
    set(&options, "baseUrl", server().await);
    options
}

/// Returns options whose key selects a fault of the server. The server counts requests per key, so
/// each key is unique.
pub async fn to_failing_server(fault: &str, json: &str) -> JsValue {
    let options = to_server(json).await;
    let nonce = format!("{}{CANARY}", (js_sys::Math::random() * 1e9) as u32);
    set(&options, "apiKey", format!("fault_{fault}_{nonce}"));
    options
}

pub async fn create(options: &JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(create_session(Ts::new_unchecked(options.clone()))).await
}

/// Returns the exception of a create, and asserts that nothing a page could print of it contains
/// the key.
pub async fn create_error(options: &JsValue) -> JsValue {
    let thrown = match create(options).await {
        Ok(session) => panic!("created {:?}", JSON::stringify(&session)),
        Err(thrown) => thrown,
    };
    let print = Function::new_with_args(
        "e",
        "const all = e === Object(e) ? Object.getOwnPropertyNames(e).map((n) => [n, e[n]]) : [];
         console.log(`error: ${String(e)} ${JSON.stringify(e)}`);
         return [String(e), JSON.stringify(e), JSON.stringify(all), e?.stack].join('\\n');",
    );
    let printed = print.call1(&JsValue::UNDEFINED, &thrown).unwrap();
    let printed = printed.as_string().unwrap();
    assert!(
        !printed.contains(CANARY),
        "the error contains the key: {printed}"
    );
    thrown
}

/// Asserts that the exception is an `ImageTo3dError` of this kind, and returns its message.
#[track_caller]
pub fn assert_error(error: &JsValue, kind: &str, sent: &str) -> String {
    let is_instance = ERROR_CLASS.with(|class| {
        let check = Function::new_with_args("e, c", "return e instanceof c && e instanceof Error");
        check.call2(&JsValue::UNDEFINED, error, class).unwrap()
    });
    let message = get(error, "message").as_string().unwrap();
    assert!(is_instance.is_truthy(), "{message}");
    assert_eq!(get(error, "name"), "ImageTo3dError", "{message}");
    assert_eq!(get(error, "kind"), kind, "{message}");
    assert_eq!(get(error, "sent"), sent, "{message}");
    message
}

pub fn file(bytes: &[u8], name: &str) -> JsValue {
    let parts = Array::of1(&Uint8Array::from(bytes));
    web_sys::File::new_with_u8_array_sequence(&parts, name)
        .unwrap()
        .into()
}

pub fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).unwrap()
}

/// Returns a valid PNG of one pixel. A `padding` of at least 12 adds that many bytes in a chunk
/// that decoders ignore.
pub fn png(padding: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    if padding > 0 {
        let filler: Vec<u8> = (0..padding - 12)
            .map(|at| (at as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        chunk(&mut png, b"paDd", &filler);
    }
    // One row, in a block that is not compressed: no filter, one gray pixel.
    let row = [0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0x80, 0, 0x82, 0, 0x81];
    chunk(&mut png, b"IDAT", &row);
    chunk(&mut png, b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(name);
    png.extend(data);
    png.extend(crc32fast::hash(&png[start..]).to_be_bytes());
}

/// Returns a `fetch` that records the time and a copy of each request, and its records.
pub fn recording_fetch() -> (Function, Array) {
    let records = Array::new();
    let make = Function::new_with_args(
        "records",
        "return (url, init) => {
            records.push({ at: performance.now(), request: new Request(url, init) });
            return fetch(url, init);
        }",
    );
    let fetch = make.call1(&JsValue::UNDEFINED, &records).unwrap();
    (fetch.unchecked_into(), records)
}

/// Returns the JSON body of a recorded request.
pub async fn recorded_body(record: &JsValue) -> String {
    let request: web_sys::Request = get(record, "request").unchecked_into();
    let body = JsFuture::from(request.text().unwrap()).await.unwrap();
    body.as_string().unwrap()
}

pub fn keys(object: &JsValue) -> Vec<String> {
    let keys = Object::keys(object.unchecked_ref::<Object>());
    keys.iter().map(|key| key.as_string().unwrap()).collect()
}
