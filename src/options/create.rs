//! The options of a call that creates a session.

use contract::{IMAGE_URL, Parameters, PreviewMesh, quote};
use js_sys::{Function, JSON};
use strum::VariantNames;
use wasm_bindgen::prelude::*;
use web_sys::console;

use super::connection::{Connection, ConnectionOption, DEFAULT_TIMEOUT};
use super::define::define_options;
use super::object::{OptionsObject, is_known, is_plain_object, read_fields};
use crate::error::{CallError, ErrorCode, Failure, Result};
use crate::image::{IMAGE, ImageInput};
use crate::js::{JsonValue, error_message, from_fields};

define_options! {
    /// The options of calls that create a session, in addition to the image and the parameters.
    enum CreateOption, interface CreateOptions {
        /// Additional parameters, added to the request body unchanged: for parameters of the API
        /// that are newer than this library. Must not contain names that the library knows.
        Extra = "extra": "Record<string, unknown> | undefined",
        /// Sent as `Idempotency-Key`. A server that supports it (such as the one of this project)
        /// creates one session for repeated requests with the same key, so the library retries the
        /// request after any transient failure. The documented service is not known to support it.
        IdempotencyKey = "idempotencyKey": "string | undefined",
        /// Called while the image is prepared, read and encoded, and once when the request is passed
        /// to `fetch`. If the function throws, the call rejects with that exception.
        OnProgress = "onProgress": "((progress: Progress) => void) | undefined",
        /// Whether the browser prepares `image` for the upload: `true`, or options. Default: `false`,
        /// the bytes are sent unchanged.
        ///
        /// The browser decodes the image, turns it upright, converts it to sRGB, scales it down and
        /// encodes it again, without EXIF and other metadata. So a photo taken with a phone needs a fraction
        /// of its upload, and formats that the server cannot read work if the browser can. Requires
        /// `OffscreenCanvas`.
        Prepare = "prepare": "boolean | PrepareOptions | undefined",
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
    pub parameters: Parameters,
    /// The parameters and `extra` as a JSON object.
    pub json: String,
    pub idempotency_key: Option<String>,
    pub on_progress: Option<Function>,
    /// `None` if the image is sent unchanged.
    pub prepare: Option<JsValue>,
}

impl Create {
    /// Reads the options of `createSession`.
    pub fn read(options: &JsValue) -> Result<(Self, Connection)> {
        let options = OptionsObject::read(options, &CREATE_OPTIONS)?;
        Self::read_from(&options, DEFAULT_TIMEOUT)
    }

    /// Reads the options of a call that creates a session. `default_timeout` is in milliseconds.
    pub fn read_from(options: &OptionsObject, default_timeout: f64) -> Result<(Self, Connection)> {
        let parameters = read_parameters(options)?;
        if parameters.preview_mesh == Some(PreviewMesh::Turbo)
            && parameters.generate_texture == Some(true)
        {
            let warning =
                "csm-image-to-3d: generate_texture has no effect with preview_mesh \"turbo\"";
            console::warn_1(&warning.into());
        }
        let extra = read_extra(options.get(CreateOption::Extra))?;
        let create = Self {
            image: ImageInput::read(options.get(IMAGE), options.get(IMAGE_URL))?,
            prepare: options
                .get(CreateOption::Prepare)
                .filter(|prepare| prepare != &false),
            json: request_json(&parameters, extra)?,
            parameters,
            idempotency_key: options.header(CreateOption::IdempotencyKey)?,
            on_progress: options.function(CreateOption::OnProgress)?,
        };
        Ok((create, Connection::read(options, default_timeout)?))
    }
}

/// Reads the valid parameters among the options.
pub fn read_parameters(options: &OptionsObject) -> Result<Parameters> {
    Ok(Parameters::read(|name| options.get(name).map(JsonValue))?)
}

fn read_extra(extra: Option<JsValue>) -> Result<Vec<(String, JsValue)>> {
    let Some(extra) = extra else {
        return Ok(Vec::new());
    };
    if !is_plain_object(&extra) {
        let expected = "an object of additional parameters";
        return Err(CallError::invalid_value("extra", &extra, expected));
    }
    let fields = read_fields("field of extra", &extra)?;
    match fields
        .iter()
        .find(|(name, _)| is_known(name, &CREATE_OPTIONS))
    {
        Some((name, _)) => {
            let name = quote(name);
            Err(CallError::invalid_options(format!(
                "extra must not contain {name}: pass it as an option"
            )))
        }
        None => Ok(fields),
    }
}

/// Returns the parameters and further fields as one JSON object.
pub fn request_json(parameters: &Parameters, more: Vec<(String, JsValue)>) -> Result<String> {
    let parameters = serde_wasm_bindgen::to_value(parameters).map_err(JsValue::from)?;
    let mut fields = read_fields("parameter", &parameters)?;
    fields.extend(more);
    let json = JSON::stringify(&from_fields(fields)).map_err(|thrown| {
        let reason = error_message(&thrown);
        let message = format!("extra cannot be converted to JSON: {reason}");
        Failure::new(ErrorCode::InvalidOptions, message).with_cause(thrown)
    })?;
    // A method `toJSON` in `extra` may return anything.
    let json = json.as_string().filter(|json| json.starts_with('{'));
    json.ok_or_else(|| CallError::invalid_options("extra cannot be converted to a JSON object"))
}
