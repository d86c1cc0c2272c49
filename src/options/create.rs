//! The options of a call that creates a session.

use contract::{IMAGE_URL, Parameters};
use js_sys::{Function, JsString, Object};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection, DEFAULT_TIMEOUT};
use super::fields::{Fields, is_known, names, plain_object, refused};
use crate::error::{Result, Thrown, words};
use crate::image::Picture;
use crate::js::{Given, field, set, stringify};

/// How far the picture, or the model, is on its way.
#[derive(Tsify)]
#[allow(dead_code)]
pub struct Progress {
    /// `"encoding"`: the picture is being read and encoded. `"sending"`: the request has been
    /// handed to `fetch`, which reports no upload progress. `"downloading"`: the model is coming.
    pub phase: Phase,
    /// Bytes of the picture that are encoded, or of the model that have come.
    pub loaded: f64,
    /// Bytes in all; 0 where the server does not say how many.
    pub total: f64,
}

/// What a call is doing.
#[derive(Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, missing_docs)]
pub enum Phase {
    Encoding,
    Sending,
    Downloading,
}

/// What only a request that creates something takes.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct CreateOptions {
    /// Further parameters, put into the request's body as they are: for parameters of the API
    /// that are newer than this library. A name that the library knows is an error here.
    #[tsify(type = "Record<string, unknown>", optional)]
    extra: JsValue,
    /// Sent as `Idempotency-Key`, for servers that honour it (the one of this project does):
    /// the same key and request twice make one session, and so the call may be sent again after
    /// any failure. The documented service is not known to honour it.
    #[tsify(type = "string", optional)]
    idempotency_key: JsValue,
    /// Called while the picture is read and encoded, and once when the request is handed to
    /// `fetch`. What it throws ends the call.
    #[tsify(type = "(progress: Progress) => void", optional)]
    on_progress: JsValue,
}

/// The picture: exactly one of `image` and `image_url`.
///
/// - `image`: a picture as the browser has it. What it is, is told from its first bytes; its
///   `type` and its name do not matter. PNG, JPEG, WebP, GIF, BMP, AVIF, HEIC and TIFF are known.
/// - `image_url`: an `https:` or `http:` URL that the API can reach, or the picture as a base64
///   `data:` URI. Who has a large picture does better with `image`.
#[derive(Tsify)]
#[serde(untagged)]
#[allow(dead_code, missing_docs)]
pub enum ImageSource {
    Image {
        #[tsify(type = "File | Blob | ArrayBuffer | ArrayBufferView")]
        image: JsValue,
        #[tsify(type = "never", optional)]
        image_url: JsValue,
    },
    Url {
        #[tsify(type = "never", optional)]
        image: JsValue,
        image_url: String,
    },
}

/// What `createSession` takes.
#[derive(Tsify)]
#[tsify(type = "ImageSource & Parameters & CreateOptions & ConnectionOptions")]
pub struct CreateSessionOptions;

pub(super) const CREATE: [&str; 5] = ["image", IMAGE_URL, "extra", "idempotencyKey", "onProgress"];

/// The options of one `createSession`.
pub struct Create {
    pub picture: Picture,
    /// The parameters and `extra`, as one JSON object.
    pub json: JsString,
    pub idempotency_key: Option<String>,
    pub on_progress: Option<Function>,
}

impl Create {
    /// Reads the options of `createSession`.
    pub fn read(options: &JsValue) -> Result<(Self, Connection)> {
        let known = [&Parameters::NAMES[..], &CREATE, &CONNECTION];
        Self::from(&Fields::read(options, &known)?, DEFAULT_TIMEOUT)
    }

    pub(super) fn from(fields: &Fields, timeout: f64) -> Result<(Self, Connection)> {
        let parameters = parameters(fields)?;
        if fields.is_turbo() && field(&parameters, "generate_texture").is_truthy() {
            warn("csm-image-to-3d: generate_texture has no effect with preview_mesh \"turbo\"");
        }
        let create = Self {
            picture: Picture::read(fields.get("image"), fields.get(IMAGE_URL))?,
            json: body_json(parameters, fields.get("extra"))?,
            idempotency_key: fields.idempotency_key()?,
            on_progress: fields.function("onProgress")?,
        };
        Ok((create, Connection::read(fields, timeout)?))
    }
}

impl Fields {
    /// Whether the session is to stop at its spins.
    pub(super) fn is_turbo(&self) -> bool {
        let mesh = self.get("preview_mesh").and_then(|mesh| mesh.as_string());
        mesh.as_deref() == Some("turbo")
    }
}

/// The parameters among the options, checked.
pub(super) fn parameters(fields: &Fields) -> Result<Object> {
    Parameters::check(&|name| fields.get(name).map(Given))?;
    let parameters = Object::new();
    for name in Parameters::NAMES {
        if let Some(value) = fields.get(name) {
            set(&parameters, name, &value);
        }
    }
    Ok(parameters)
}

/// The parameters and `extra` as one JSON object, written by the browser.
fn body_json(body: Object, extra: Option<JsValue>) -> Result<JsString> {
    if let Some(extra) = extra {
        let extra = plain_object(&extra)
            .ok_or_else(|| refused("extra", &extra, "an object with further parameters"))?;
        for name in names(&extra) {
            if is_known(&name, &[&Parameters::NAMES, &CREATE, &CONNECTION]) {
                return Err(Thrown::invalid(&[
                    "extra.",
                    &name,
                    ": the library knows this one: give it as an option",
                ]));
            }
            set(&body, &name, &field(&extra, &name));
        }
    }
    stringify(&body, &JsValue::UNDEFINED)
        .map_err(|thrown| Thrown::invalid(&["extra: cannot be written as JSON: ", &words(&thrown)]))
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn warn(message: &str);
}
