//! Images of every accepted type and size arrive unchanged.

use js_sys::{DataView, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::*;

/// The size of a chunk of the library (`CHUNK` in `src/body.rs`).
const CHUNK: usize = 768 * 1024;

const ALL: &str = r#"{
    "creativity": "highest", "generate_texture": true, "auto_refine": true,
    "refine_speed": "fast", "preview_mesh": "fast_sculpt", "topology": "quads",
    "resolution": "low_poly", "texture_resolution": 512,
    "scaled_bbox": [1, 2.5, 3], "pivot_point": [0, -0.5, 0.25]
}"#;

async fn assert_arrives(image: JsValue, expected: &[u8]) {
    let options = options(ALL);
    set(&options, "image", image);
    set(&options, "baseUrl", server().await);
    let session = create(&options).await.unwrap();
    for name in keys(&super::support::options(ALL)) {
        let (sent, received) = (get(&options, &name), get(&session, &name));
        let text = |value| js_sys::JSON::stringify(&value).unwrap();
        assert_eq!(text(sent), text(received), "{name}");
    }
    let url = get(&session, "image_url").as_string().unwrap();
    let received = bytes(&url).await;
    assert!(
        received == expected,
        "received {} bytes, sent {}",
        received.len(),
        expected.len()
    );
}

async fn assert_file_arrives(size: usize) {
    let smallest = png(0).len();
    let png = png(size - smallest);
    assert_eq!(png.len(), size);
    assert_arrives(file(&png, "image.png"), &png).await;
}

#[wasm_bindgen_test]
async fn sends_small_files() {
    let smallest = png(0);
    assert_arrives(file(&smallest, "image.png"), &smallest).await;
    for padding in 12..18 {
        assert_file_arrives(smallest.len() + padding).await;
    }
}

#[wasm_bindgen_test]
async fn sends_files_around_chunk_boundaries() {
    for chunks in 1..=3 {
        for size in chunks * CHUNK - 4..=chunks * CHUNK + 4 {
            assert_file_arrives(size).await;
        }
    }
}

#[wasm_bindgen_test]
async fn sends_files_around_stream_buffer_boundaries() {
    for power in [16, 18, 20, 21] {
        for size in (1 << power) - 1..=(1 << power) + 1 {
            assert_file_arrives(size).await;
        }
    }
}

#[wasm_bindgen_test]
async fn sends_a_file_of_8_mb() {
    assert_file_arrives(8_000_000).await;
}

#[wasm_bindgen_test]
async fn sends_a_file_of_40_mb() {
    assert_file_arrives(40_000_000).await;
}

#[wasm_bindgen_test]
async fn sends_blobs_buffers_and_views() {
    let png = png(1_000_000);
    let bytes = Uint8Array::from(&png[..]);
    assert_arrives(blob(&png).into(), &png).await;
    assert_arrives(bytes.buffer().into(), &png).await;
    assert_arrives(bytes.into(), &png).await;
    // A view of the middle of a buffer.
    let larger = Uint8Array::new_with_length(png.len() as u32 + 20);
    larger.subarray(7, 7 + png.len() as u32).copy_from(&png);
    let view = larger.subarray(7, 7 + png.len() as u32);
    assert_arrives(DataView::new(&view.buffer(), 7, png.len()).into(), &png).await;
    assert_arrives(view.into(), &png).await;
}

#[wasm_bindgen_test]
async fn reads_slices_without_byte_streams() {
    let png = png(2 * CHUNK);
    let image = blob(&png);
    let plain = Function::new_no_args("return new ReadableStream()");
    set(&image, "stream", plain);
    assert_arrives(image.into(), &png).await;
}

#[wasm_bindgen_test]
async fn sends_data_urls() {
    let png = png(1_000_000);
    let options = options("{}");
    let base64 = base64_simd::STANDARD.encode_to_string(&png);
    set(
        &options,
        "image_url",
        format!("data:image/png;base64,{base64}"),
    );
    set(&options, "baseUrl", server().await);
    let session = create(&options).await.unwrap();
    let url = get(&session, "image_url").as_string().unwrap();
    assert!(bytes(&url).await == png);
}

