//! The errors of calls, which JavaScript receives as `ImageTo3dError`.

use contract::{Invalid, Missing};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::call_state::{CallState, Sent};
use crate::js::describe;
use crate::retry::{self, AttemptFailure};

/// The kind of an error, for use in code; the message is for people.
///
/// - `invalid_options`: an option is missing, unknown or invalid.
/// - `unsupported_image`: the file is empty, unreadable, or not an image, or the API does not read it.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
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
    Internal,
}

/// The reason of an error, more precise than its kind. Stable, so that an app can choose its own text
/// for each code instead of `userMessage`. A code that has no finer meaning is named as its kind.
///
/// - `invalid_options`: an option is missing, unknown or invalid.
/// - `empty_image`: the file has no bytes.
/// - `unreadable_image`: the file was changed or moved, or is not on this device.
/// - `unsupported_image`: the file is not an image, or has an unknown format; or this project's server
///   rejected it, because it is damaged or of a format or kind that the server does not read.
/// - `undecodable_image`: `prepare` was requested, and the browser cannot decode the image.
/// - `image_too_large`: the API rejected the request because of its size (413), or the image because of
///   its pixels.
/// - `authentication`, `payment_required`, `not_found`, `rate_limited`: as the kinds.
/// - `server_error`: the API responded with a 5xx status.
/// - `unexpected_response`: the response is not from this API.
/// - `api`: the API responded with any other error.
/// - `network`, `timeout`, `session_failed`: as the kinds.
/// - `unsupported_browser`: the browser does not support the WebAssembly of this library.
/// - `internal`: a bug in this library, or the WebAssembly could not be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
// The last three are created in JavaScript: by `pkg/prepare.js` and by the package's loader.
#[allow(missing_docs, dead_code)]
pub enum ErrorCode {
    InvalidOptions,
    EmptyImage,
    UnreadableImage,
    UnsupportedImage,
    ImageTooLarge,
    Authentication,
    PaymentRequired,
    NotFound,
    RateLimited,
    ServerError,
    UnexpectedResponse,
    Api,
    Network,
    Timeout,
    SessionFailed,
    UndecodableImage,
    UnsupportedBrowser,
    Internal,
}

impl ErrorCode {
    /// Returns the kind that the code is part of.
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::InvalidOptions => ErrorKind::InvalidOptions,
            Self::EmptyImage
            | Self::UnreadableImage
            | Self::UnsupportedImage
            | Self::UndecodableImage => ErrorKind::UnsupportedImage,
            Self::Authentication => ErrorKind::Authentication,
            Self::PaymentRequired => ErrorKind::PaymentRequired,
            Self::NotFound => ErrorKind::NotFound,
            Self::RateLimited => ErrorKind::RateLimited,
            Self::ImageTooLarge | Self::ServerError | Self::UnexpectedResponse | Self::Api => {
                ErrorKind::Api
            }
            Self::Network => ErrorKind::Network,
            Self::Timeout => ErrorKind::Timeout,
            Self::SessionFailed => ErrorKind::SessionFailed,
            Self::UnsupportedBrowser | Self::Internal => ErrorKind::Internal,
        }
    }
}

/// The fields of an `ImageTo3dError` in addition to its messages.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetails {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The reason of the error, more precise than its kind.
    pub code: ErrorCode,
    /// Whether the API may have created a session nevertheless.
    pub sent: Sent,
    /// The HTTP status, if a response was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The number of seconds to wait before the next attempt, from the header `Retry-After`. On
    /// another origin than the page's, the server must expose this header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// The body of the response: the parsed JSON, or the text if it is not JSON.
    #[serde(
        default,
        skip_serializing_if = "JsValue::is_undefined",
        with = "serde_wasm_bindgen::preserve"
    )]
    #[tsify(type = "unknown", optional)]
    pub body: JsValue,
    /// The session as received last, if one was received.
    #[serde(
        default,
        skip_serializing_if = "JsValue::is_undefined",
        with = "serde_wasm_bindgen::preserve"
    )]
    #[tsify(type = "Session", optional)]
    pub session: JsValue,
    /// The value that was thrown, if the error was caused by one: by `fetch`, by the reading of the
    /// image, or by the loading of the WebAssembly. If it may contain the API key, it is replaced
    /// by an error with its name and its message.
    #[serde(
        default,
        skip_serializing_if = "JsValue::is_undefined",
        with = "serde_wasm_bindgen::preserve"
    )]
    #[tsify(type = "unknown", optional)]
    pub cause: JsValue,
}

