//! The image as the caller passes it.

use contract::{IMAGE_URL, ImageFormat, Missing, Support, UnrecognizedFormat};
use js_sys::{JsString, RegExp, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Url;

use crate::error::{CallError, ErrorCode, Failure, Result};
use crate::js::{bytes, field, has_method};

/// The name of the option for an image in the browser's memory.
pub const IMAGE: &str = "image";

/// The length of the part of a `data:` URL in which its comma is searched, in UTF-16 units: that of a
/// media type with the percent-encoded name of a file, which has up to 255 bytes.
const MAX_DATA_PREFIX: u32 = 1024;

/// The length of the base64 from which the format is detected.
const DETECTED_BASE64: u32 = ImageFormat::DETECTED_BYTES as u32 / 3 * 4;

/// The caller's image, not read yet.
#[derive(Clone)]
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

/// Returns the format of an image from its first bytes, whoever reads it: the API may be another server.
///
/// # Errors
/// Fails if the format is unknown. The message names the option.
pub fn detect_format(option: &str, start: &[u8]) -> Result<ImageFormat> {
    ImageFormat::detect(start).ok_or_else(|| {
        let error = UnrecognizedFormat::new(start, |support| support != Support::Nowhere);
        Failure::new(ErrorCode::UnsupportedImage, format!("{option}: {error}")).into()
    })
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

/// Validates a `data:` URL as browsers do, without copying the image into the wasm: see
/// <https://infra.spec.whatwg.org/#forgiving-base64-decode>. The media type does not matter, except
/// that only SVG may be text instead of base64.
fn read_data_url(url: &JsString) -> Result<ImageInput> {
    let invalid_form = || {
        let expected = "data:image/<type>;base64,<image>";
        CallError::invalid_value(IMAGE_URL, url, expected)
    };
    let start = url.slice(0, MAX_DATA_PREFIX);
    let comma = u32::try_from(start.index_of(",", 0)).map_err(|_| invalid_form())?;
    let header = String::from(start.slice("data:".len() as u32, comma)).to_ascii_lowercase();
    let data = url.slice(comma + 1, url.length());
    let before = header.trim_ascii_end().strip_suffix("base64");
    if !before.is_some_and(|before| before.trim_ascii_end().ends_with(';')) {
        return match header.trim_ascii().starts_with("image/svg+xml") && data.length() > 0 {
            true => Ok(ImageInput::DataUrl(url.clone())),
            false => Err(invalid_form()),
        };
    }
    let start = decode_start(data)?;
    if start.is_empty() {
        let message = "image_url: the data: URL contains no image";
        return Err(Failure::new(ErrorCode::EmptyImage, message).into());
    }
    detect_format(IMAGE_URL, &start)?;
    Ok(ImageInput::DataUrl(url.clone()))
}

/// Checks the base64 of a `data:` URL, and returns the first bytes of the image.
///
/// # Errors
/// Fails if the base64 is invalid.
fn decode_start(mut base64: JsString) -> Result<Vec<u8>> {
    let invalid =
        || CallError::invalid_options("image_url: invalid base64 in data: URL (check the padding)");
    if base64.includes("%", 0) {
        base64 = decode_uri_component(&base64).map_err(|_| invalid())?;
    }
    let base64 = base64.replace_by_pattern(&RegExp::new(r"[\t\n\f\r ]+", "g"), "");
    // Negative if there is none.
    let outside_alphabet = base64.search(&RegExp::new("[^A-Za-z0-9+/]", ""));
    let end = u32::try_from(outside_alphabet).unwrap_or(base64.length());
    let padding = String::from(base64.slice(end, base64.length().min(end + 3)));
    let is_valid = match &*padding {
        "" => end % 4 != 1,
        "=" | "==" => base64.length().is_multiple_of(4),
        _ => false,
    };
    if !is_valid {
        return Err(invalid());
    }
    let start = base64.slice(0, DETECTED_BASE64);
    let start = String::from(decode_base64(&start).map_err(|_| invalid())?);
    // Each character is a byte.
    Ok(start.chars().map(|byte| byte as u8).collect())
}

// The bindings of js-sys and web-sys copy the text into the wasm, or are those of a window.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = decodeURIComponent, catch)]
    fn decode_uri_component(text: &JsString) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_name = atob, catch)]
    fn decode_base64(base64: &JsString) -> Result<JsString, JsValue>;
}
