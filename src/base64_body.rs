//! The body of a create request: the parameters, then the image as a base64 `data:` URI.
//!
//! A string of the whole body would exist in several copies. Instead the image is read in chunks,
//! and each encoded chunk becomes a `Blob`, which browsers store outside of the page's memory.
//! Neither the wasm heap nor the page grows with the image.

use std::mem::MaybeUninit;

use base64_simd::{Out, STANDARD};
use contract::{IMAGE_URL, ImageFormat};
use js_sys::{Array, Function, JSON, JsString, RegExp, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::error::Result;
use crate::event_loop::Pacer;
use crate::image::{IMAGE, ImageInput, detect_format, empty_image};
use crate::image_reader::ImageReader;
use crate::js::blob;
use crate::progress::{Phase, Progress};

/// The number of bytes of the image that are encoded at once: a multiple of three, so that every
/// chunk except the last needs no padding. Below 512 KiB the calls between wasm and browser become
/// measurable, above 1 MiB throughput no longer improves.
const CHUNK: usize = 768 * 1024;

/// The length of a chunk in base64.
const ENCODED_CHUNK: usize = CHUNK / 3 * 4;

/// The end of the body, after the image.
const BODY_END: &str = "\"}";

/// Writes the body. `parameters` is a JSON object.
///
/// # Errors
/// Fails if the image is empty, unreadable or not an image, or if `on_progress` throws.
pub async fn write(
    parameters: &str,
    image: &ImageInput,
    on_progress: Option<&Function>,
) -> Result<JsValue> {
    // The image comes last, so that a body can be inspected by its first bytes.
    let separator = if parameters == "{}" { "" } else { "," };
    let parameters = parameters.strip_suffix('}').unwrap_or(parameters);
    let head = format!("{parameters}{separator}\"{IMAGE_URL}\":");
    match image {
        ImageInput::Url(url) => {
            let url = JSON::stringify(&url.into())?;
            Ok(format!("{head}{url}}}").into())
        }
        ImageInput::DataUrl(url) => write_data_url(&format!("{head}\""), url),
        ImageInput::Bytes(bytes) => {
            let reader = ImageReader::of_bytes(bytes.clone());
            encode(head, reader, image.size(), on_progress).await
        }
        ImageInput::Blob { size: 0.0, .. } => Err(empty_image()),
        ImageInput::Blob { blob, size } => {
            let reader = ImageReader::of_blob(blob).await?;
            encode(head, reader, *size, on_progress).await
        }
    }
}

/// A `Blob` takes longer for a small body, since it is stored in another process.
fn write_data_url(head: &str, url: &JsString) -> Result<JsValue> {
    // Line breaks, or quotation marks in the text of an SVG.
    let escaped = match url.search(&RegExp::new(r#"["\\\x00-\x1f]"#, "")) {
        0.. => {
            let quoted = JSON::stringify(url)?;
            quoted.slice(1, quoted.length() - 1)
        }
        _ => url.clone(),
    };
    let url = &escaped;
    if url.length() as usize <= ENCODED_CHUNK {
        let head = JsString::from(head);
        return Ok(head.concat(url).concat(&BODY_END.into()).into());
    }
    let parts = Array::of2(&head.into(), url);
    parts.push(&BODY_END.into());
    Ok(blob(&parts, "")?.into())
}

async fn encode(
    mut head: String,
    mut reader: ImageReader,
    total: f64,
    on_progress: Option<&Function>,
) -> Result<JsValue> {
    // The wasm heap never shrinks, so the buffers have the same size for all images.
    let mut chunk = vec![0; CHUNK];
    let mut encoded = vec![MaybeUninit::uninit(); ENCODED_CHUNK];
    let parts = Array::new();
    // The browser copies the contents into each `Blob`.
    let mut blob_buffer = None;
    let mut pacer = Pacer::new();
    let mut loaded = 0.0;
    loop {
        // Reading beyond the end would cost a small image another turn of the event loop.
        let wanted = CHUNK.min((total - loaded) as usize);
        let length = reader.fill(&mut chunk[..wanted]).await?;
        let bytes = &chunk[..length];
        if loaded == 0.0 {
            let format = detect_format(IMAGE, bytes)?;
            head += &format!("\"data:{};base64,", format.media_type());
        }
        let base64 = STANDARD.encode(bytes, Out::from_uninit_slice(&mut encoded));
        loaded += length as f64;
        Progress {
            phase: Phase::Encoding,
            loaded,
            total,
        }
        .report(on_progress)?;
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
        part.copy_from(base64);
        parts.push(&blob(&Array::of1(&part), "")?.into());
        if is_last {
            parts.push(&BODY_END.into());
            return Ok(blob(&parts, "")?.into());
        }
        pacer.yield_to_event_loop().await;
    }
}

/// Reads the format of an image from its first bytes. Returns `None` for a URL.
///
/// # Errors
/// Fails if the image is unreadable or not an image.
pub async fn read_format(image: &ImageInput) -> Result<Option<ImageFormat>> {
    let mut reader = match image {
        ImageInput::Bytes(bytes) => ImageReader::of_bytes(bytes.clone()),
        ImageInput::Blob { blob, .. } => ImageReader::of_blob(blob).await?,
        ImageInput::Url(_) | ImageInput::DataUrl(_) => return Ok(None),
    };
    let mut start = [0; ImageFormat::DETECTED_BYTES];
    let length = reader.fill(&mut start).await?;
    detect_format(IMAGE, &start[..length]).map(Some)
}

/// Joins bytes in the memory of JavaScript: that of the wasm never shrinks.
fn join_bytes(parts: &[&[u8]]) -> Uint8Array {
    let bytes = Uint8Array::new_with_length(parts.iter().map(|part| part.len() as u32).sum());
    let mut start = 0;
    for part in parts {
        let end = start + part.len() as u32;
        bytes.subarray(start, end).copy_from(part);
        start = end;
    }
    bytes
}