#[wasm_bindgen_test]
async fn sends_data_urls_in_the_forms_that_browsers_accept() {
    let mut png = png(100);
    while png.len() % 3 != 1 {
        png.push(0);
    }
    let base64 = base64_simd::STANDARD.encode_to_string(&png);
    let lines: Vec<_> = base64.as_bytes().chunks(76).map(str::from_utf8).collect();
    let lines: Vec<_> = lines.into_iter().map(Result::unwrap).collect();
    let encoded = base64
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('=', "%3D");
    assert!(base64.ends_with("==") && base64 != encoded);
    for url in [
        format!("data:;base64,{base64}"),
        format!("data:image/jpeg;base64,{base64}"),
        format!("data:application/octet-stream;base64,{base64}"),
        format!("DATA:image/PNG;charset=utf-8;name=ü.png;BASE64,{base64}"),
        format!("data:image/png;base64,{}\r\n", lines.join("\r\n")),
        format!("data:image/png;base64,{encoded}%0A"),
        format!("data:image/png;base64,{}", base64.trim_end_matches('=')),
    ] {
        let (fetch, records) = recording_fetch();
        let options = options("{}");
        set(&options, "image_url", &*url);
        set(&options, "baseUrl", server().await);
        set(&options, "fetch", fetch);
        let session = create(&options).await.unwrap();
        let body = js_sys::JSON::parse(&recorded_body(&records.get(0)).await).unwrap();
        assert_eq!(get(&body, "image_url"), &*url);
        let stored = get(&session, "image_url").as_string().unwrap();
        assert!(bytes(&stored).await == png, "{url}");
    }
}

#[wasm_bindgen_test]
async fn sends_svg_as_text() {
    let url = "data:image/svg+xml;charset=utf-8,<svg xmlns=\"http://www.w3.org/2000/svg\">\n</svg>";
    let (fetch, records) = recording_fetch();
    let options = options("{}");
    set(&options, "image_url", url);
    set(&options, "baseUrl", server().await);
    set(&options, "fetch", fetch);
    let _ = create(&options).await;
    let body = js_sys::JSON::parse(&recorded_body(&records.get(0)).await).unwrap();
    assert_eq!(get(&body, "image_url"), url);
}

#[wasm_bindgen_test]
async fn sends_urls_unchanged() {
    let url = "https://pictures.example/a%20\"b\".png?x=1&y=ü";
    let options = options("{}");
    set(&options, "image_url", url);
    set(&options, "baseUrl", server().await);
    let session = create(&options).await.unwrap();
    assert_eq!(get(&session, "image_url"), url);
}

#[wasm_bindgen_test]
async fn omits_omitted_parameters() {
    let (fetch, records) = recording_fetch();
    let options = to_server("{}").await;
    set(&options, "fetch", fetch);
    create(&options).await.unwrap();
    let body = recorded_body(&records.get(0)).await;
    assert_eq!(keys(&js_sys::JSON::parse(&body).unwrap()), ["image_url"]);
    assert!(
        body.starts_with("{\"image_url\":\"data:image/png;base64,iVBOR"),
        "{body}"
    );
}

#[wasm_bindgen_test]
async fn reports_progress_for_every_chunk() {
    let options = to_server("{}").await;
    let size = 3 * CHUNK;
    set(
        &options,
        "image",
        file(&png(size - png(0).len()), "image.png"),
    );
    let make = Function::new_with_args("reports", "return (progress) => reports.push(progress)");
    let reports = js_sys::Array::new();
    set(
        &options,
        "onProgress",
        make.call1(&JsValue::UNDEFINED, &reports).unwrap(),
    );
    create(&options).await.unwrap();
    let reports: Vec<_> = reports
        .iter()
        .map(|progress| {
            assert_eq!(get(&progress, "total"), size as f64);
            let phase = get(&progress, "phase").as_string().unwrap();
            (phase, get(&progress, "loaded").as_f64().unwrap() as usize)
        })
        .collect();
    let encoding = |chunks| ("encoding".to_owned(), chunks * CHUNK);
    let sending = ("sending".to_owned(), size);
    assert_eq!(reports, [encoding(1), encoding(2), encoding(3), sending]);
}
