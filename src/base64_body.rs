//! The body of a create request: the parameters, then the image as a base64 `data:` URI.
//!
//! A string of the whole body would exist in several copies. Instead the image is read in chunks,
//! and each encoded chunk becomes a `Blob`, which browsers store outside of the page's memory.
//! Neither the wasm heap nor the page grows with the image.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::mem::MaybeUninit;

use base64_simd::{Out, STANDARD};
use contract::{IMAGE_FORMATS, IMAGE_URL};
use js_sys::{Array, Function, JsString, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::error::{CallError, Result};
use crate::event_loop::Pacer;
use crate::image::ImageInput;
use crate::image_reader::ImageReader;
use crate::js::{blob, stringify};
use crate::progress::{Phase, report};

/// The number of bytes of the image that are encoded at once: a multiple of three, so that every
/// chunk except the last needs no padding. Below 512 KiB the calls between wasm and browser become
/// measurable, above 1 MiB throughput no longer improves.
const CHUNK: usize = 768 * 1024;

/// The length of a chunk in base64.
const ENCODED_CHUNK: usize = CHUNK / 3 * 4;

/// The end of the body, after the image.
const BODY_END: &str = "\"}";

/// The number of bytes of an unrecognized file that the message repeats.
const SIGNATURE_BYTES: usize = 4;

/// Writes the body. `parameters` is a JSON object.
///
/// # Errors
/// Fails if the image is empty, unreadable or not an image, or if `on_progress` throws.
pub async fn write(
    parameters: &JsString,
    image: &ImageInput,
    on_progress: Option<&Function>,
) -> Result<JsValue> {
    let parts = Array::new();
    // The image comes last, so that a body can be inspected by its first bytes.
    let fields = String::from(parameters.slice(1, parameters.length() - 1));
    let separator = if fields.is_empty() { "" } else { "," };
    let head = format!("{{{fields}{separator}\"{IMAGE_URL}\":");
    let reader = match image {
        ImageInput::Url(url) => {
            parts.push(&head.into());
            let url = stringify(&url.into(), &JsValue::UNDEFINED)?;
            parts.push(&url);
            parts.push(&"}".into());
            return join_blobs(&parts);
        }
        ImageInput::DataUrl(url) => {
            parts.push(&format!("{head}\"").into());
            parts.push(url);
            parts.push(&BODY_END.into());
            return join_blobs(&parts);
        }
        ImageInput::Blob(blob) => ImageReader::of_blob(blob),
        ImageInput::Bytes(bytes) => ImageReader::of_bytes(bytes),
    };
    encode(reader, image.size(), head, parts, on_progress).await
}

async fn encode(
    mut reader: ImageReader<'_>,
    total: f64,
    mut head: String,
    parts: Array,
    on_progress: Option<&Function>,
) -> Result<JsValue> {
    if total == 0.0 {
        return Err(CallError::unsupported_image("image: the file is empty"));
    }
    // The wasm heap never shrinks, so the buffers have the same size for all images.
    let mut chunk = vec![0; CHUNK];
    let mut encoded = vec![MaybeUninit::uninit(); ENCODED_CHUNK];
    // The browser copies the contents into each `Blob`.
    let mut blob_buffer = None;
    let mut pacer = Pacer::new();
    let mut loaded = 0.0;
    loop {
        // Reading beyond the end would cost a small image another turn of the event loop.
        let wanted = CHUNK.min((total - loaded) as usize);
        let length = reader
            .fill(chunk.get_mut(..wanted).unwrap_or_default())
            .await?;
        let bytes = chunk.get(..length).unwrap_or_default();
        if loaded == 0.0 {
            let media_type = contract::sniff(bytes).ok_or_else(|| unrecognized_format(bytes))?;
            head = format!("{head}\"data:{media_type};base64,");
        }
        let base64 = STANDARD.encode(bytes, Out::from_uninit_slice(&mut encoded));
        loaded += length as f64;
        report(on_progress, Phase::Encoding, loaded, total)?;
        let is_last = length < wanted || loaded >= total;
        if is_last && loaded <= CHUNK as f64 {
            // A `Blob` takes longer for a small body, since it is stored in another process.
            let parts = [head.as_bytes(), base64, BODY_END.as_bytes()];
            return Ok(join_bytes(&parts).into());
        }
        let buffer = blob_buffer.get_or_insert_with(|| {
            parts.push(&head.as_str().into());
            Uint8Array::new_with_length(ENCODED_CHUNK as u32)
        });
        let part = buffer.subarray(0, base64.len() as u32);
        set_bytes(&part, base64);
        parts.push(&blob(&Array::of1(&part), "")?.into());
        if is_last {
            parts.push(&BODY_END.into());
            return join_blobs(&parts);
        }
        pacer.yield_to_event_loop().await;
    }
}

fn join_blobs(parts: &Array) -> Result<JsValue> {
    Ok(blob(parts, "")?.into())
}

fn join_bytes(parts: &[&[u8]]) -> Uint8Array {
    let bytes = Uint8Array::new_with_length(parts.iter().map(|part| part.len() as u32).sum());
    let mut start = 0;
    for part in parts {
        let end = start + part.len() as u32;
        set_bytes(&bytes.subarray(start, end), part);
        start = end;
    }
    bytes
}

fn unrecognized_format(bytes: &[u8]) -> CallError {
    let mut signature = String::new();
    for byte in bytes.iter().take(SIGNATURE_BYTES) {
        signature = format!("{signature}{byte:02x} ");
    }
    let signature = match bytes.len() > SIGNATURE_BYTES {
        true => format!("{signature}…"),
        false => signature.trim_end().into(),
    };
    CallError::unsupported_image(format!(
        "image: unrecognized image format (first bytes: {signature}). Supported: {IMAGE_FORMATS}"
    ))
}

#[wasm_bindgen]
extern "C" {
    // `Uint8Array::copy_from` of js-sys asserts that the lengths are equal, with a formatted
    // message. This one throws a RangeError if `from` is longer.
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn set_bytes(to: &Uint8Array, from: &[u8]);
}
