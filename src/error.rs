//! How a call fails: what JavaScript sees as an `ImageTo3dError`.

use std::cell::RefCell;

use js_sys::{Array, Function, JsString, Reflect};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Tsify)]
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
    #[allow(dead_code)] // Said by the package's loader.
    Internal,
}

/// Whether the API may have created a session, and charged for it, before the call failed.
///
/// - `"no"`: nothing was sent that creates something.
/// - `"rejected"`: the API said no, and nothing was created.
/// - `"unknown"`: the request went out and no clear no came back: a session may exist, or does, where
///   the error's `session` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Nothing was sent that creates something.
    No,
    /// The API said no.
    Rejected,
    /// The request went out, and no clear answer came back.
    Unknown,
}

/// What an `ImageTo3dError` holds beside its message.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct ErrorDetails {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Whether the API may have created a session all the same.
    pub sent: Sent,
    /// The HTTP status, where the API answered.
    #[tsify(optional)]
    pub status: Option<u16>,
    /// How many seconds to wait before the next try, where the API said so and the page may read
    /// it (`Retry-After`; from another origin only if the server exposes that header).
    #[tsify(optional)]
    pub retry_after: Option<f64>,
    /// What the API answered: the parsed JSON, or the text where it is none.
    #[tsify(type = "unknown", optional)]
    pub body: JsValue,
    /// The session as it was last seen, where the call had seen one.
    #[tsify(type = "Session", optional)]
    pub session: JsValue,
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
        ERROR_CLASS.with_borrow(|class| match class {
            Some(class) => Reflect::construct(class, &Array::of2(&message, &details))
                .unwrap_or_else(|thrown| thrown),
            // Only where the wasm is used without the package's entry.
            None => message.into(),
        })
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
        let contract::Invalid {
            field,
            came,
            allowed,
        } = invalid;
        Self::invalid(&[field, ": came ", &came, ", allowed: ", &allowed])
    }
}

pub type Result<T, E = Thrown> = std::result::Result<T, E>;

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

thread_local! {
    static ERROR_CLASS: RefCell<Option<Function>> = const { RefCell::new(None) };
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Says which class failures are made of: the one that the package's entry exports.
#[wasm_bindgen(js_name = setErrorClass)]
#[doc(hidden)]
pub fn set_error_class(#[wasm_bindgen(unchecked_param_type = "Function")] error_class: Function) {
    ERROR_CLASS.set(Some(error_class));
}

/// Says what is told of a panic. It ends the instance; the next call of any export finds a new
/// one, which knows nothing of what was set in this one.
#[wasm_bindgen(js_name = onPanic)]
#[doc(hidden)]
pub fn on_panic(
    #[wasm_bindgen(unchecked_param_type = "(message: string) => void")] tell: Function,
) {
    ON_PANIC.set(Some(tell));
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        ON_PANIC.with_borrow(|tell| {
            if let Some(tell) = tell {
                // There is nobody to tell of a failure here.
                let _ = tell.call1(&JsValue::UNDEFINED, &message.into());
            }
        });
        wasm_bindgen::handler::schedule_reinit();
    }));
}
