//! How a call fails: what JavaScript sees as an `ImageTo3dError`.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use js_sys::{JsString, Object};
#[cfg(feature = "typescript")]
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::js::{field, object, parse};
use crate::ledger::Ledger;
use crate::retry;

/// What went wrong, for code that has to decide. The message says it for people.
///
/// - `invalid_options`: an option is missing, unknown, or holds what is not allowed.
/// - `unsupported_image`: the picture is empty, cannot be read, or is no picture.
/// - `authentication`: the API refused the key (401, 403).
/// - `payment_required`: the account has no credit left (402).
/// - `not_found`: there is no such session or path (404).
/// - `rate_limited`: too many requests (429, and 400 where the API says so); see `retryAfter`.
/// - `api`: the API said no otherwise, or answered what is no answer of this API.
/// - `network`: no answer came. A page cannot tell a server that is off from a name that does not
///   resolve, a connection that broke, or a server that does not allow the page's origin (CORS).
/// - `timeout`: the whole call took longer than `timeout`; `session` is the last that was seen.
/// - `session_failed`: the session itself ended in a `*_failed` status; `session` is it.
/// - `internal`: a fault of this library, or a page that does not allow WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
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
    #[allow(dead_code)] // Said by the package's loader.
    Internal,
}

/// Whether the API may have created a session, and charged for it, before the call failed.
///
/// - `"no"`: nothing was sent that creates something.
/// - `"rejected"`: the API said no, and nothing was created.
/// - `"unknown"`: the request went out and no clear no came back: a session may exist, or does, where
///   the error's `session` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
pub enum Sent {
    /// Nothing was sent that creates something.
    No,
    /// The API said no.
    Rejected,
    /// The request went out, and no clear answer came back.
    Unknown,
}

impl ErrorKind {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidOptions => "invalid_options",
            Self::UnsupportedImage => "unsupported_image",
            Self::Authentication => "authentication",
            Self::PaymentRequired => "payment_required",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Api => "api",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::SessionFailed => "session_failed",
            Self::Internal => "internal",
        }
    }
}

impl Sent {
    fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// A failure of this library's or of the API's.
#[derive(Debug)]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
    pub status: Option<u16>,
    /// In seconds.
    pub retry_after: Option<f64>,
    /// The answer's text as it came.
    pub body: Option<JsString>,
}

impl Failure {
    /// The parts make the message.
    pub fn new(kind: ErrorKind, message: &[&str]) -> Box<Self> {
        Box::new(Self {
            kind,
            message: message.concat(),
            status: None,
            retry_after: None,
            body: None,
        })
    }

    /// Whether the same request may fare better later.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::Network | ErrorKind::RateLimited)
            || self.status.is_some_and(retry::is_passing)
    }

    /// The `ImageTo3dError`, with what the ledger knows and without the secrets that it keeps.
    fn into_js(self, ledger: &Ledger) -> JsValue {
        let body = self.body.map_or(JsValue::UNDEFINED, |text| {
            let text = ledger.hide(text);
            parse(&text).unwrap_or_else(|_| text.into())
        });
        let details = object(&[
            ("kind", self.kind.name().into()),
            ("sent", ledger.sent().name().into()),
            ("status", self.status.into()),
            ("retryAfter", self.retry_after.into()),
            ("body", body),
            ("session", ledger.session()),
        ]);
        let message = ledger.hide(self.message.into());
        ImageTo3dError::new(&message, &details).into()
    }
}

/// Why a call ended without a result.
#[derive(Debug)]
pub enum Thrown {
    /// Becomes an `ImageTo3dError`.
    Failure(Box<Failure>),
    /// The caller's own: a signal's reason, or what one of the caller's functions threw.
    Value(JsValue),
}

impl Thrown {
    /// An option that is not as it has to be. The parts make the message.
    pub fn invalid(message: &[&str]) -> Self {
        Failure::new(ErrorKind::InvalidOptions, message).into()
    }

    /// A picture that is none. The parts make the message.
    pub fn image(message: &[&str]) -> Self {
        Failure::new(ErrorKind::UnsupportedImage, message).into()
    }

    /// What JavaScript catches.
    pub fn into_js(self, ledger: &Ledger) -> JsValue {
        match self {
            Self::Failure(failure) => failure.into_js(ledger),
            Self::Value(value) => value,
        }
    }
}

impl From<Box<Failure>> for Thrown {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failure(failure)
    }
}

impl From<contract::Invalid> for Thrown {
    fn from(invalid: contract::Invalid) -> Self {
        Self::invalid(&[&invalid.to_string()])
    }
}

pub type Result<T, E = Thrown> = core::result::Result<T, E>;

/// What a foreign function threw, in words.
pub fn words(thrown: &JsValue) -> String {
    let message = |error: &JsValue| {
        let is_error = error.is_object();
        is_error
            .then(|| field(error, "message").as_string())
            .flatten()
    };
    if let Some(said) = message(thrown) {
        // Node says "fetch failed", and why only in the cause.
        return match message(&field(thrown, "cause")) {
            Some(cause) => [&said, " (", &cause, ")"].concat(),
            None => said,
        };
    }
    thrown
        .as_string()
        .unwrap_or_else(|| "no reason given".into())
}

// The class is there before the wasm is, and the same for both.
#[cfg_attr(feature = "std", wasm_bindgen(module = "/pkg/error.js"))]
#[cfg_attr(not(feature = "std"), wasm_bindgen(raw_module = "../error.js"))]
extern "C" {
    #[wasm_bindgen(js_name = ImageTo3dError)]
    type ImageTo3dError;
    #[wasm_bindgen(constructor, js_class = ImageTo3dError)]
    fn new(message: &JsString, details: &Object) -> ImageTo3dError;
}