/// A failure detected by this library or reported by the API.
#[derive(Debug)]
pub struct Failure {
    pub code: ErrorCode,
    pub message: String,
    pub status: Option<u16>,
    /// In seconds.
    pub retry_after: Option<f64>,
    /// The response: JSON or a string; `undefined` if there is none.
    pub body: JsValue,
    /// The thrown value that caused it; `undefined` if there is none.
    pub cause: JsValue,
    /// The retry rules' view of the failure.
    pub attempt: AttemptFailure,
}

/// Whether a poll of a session may succeed later, after one has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollOutlook {
    Permanent,
    Transient,
    /// Something between page and API has responded, such as the login page of a network.
    Intercepted,
}

impl Failure {
    /// Creates a failure without a response.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code,
            message: message.into(),
            status: None,
            retry_after: None,
            body: JsValue::UNDEFINED,
            cause: JsValue::UNDEFINED,
            attempt: AttemptFailure::Permanent,
        })
    }

    /// Creates the failure of a request without a usable response.
    pub fn network(message: impl Into<String>) -> Box<Self> {
        let mut failure = Self::new(ErrorCode::Network, message);
        failure.attempt = AttemptFailure::Network;
        failure
    }

    /// Adds the thrown value that caused the failure.
    pub fn with_cause(mut self: Box<Self>, cause: JsValue) -> Box<Self> {
        self.cause = cause;
        self
    }

    /// Returns whether the same poll may succeed later.
    pub fn poll_outlook(&self) -> PollOutlook {
        match (self.code.kind(), self.status) {
            (ErrorKind::Network | ErrorKind::RateLimited, _) => PollOutlook::Transient,
            (_, Some(status)) if retry::is_transient_status(status) => PollOutlook::Transient,
            // A success without a session, or a redirect, whose status browsers hide.
            (ErrorKind::Api, None | Some(200..400)) => PollOutlook::Intercepted,
            _ => PollOutlook::Permanent,
        }
    }

    /// Converts the failure to an `ImageTo3dError`, with the call's state and without its secrets.
    fn into_js(self, state: &CallState) -> JsValue {
        let redactor = &state.redactor;
        let details = ErrorDetails {
            kind: self.code.kind(),
            code: self.code,
            sent: state.sent(),
            status: self.status,
            retry_after: self.retry_after,
            body: redactor.redact_error(&self.body),
            session: state.take_session(),
            cause: redactor.redact_cause(&self.cause),
        };
        let details = serde_wasm_bindgen::to_value(&details).unwrap_or_default();
        let message = redactor.redact_error(&self.message.into());
        create_error(&message.as_string().unwrap_or_default(), &details)
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
        Failure::new(ErrorCode::InvalidOptions, message).into()
    }

    /// Creates the error for an option with a value that is not accepted.
    pub fn invalid_value(name: &str, received: &JsValue, expected: &str) -> Self {
        Self::invalid_options(Invalid::new(name, describe(received), expected).to_string())
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

impl From<Box<Invalid>> for CallError {
    fn from(invalid: Box<Invalid>) -> Self {
        Self::invalid_options(invalid.to_string())
    }
}

impl From<Missing> for CallError {
    fn from(missing: Missing) -> Self {
        Self::invalid_options(missing.to_string())
    }
}

pub type Result<T, E = CallError> = std::result::Result<T, E>;

// Defined in JavaScript, so that `instanceof` works before the wasm is loaded. A function instead of
// the constructor: Node.js prints the line of the source that creates an uncaught error, which would
// be one of the generated module.
#[cfg_attr(test, wasm_bindgen(module = "/pkg/error.js"))]
#[cfg_attr(not(test), wasm_bindgen(raw_module = "./shared.js"))]
extern "C" {
    #[wasm_bindgen(js_name = createError)]
    fn create_error(message: &str, details: &JsValue) -> JsValue;
}
