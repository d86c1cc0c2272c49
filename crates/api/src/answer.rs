//! Answers in the API's envelope, readable by pages of any origin.

use contract::Envelope;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONNECTION, CONTENT_TYPE,
    HeaderValue, VARY,
};
use http::{HeaderName, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::Response;

/// `data`, and what was done.
pub fn done(status: StatusCode, message: &str, data: impl Serialize) -> Response {
    enveloped(status, "", message, data)
}

/// Why nothing was done.
pub fn refused(status: StatusCode, message: &str) -> Response {
    let error = status.canonical_reason().unwrap_or("Error");
    enveloped(status, error, message, Value::Null)
}

fn enveloped(status: StatusCode, error: &str, message: &str, data: impl Serialize) -> Response {
    let envelope = Envelope {
        error: error.into(),
        message: message.into(),
        status_code: status.as_u16(),
        data,
    };
    let body = serde_json::to_vec(&envelope).unwrap_or_default();
    with_type(status, "application/json", body)
}

/// Any body with its media type.
pub fn with_type(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    with_header(response, CONTENT_TYPE, HeaderValue::from_static(media_type))
}

pub fn with_header(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// The answer to the question whether a page may send a request.
pub fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "x-api-key, content-type, idempotency-key",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        // A browser sends a POST again by itself when the connection that it reused dies before
        // any byte of the answer. Right after a preflight there is none to reuse this way.
        (CONNECTION, "close"),
    ] {
        response = with_header(response, name, HeaderValue::from_static(value));
    }
    response
}

/// In an answer's extensions: pages of other origins must not be able to read it.
#[derive(Clone, Copy)]
pub struct WithoutCors;

/// Lets the page read the answer, where nothing else was said. `page` is who may; nobody where it is
/// `None`.
pub fn with_cors(mut response: Response, page: Option<HeaderValue>) -> Response {
    let hidden = response.extensions().get::<WithoutCors>().is_some();
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let Some(page) = page.filter(|_| !hidden) else {
        return response;
    };
    if page != "*" {
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    let exposed = HeaderValue::from_static("retry-after");
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, page),
        (ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
    ] {
        headers.entry(name).or_insert(value);
    }
    response
}
