//! The errors of calls, which JavaScript receives as `ImageTo3dError`.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use contract::{Invalid, Missing};
use js_sys::{JsString, Object};
use strum::IntoStaticStr;
#[cfg(feature = "typescript")]
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::call_state::CallState;
use crate::js::{describe, object, parse};
use crate::retry;

/// The kind of an error, for use in code; the message is for people.
///
/// - `invalid_options`: an option is missing, unknown or invalid.
/// - `unsupported_image`: the file is empty, unreadable, or not an image.
/// - `authentication`: the API rejected the key (401, 403).
/// - `payment_required`: the account has no credits left (402).
/// - `not_found`: the session or the path does not exist (404).
/// - `rate_limited`: too many requests (429, or a 400 whose message says so); see `retryAfter`.
/// - `api`: any other error response, or a response that is not from this API.
/// - `network`: no response was received. A web page cannot tell whether the server is down, its
///   name does not resolve, the connection broke, or the server does not allow the page's origin
///   (CORS).
/// - `timeout`: the call took longer than `timeout`; `session` is the session as received last.
/// - `session_failed`: the session ended with a `*_failed` status; `session` is that session.
/// - `internal`: a bug in this library, or WebAssembly is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum ErrorKind {
    InvalidOptions,
    UnsupportedImage,
    Authentication,
    PaymentRequired,
    NotFound,
    RateLimited,
    Api,
    Network,
    Timeout,
    SessionFailed,
    #[allow(dead_code)] // Created by the package's loader, in JavaScript.
    Internal,
}

/// A failure detected by this library or reported by the API.
#[derive(Debug)]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
    pub status: Option<u16>,
    /// In seconds.
    pub retry_after: Option<f64>,
    /// The text of the response.
    pub body: Option<JsString>,
}

impl Failure {
    /// Creates a failure without a response.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            message: message.into(),
            status: None,
            retry_after: None,
            body: None,
        })
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Network | ErrorKind::RateLimited)
            || self.status.is_some_and(retry::is_transient_status)
    }

    /// Converts the failure to an `ImageTo3dError`, with the call's state and without its secrets.
    fn into_js(self, state: &CallState) -> JsValue {
        let body = self.body.map_or(JsValue::UNDEFINED, |text| {
            let text = state.redactor.redact_error(text);
            parse(&text).unwrap_or_else(|_| text.into())
        });
        let kind: &str = self.kind.into();
        let sent: &str = state.sent().into();
        let details = object(&[
            ("kind", kind.into()),
            ("sent", sent.into()),
            ("status", self.status.into()),
            ("retryAfter", self.retry_after.into()),
            ("body", body),
            ("session", state.take_session()),
        ]);
        let message = state.redactor.redact_error(self.message.into());
        ImageTo3dError::new(&message, &details).into()
    }
}

/// The reason why a call ended without a result.
#[derive(Debug)]
pub enum CallError {
    /// Becomes an `ImageTo3dError`.
    Failure(Box<Failure>),
    /// A value that JavaScript threw, passed on unchanged: the reason of the caller's signal, or the
    /// exception of a caller's function.
    Js(JsValue),
}

impl CallError {
    /// Creates an error of the kind `invalid_options`.
    pub fn invalid_options(message: impl Into<String>) -> Self {
        Failure::new(ErrorKind::InvalidOptions, message).into()
    }

    /// Creates the error for an option with a value that is not accepted.
    pub fn invalid_value(name: &str, received: &JsValue, expected: &str) -> Self {
        Invalid::new(name, describe(received), expected).into()
    }

    /// Creates an error of the kind `unsupported_image`.
    pub fn unsupported_image(message: impl Into<String>) -> Self {
        Failure::new(ErrorKind::UnsupportedImage, message).into()
    }

    /// Converts the error to the value that JavaScript catches.
    pub fn into_js(self, state: &CallState) -> JsValue {
        match self {
            Self::Failure(failure) => failure.into_js(state),
            Self::Js(value) => value,
        }
    }
}

impl From<Box<Failure>> for CallError {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failure(failure)
    }
}

impl From<JsValue> for CallError {
    fn from(thrown: JsValue) -> Self {
        Self::Js(thrown)
    }
}

impl From<Invalid> for CallError {
    fn from(invalid: Invalid) -> Self {
        Self::invalid_options(invalid.to_string())
    }
}

impl From<Missing> for CallError {
    fn from(missing: Missing) -> Self {
        Self::invalid_options(missing.to_string())
    }
}

pub type Result<T, E = CallError> = core::result::Result<T, E>;

// Defined in JavaScript, so that `instanceof` works before the wasm is loaded.
#[cfg_attr(feature = "std", wasm_bindgen(module = "/pkg/error.js"))]
#[cfg_attr(not(feature = "std"), wasm_bindgen(raw_module = "../error.js"))]
extern "C" {
    #[wasm_bindgen(js_name = ImageTo3dError)]
    type ImageTo3dError;
    #[wasm_bindgen(constructor, js_class = ImageTo3dError)]
    fn new(message: &JsString, details: &Object) -> ImageTo3dError;
}
