//! Why requests are refused.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::Response;
use crate::answer::{refused, with_header};
use crate::store::StoreError;

/// Why a request is not answered with what it asks for.
pub enum Refusal {
    Because(StatusCode, String),
    /// There is too much to do already; in so many seconds there may be less.
    Busy(u64),
    /// The fault is here.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Because(status, words) => refused(status, &words),
            Refusal::Busy(seconds) => {
                let words = format!(
                    "as many sessions as this server takes have work before them; try again in \
                     {seconds} s"
                );
                let response = refused(StatusCode::TOO_MANY_REQUESTS, &words);
                with_header(response, RETRY_AFTER, HeaderValue::from(seconds))
            }
            Refusal::Store(error) => {
                let words = format!("the sessions cannot be stored or read: {error}");
                refused(StatusCode::INTERNAL_SERVER_ERROR, &words)
            }
        }
    }
}

pub fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::Because(StatusCode::BAD_REQUEST, reason.into())
}

/// Nothing is wrong with the request as such: at another time it would do.
pub fn conflict(reason: impl Into<String>) -> Refusal {
    Refusal::Because(StatusCode::CONFLICT, reason.into())
}

pub fn missing(what: impl Into<String>) -> Refusal {
    Refusal::Because(StatusCode::NOT_FOUND, what.into())
}

pub fn no_session(code: &str) -> Refusal {
    missing(format!("there is no session {code}"))
}
