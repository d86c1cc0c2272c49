//! Parsing of API responses and conversion of error responses to failures.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;

use crate::error::{ErrorKind, Failure};
use crate::js::{RegExp, field, parse, stringify, text, truncate};
use crate::redactor::Redactor;
use crate::transport::RawResponse;

/// The number of UTF-16 units of an unexpected body that a message repeats at most.
const MAX_EXCERPT: u32 = 200;

/// Returns the `data` of the response's envelope, which is an object.
///
/// # Errors
/// Fails if the response is a redirect, has an error status, or is not from this API.
pub fn parse_envelope(
    response: &RawResponse,
    redactor: &Redactor,
) -> Result<JsValue, Box<Failure>> {
    let mut failure = if response.is_redirect() {
        let message = "The server responded with a redirect, which is not followed because it \
                       would forward the API key. Set baseUrl to the target of the redirect.";
        Failure::new(ErrorKind::Api, message)
    } else if (200..300).contains(&response.status) {
        let text = redactor.redact_result(response.text.clone());
        let data = field(&parse(&text).unwrap_or_default(), "data");
        if data.is_object() {
            return Ok(data);
        }
        unexpected_body(response)
    } else {
        error_response(response)
    };
    failure.status = (response.status > 0).then_some(response.status);
    failure.body = (response.text.length() > 0).then(|| response.text.clone());
    Err(failure)
}

/// Checks the fields that the library needs of a session: its code and its status, in the older or
/// the newer form.
///
/// # Errors
/// Fails if one of them is missing.
pub fn check_session(data: &JsValue) -> Result<(), Box<Failure>> {
    let has = |name| field(data, name).is_string();
    if !has("session_code") {
        return Err(missing_field(data, "session", "session_code"));
    }
    if !has("status") && !has("session_status") {
        return Err(missing_field(data, "session", "status"));
    }
    Ok(())
}

/// Checks the field that the library needs of a list of sessions.
///
/// # Errors
/// Fails if `results` is not an array.
pub fn check_list(data: &JsValue) -> Result<(), Box<Failure>> {
    if Array::is_array(&field(data, "results")) {
        return Ok(());
    }
    Err(missing_field(data, "list of sessions", "results"))
}

fn missing_field(data: &JsValue, object: &str, name: &str) -> Box<Failure> {
    let message = format!("Unexpected response: the {object} has no {name}");
    let mut failure = Failure::new(ErrorKind::Api, message);
    failure.body = stringify(data, &JsValue::UNDEFINED).ok();
    failure
}

/// Converts an error response to a failure without status and body.
pub fn error_response(response: &RawResponse) -> Box<Failure> {
    let RawResponse {
        status, text: body, ..
    } = response;
    let json = parse(body).unwrap_or_default();
    let message = text(&json, "message").or_else(|| text(&json, "error"));
    let kind = match status {
        401 | 403 => ErrorKind::Authentication,
        402 => ErrorKind::PaymentRequired,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        // The service was seen to return this instead of a 429.
        400 if message.as_deref().is_some_and(is_rate_limit) => ErrorKind::RateLimited,
        _ => ErrorKind::Api,
    };
    if let Some(message) = message {
        return Failure::new(kind, format!("{message} (HTTP {status})"));
    }
    let hint = match status {
        404 | 405 => " (check that baseUrl is the URL of this API)",
        _ => "",
    };
    let excerpt = excerpt(body);
    Failure::new(
        kind,
        format!("The server returned HTTP {status}{hint}: {excerpt}"),
    )
}

fn is_rate_limit(message: &str) -> bool {
    let pattern = RegExp::new("rate[ -]limit|too many requests", "i");
    pattern.exec(&message.into()).is_some()
}

fn unexpected_body(response: &RawResponse) -> Box<Failure> {
    let RawResponse { status, text, .. } = response;
    let excerpt = excerpt(text);
    let message = format!(
        "Unexpected response (HTTP {status}): not JSON from the Image-to-3D API: {excerpt}"
    );
    Failure::new(ErrorKind::Api, message)
}

fn excerpt(body: &JsString) -> String {
    match body.length() {
        0 => "empty body".into(),
        _ => truncate(body, MAX_EXCERPT),
    }
}
