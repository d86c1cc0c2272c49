//! The options of a call that creates a session.

use alloc::string::String;
use contract::{IMAGE_URL, Parameters};
use js_sys::{Function, JsString, Object};
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection, DEFAULT_TIMEOUT};
use super::fields::{Fields, is_known, names, plain_object, refused};
use crate::error::{Result, Thrown, words};
use crate::image::Picture;
use crate::js::{Given, field, set, stringify};

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
        let known = [Parameters::NAMES, &CREATE, &CONNECTION];
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
    Parameters::read(|name| fields.get(name).map(Given))?;
    let parameters = Object::new();
    for &name in Parameters::NAMES {
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
            if is_known(&name, &[Parameters::NAMES, &CREATE, &CONNECTION]) {
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
