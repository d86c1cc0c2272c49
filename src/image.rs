//! The image as the caller passes it.

use contract::{IMAGE_URL, Missing};
use js_sys::{JsString, RegExp, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Url;

use crate::error::{CallError, ErrorCode, Failure, Result};
use crate::js::{bytes, field, has_method};

/// The name of the option for an image in the browser's memory.
pub const IMAGE: &str = "image";

/// The length of the part of a `data:` URL in which its prefix is searched, in UTF-16 units: longer
/// than the prefix of any image.
const MAX_DATA_PREFIX: u32 = 200;

/// The caller's image, not read yet.
pub enum ImageInput {
    /// A `Blob`, or an object that behaves like one, and its size in bytes.
    Blob { blob: JsValue, size: f64 },
    /// At least one byte.
    Bytes(Uint8Array),
    /// The URL of an image that the API fetches.
    Url(String),
    /// A valid `data:` URL. Stays in JavaScript, since it may be large.
    DataUrl(JsString),
}

impl ImageInput {
    /// Validates the options `image` and `image_url`, exactly one of which is required.
    ///
    /// # Errors
    /// Fails if none or both are present, or if the value is not accepted.
    pub fn read(image: Option<JsValue>, image_url: Option<JsValue>) -> Result<Self> {
        match (image, image_url) {
            (Some(image), None) => read_image(image),
            (None, Some(url)) => read_image_url(url),
            (None, None) => Err(Missing::new(IMAGE, "exactly one of image and image_url").into()),
            (Some(_), Some(_)) => Err(CallError::invalid_options(
                "Expected exactly one of image and image_url, got both",
            )),
        }
    }

    /// Returns the size of a binary image in bytes; 0 for the URL variants.
    pub fn size(&self) -> f64 {
        match self {
            Self::Blob { size, .. } => *size,
            Self::Bytes(bytes) => bytes.length().into(),
            Self::Url(_) | Self::DataUrl(_) => 0.0,
        }
    }
}

/// Returns the error for an image without any bytes.
pub fn empty_image() -> CallError {
    Failure::new(ErrorCode::EmptyImage, "image: the file is empty").into()
}

fn read_image(image: JsValue) -> Result<ImageInput> {
    if let Some(bytes) = bytes(&image) {
        return match bytes.length() {
            0 => Err(no_bytes(&image)),
            _ => Ok(ImageInput::Bytes(bytes)),
        };
    }
    // By its behavior, since test environments imitate `Blob`.
    let size = field(&image, "size").as_f64();
    if let Some(size) = size.filter(|size| (0.0..f64::INFINITY).contains(size))
        && (has_method(&image, "stream") || has_method(&image, "arrayBuffer"))
    {
        return Ok(ImageInput::Blob { blob: image, size });
    }
    let expected = "a File, Blob, ArrayBuffer or ArrayBufferView (pass a URL as image_url)";
    Err(CallError::invalid_value(IMAGE, &image, expected))
}

/// Returns the error for a buffer or a view without bytes.
fn no_bytes(image: &JsValue) -> CallError {
    let is_detached = |buffer: &JsValue| field(buffer, "detached").is_truthy();
    if is_detached(image) || is_detached(&field(image, "buffer")) {
        return CallError::invalid_options(
            "image: the ArrayBuffer is detached, because it was transferred, for example to a worker",
        );
    }
    empty_image()
}

fn read_image_url(value: JsValue) -> Result<ImageInput> {
    let invalid = || {
        let expected = "an https:, http: or base64 data: URL of an image";
        CallError::invalid_value(IMAGE_URL, &value, expected)
    };
    let url = value.dyn_ref::<JsString>().ok_or_else(invalid)?;
    let start = String::from(url.slice(0, 8)).to_ascii_lowercase();
    if start.starts_with("data:") {
        return read_data_url(url);
    }
    if !start.starts_with("https://") && !start.starts_with("http://") {
        return Err(invalid());
    }
    let url = String::from(url);
    Url::new(&url).map_err(|_| invalid())?;
    Ok(ImageInput::Url(url))
}

/// Validates the prefix, the alphabet and the padding without copying the image into the wasm.
fn read_data_url(url: &JsString) -> Result<ImageInput> {
    let start = String::from(url.slice(0, MAX_DATA_PREFIX));
    let Some(prefix) = data_prefix(&start) else {
        let expected = "data:image/<type>;base64,<image>";
        return Err(CallError::invalid_value(IMAGE_URL, url, expected));
    };
    let base64 = url.slice(prefix, url.length());
    // Negative if there is none.
    let outside_alphabet = base64.search(&RegExp::new("[^A-Za-z0-9+/]", ""));
    let end = u32::try_from(outside_alphabet).unwrap_or(base64.length());
    let padding = String::from(base64.slice(end, base64.length().min(end + 3)));
    if !matches!(&*padding, "" | "=" | "==") || !base64.length().is_multiple_of(4) {
        return Err(CallError::invalid_options(
            "image_url: invalid base64 in data: URL (check the padding)",
        ));
    }
    if end == 0 {
        let message = "image_url: the data: URL contains no image";
        return Err(Failure::new(ErrorCode::EmptyImage, message).into());
    }
    Ok(ImageInput::DataUrl(url.clone()))
}

/// Returns the length of the part before the base64 of an image, or `None` if it is not one. The part
/// has no character that JSON escapes.
fn data_prefix(url: &str) -> Option<u32> {
    let (prefix, _) = url.split_once(',')?;
    let media_type = prefix.to_ascii_lowercase();
    let media_type = media_type.strip_prefix("data:image/")?;
    let media_type = media_type.strip_suffix(";base64")?;
    let (subtype, parameters) = media_type.split_once(';').unwrap_or((media_type, "="));
    let is_subtype = !subtype.is_empty()
        && subtype
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-'));
    let mut parameters = parameters.split(';');
    let are_parameters = parameters.all(|parameter| parameter.chars().any(|c| c == '='));
    let is_plain = prefix
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\'));
    (is_subtype && are_parameters && is_plain).then_some(prefix.len() as u32 + 1)
}
