//! Responses in the API's envelope, and their CORS headers.

use contract::Envelope;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONNECTION, CONTENT_TYPE,
    HeaderValue, VARY,
};
use http::{HeaderName, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::delivery::Delivery;

/// A response with its whole body.
pub type Response = http::Response<Vec<u8>>;

/// Creates a success response with `data`.
pub fn success(status: StatusCode, message: &str, data: impl Serialize) -> Response {
    envelope(status, "", message, data)
}

/// Creates an error response.
pub fn error(status: StatusCode, message: &str) -> Response {
    let error = status.canonical_reason().unwrap_or("Error");
    envelope(status, error, message, Value::Null)
}

fn envelope(status: StatusCode, error: &str, message: &str, data: impl Serialize) -> Response {
    let envelope = Envelope {
        error: error.into(),
        message: message.into(),
        status_code: status.as_u16(),
        data,
    };
    let body = serde_json::to_vec(&envelope).unwrap_or_default();
    with_type(status, "application/json", body)
}

/// Creates a response without an envelope.
pub fn with_type(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    with_header(response, CONTENT_TYPE, HeaderValue::from_static(media_type))
}

/// Sets a header of a response.
pub fn with_header(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// Sets how a response is sent.
pub fn with_delivery(mut response: Response, delivery: Delivery) -> Response {
    response.extensions_mut().insert(delivery);
    response
}

/// Creates the response to a CORS preflight request.
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
        // A browser repeats a POST if the connection that it reused is closed before the first
        // byte of the response. Right after a preflight there is no connection to reuse.
        (CONNECTION, "close"),
    ] {
        response = with_header(response, name, HeaderValue::from_static(value));
    }
    response
}

/// Marks a response, as an extension, to be sent without CORS headers.
#[derive(Clone, Copy)]
pub struct WithoutCors;

/// Adds CORS headers unless they are already set. `origin` is the allowed origin; `None` denies
/// all.
pub fn with_cors(mut response: Response, origin: Option<HeaderValue>) -> Response {
    let without_cors = response.extensions().get::<WithoutCors>().is_some();
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let Some(origin) = origin.filter(|_| !without_cors) else {
        return response;
    };
    if origin != "*" {
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    let exposed = HeaderValue::from_static("retry-after");
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
    ] {
        headers.entry(name).or_insert(value);
    }
    response
}
