//! The image as the caller passes it.

use alloc::string::String;

use contract::{IMAGE_URL, Missing};
use js_sys::{ArrayBuffer, JsString, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::error::{CallError, Result};
use crate::js::{RegExp, Url, field, object_tag};

/// The name of the option for an image in the browser's memory.
pub const IMAGE: &str = "image";

/// The length of the part of a `data:` URL in which its prefix is searched, in UTF-16 units. Longer
/// than any media type, so that the expression never runs over the image.
const MAX_DATA_PREFIX: u32 = 200;

/// The caller's image, not read yet.
pub enum ImageInput {
    Blob(Blob),
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
            Self::Blob(blob) => blob.size(),
            Self::Bytes(bytes) => bytes.length().into(),
            Self::Url(_) | Self::DataUrl(_) => 0.0,
        }
    }
}

fn read_image(image: JsValue) -> Result<ImageInput> {
    // By tag instead of `instanceof`, since each frame has its own classes.
    match &*object_tag(&image) {
        // The `Blob` of jsdom has no `stream`, and cannot be read.
        "[object Blob]" | "[object File]" if field(&image, "stream").is_function() => {
            Ok(ImageInput::Blob(image.unchecked_into()))
        }
        "[object ArrayBuffer]" | "[object SharedArrayBuffer]" => {
            Ok(ImageInput::Bytes(Uint8Array::new(&image)))
        }
        _ if ArrayBuffer::is_view(&image) => {
            let view: Uint8Array = image.unchecked_into();
            let bytes = Uint8Array::new_with_byte_offset_and_length(
                &view.buffer(),
                view.byte_offset(),
                view.byte_length(),
            );
            Ok(ImageInput::Bytes(bytes))
        }
        _ => {
            let expected = "a File, Blob with stream(), ArrayBuffer or ArrayBufferView (pass a URL \
                            as image_url)";
            Err(CallError::invalid_value(IMAGE, &image, expected))
        }
    }
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
    Url::new(&url, &JsValue::UNDEFINED).map_err(|_| invalid())?;
    Ok(ImageInput::Url(url))
}

/// Validates the prefix, the alphabet and the padding without copying the image into the wasm.
fn read_data_url(url: &JsString) -> Result<ImageInput> {
    let start = url.slice(0, MAX_DATA_PREFIX);
    let prefix = RegExp::new(
        "^data:image/[a-z0-9.+-]+(;[a-z0-9-]+=[^;,\"\\\\]*)*;base64,",
        "i",
    );
    let Some(prefix) = prefix.exec(&start) else {
        let expected = "data:image/<type>;base64,<image>";
        return Err(CallError::invalid_value(IMAGE_URL, url, expected));
    };
    let prefix = prefix.text().length();
    let outside_alphabet = RegExp::new("[^A-Za-z0-9+/]", "g");
    outside_alphabet.set_last_index(prefix);
    let end = outside_alphabet
        .exec(url)
        .map_or(url.length(), |found| found.index());
    let padding = String::from(url.slice(end, url.length().min(end + 3)));
    if !matches!(&*padding, "" | "=" | "==") || !(url.length() - prefix).is_multiple_of(4) {
        return Err(CallError::invalid_options(
            "image_url: invalid base64 in data: URL (check the padding)",
        ));
    }
    if end == prefix {
        return Err(CallError::unsupported_image(
            "image_url: the data: URL contains no image",
        ));
    }
    Ok(ImageInput::DataUrl(url.clone()))
}
