//! The options of a call that creates a session.

use alloc::format;
use alloc::string::String;

use contract::{IMAGE_URL, Parameters, quote};
use js_sys::{Function, JsString, Object};
use strum::VariantNames;
use wasm_bindgen::prelude::*;

use super::connection::{Connection, ConnectionOption, DEFAULT_TIMEOUT};
use super::define::define_options;
use super::object::{OptionsObject, is_known, names, plain_object};
use crate::error::{CallError, Result};
use crate::image::{IMAGE, ImageInput};
use crate::js::{JsonValue, error_message, field, set, stringify};

define_options! {
    /// The options of calls that create a session, in addition to the image and the parameters.
    enum CreateOption, interface CreateOptions {
        /// Additional parameters, added to the request body unchanged: for parameters of the API
        /// that are newer than this library. Must not contain names that the library knows.
        Extra = "extra": "Record<string, unknown>",
        /// Sent as `Idempotency-Key`. A server that supports it (such as the one of this project)
        /// creates one session for repeated requests with the same key, so the library retries the
        /// request after any transient failure. The documented service is not known to support it.
        IdempotencyKey = "idempotencyKey": "string",
        /// Called while the image is read and encoded, and once when the request is passed to
        /// `fetch`. If the function throws, the call rejects with that exception.
        OnProgress = "onProgress": "(progress: Progress) => void",
    }
}

/// The names of all options of a call that creates a session.
pub const CREATE_OPTIONS: [&[&str]; 4] = [
    Parameters::NAMES,
    &[IMAGE, IMAGE_URL],
    CreateOption::VARIANTS,
    ConnectionOption::VARIANTS,
];

/// The options of `createSession`.
pub struct Create {
    pub image: ImageInput,
    /// The parameters and `extra` as a JSON object.
    pub json: JsString,
    pub idempotency_key: Option<String>,
    pub on_progress: Option<Function>,
}

impl Create {
    /// Reads the options of `createSession`.
    pub fn read(options: &JsValue) -> Result<(Self, Connection)> {
        let options = OptionsObject::read(options, &CREATE_OPTIONS)?;
        Self::read_from(&options, DEFAULT_TIMEOUT)
    }

    /// Reads the options of a call that creates a session. `default_timeout` is in milliseconds.
    pub fn read_from(options: &OptionsObject, default_timeout: f64) -> Result<(Self, Connection)> {
        let parameters = parameters(options)?;
        if is_turbo(options) && field(&parameters, "generate_texture").is_truthy() {
            warn("csm-image-to-3d: generate_texture has no effect with preview_mesh \"turbo\"");
        }
        let create = Self {
            image: ImageInput::read(options.get(IMAGE), options.get(IMAGE_URL))?,
            json: request_json(parameters, options.get(CreateOption::Extra))?,
            idempotency_key: options.header(CreateOption::IdempotencyKey)?,
            on_progress: options.function(CreateOption::OnProgress)?,
        };
        Ok((create, Connection::read(options, default_timeout)?))
    }
}

/// Whether the session pauses for the selection of a spin.
pub fn is_turbo(options: &OptionsObject) -> bool {
    let mesh = options.get("preview_mesh");
    mesh.and_then(|mesh| mesh.as_string()).as_deref() == Some("turbo")
}

/// Returns the valid parameters among the options.
pub fn parameters(options: &OptionsObject) -> Result<Object> {
    Parameters::read(|name| options.get(name).map(JsonValue))?;
    let parameters = Object::new();
    for &name in Parameters::NAMES {
        if let Some(value) = options.get(name) {
            set(&parameters, name, &value);
        }
    }
    Ok(parameters)
}

/// Returns the parameters and `extra` as one JSON object.
fn request_json(parameters: Object, extra: Option<JsValue>) -> Result<JsString> {
    if let Some(extra) = extra {
        let extra = plain_object(&extra).ok_or_else(|| {
            CallError::invalid_value("extra", &extra, "an object of additional parameters")
        })?;
        for name in names(&extra) {
            if is_known(&name, &CREATE_OPTIONS) {
                let name = quote(&name);
                return Err(CallError::invalid_options(format!(
                    "extra must not contain {name}: pass it as an option"
                )));
            }
            set(&parameters, &name, &field(&extra, &name));
        }
    }
    stringify(&parameters, &JsValue::UNDEFINED).map_err(|thrown| {
        let reason = error_message(&thrown);
        CallError::invalid_options(format!("extra cannot be converted to JSON: {reason}"))
    })
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn warn(message: &str);
}
