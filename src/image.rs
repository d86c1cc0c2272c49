//! The picture as the caller gave it.

use alloc::string::String;
use js_sys::{ArrayBuffer, JsString, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::error::{Result, Thrown};
use crate::js::{RegExp, Url, field, tag};
use crate::options::refused;

/// A picture, opened by nobody yet.
pub enum Picture {
    Blob(Blob),
    Bytes(Uint8Array),
    /// An address that the API fetches by itself.
    Url(String),
    /// A checked `data:` URI, left where it lies: it may be large.
    DataUri(JsString),
}

impl Picture {
    /// The size in bytes of a picture that is encoded here; 0 for one that is text already.
    pub fn size(&self) -> f64 {
        match self {
            Self::Blob(blob) => blob.size(),
            Self::Bytes(bytes) => bytes.length().into(),
            Self::Url(_) | Self::DataUri(_) => 0.0,
        }
    }

    pub fn read(image: Option<JsValue>, image_url: Option<JsValue>) -> Result<Self> {
        match (image, image_url) {
            (Some(image), None) => binary(image),
            (None, Some(url)) => text(url),
            (None, None) => Err(Thrown::invalid(&[
                "image: missing; give the picture as image or its address as image_url",
            ])),
            (Some(_), Some(_)) => Err(Thrown::invalid(&[
                "image: came together with image_url; give one",
            ])),
        }
    }
}

fn binary(image: JsValue) -> Result<Picture> {
    // By tag and not by class: each frame has classes of its own.
    match &*tag(&image) {
        // A test environment's own need not be one that can be read.
        "[object Blob]" | "[object File]" if field(&image, "stream").is_function() => {
            Ok(Picture::Blob(image.unchecked_into()))
        }
        "[object ArrayBuffer]" | "[object SharedArrayBuffer]" => {
            Ok(Picture::Bytes(Uint8Array::new(&image)))
        }
        _ if ArrayBuffer::is_view(&image) => {
            let view: Uint8Array = image.unchecked_into();
            let bytes = Uint8Array::new_with_byte_offset_and_length(
                &view.buffer(),
                view.byte_offset(),
                view.byte_length(),
            );
            Ok(Picture::Bytes(bytes))
        }
        _ => {
            let allowed = "one File or Blob with a stream(), ArrayBuffer or view of one (an address goes into image_url)";
            Err(refused("image", &image, allowed))
        }
    }
}

fn text(given: JsValue) -> Result<Picture> {
    const ALLOWED: &str = "an https:, http: or base64 data: address of a picture";
    let Some(url) = given.dyn_ref::<JsString>() else {
        return Err(refused("image_url", &given, ALLOWED));
    };
    let start = String::from(url.slice(0, 8)).to_ascii_lowercase();
    if start.starts_with("data:") {
        return data_uri(url);
    }
    if !start.starts_with("https://") && !start.starts_with("http://")
        || Url::new(&String::from(url), &JsValue::UNDEFINED).is_err()
    {
        return Err(refused("image_url", &given, ALLOWED));
    }
    Ok(Picture::Url(url.into()))
}

/// Checks prefix and alphabet without copying the picture out of the caller's string.
fn data_uri(url: &JsString) -> Result<Picture> {
    // A type takes no more than this, so that the expression never looks at the picture.
    let start = url.slice(0, 200);
    let prefix = RegExp::new(
        "^data:image/[a-z0-9.+-]+(;[a-z0-9-]+=[^;,\"\\\\]*)*;base64,",
        "i",
    );
    let Some(prefix) = prefix.exec(&start) else {
        let allowed = "data:image/<type>;base64,<picture>";
        return Err(refused("image_url", url, allowed));
    };
    let prefix = prefix.text().length();
    let outside = RegExp::new("[^A-Za-z0-9+/]", "g");
    outside.set_last_index(prefix);
    let end = outside
        .exec(url)
        .map_or(url.length(), |found| found.index());
    let padding = String::from(url.slice(end, url.length().min(end + 3)));
    if !matches!(&*padding, "" | "=" | "==") || !(url.length() - prefix).is_multiple_of(4) {
        return Err(Thrown::invalid(&[
            "image_url: after the prefix of a data: address came what is no padded base64",
        ]));
    }
    if end == prefix {
        return Err(Thrown::image(&[
            "image_url: the data: address holds no picture",
        ]));
    }
    Ok(Picture::DataUri(url.clone()))
}
