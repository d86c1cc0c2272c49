//! Responses in the API's envelope.

use contract::{Envelope, ImageErrorCode};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderName, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::delivery::Delivery;

/// A response with its whole body.
pub type Response = http::Response<Vec<u8>>;

/// Creates a success response with `data`.
pub fn success(status: StatusCode, message: &str, data: impl Serialize) -> Response {
    envelope(status, "", message, None, data)
}

/// Creates a success response without a body.
pub fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Creates an error response.
pub fn error(status: StatusCode, message: &str) -> Response {
    let error = status.canonical_reason().unwrap_or("Error");
    envelope(status, error, message, None, Value::Null)
}

/// Creates the response to a request whose image is rejected.
pub fn image_error(code: ImageErrorCode, message: &str) -> Response {
    let status = StatusCode::BAD_REQUEST;
    envelope(status, "Bad Request", message, Some(code), Value::Null)
}

fn envelope(
    status: StatusCode,
    error: &str,
    message: &str,
    code: Option<ImageErrorCode>,
    data: impl Serialize,
) -> Response {
    let envelope = Envelope {
        error: error.into(),
        message: message.into(),
        status_code: status.as_u16(),
        code,
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

/// Removes the body of the response to a `HEAD` request, whose headers tell the length.
pub fn without_body(response: Response) -> Response {
    let length = HeaderValue::from(response.body().len());
    with_header(response.map(|_| Vec::new()), CONTENT_LENGTH, length)
}

/// Sets a header of a response.
pub fn with_header(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// The text of the status line, for clients that show nothing else of an error response. An extension of
/// the response.
#[derive(Clone, Debug)]
pub struct StatusText(pub String);

/// Sets the text of the status line.
pub fn with_status_text(mut response: Response, text: String) -> Response {
    response.extensions_mut().insert(StatusText(text));
    response
}

/// Sets how a response is sent.
pub fn with_delivery(mut response: Response, delivery: Delivery) -> Response {
    response.extensions_mut().insert(delivery);
    response
}
