//! Parsing of API responses and conversion of error responses to failures.

use contract::ImageErrorCode;
use js_sys::{Date, JSON, RegExp};
use wasm_bindgen::prelude::*;

use crate::error::{CallError, ErrorCode, Failure};
use crate::js::{field, is_array, text, truncate};
use crate::redactor::Redactor;
use crate::retry::{self, AttemptFailure};
use crate::transport::OpenResponse;

/// The number of UTF-16 units of an unexpected body that a message repeats at most.
const MAX_EXCERPT: u32 = 200;

const REDIRECTED: &str = "The server responded with a redirect, which is not followed because it would \
                          forward the API key. Set baseUrl to the target of the redirect.";

/// A response whose body is read.
pub struct ReceivedResponse {
    /// `None` for a redirect, which browsers hide.
    pub status: Option<u16>,
    /// The value of `Retry-After` in seconds.
    pub retry_after: Option<f64>,
    /// The parsed JSON, or the text if it is not JSON; `undefined` if it is empty.
    pub body: JsValue,
}

impl ReceivedResponse {
    /// Reads the body of a response.
    ///
    /// # Errors
    /// Fails if the connection breaks or stalls.
    pub async fn read(response: OpenResponse) -> Result<Self, CallError> {
        let status = response.status();
        let retry_after = response.header("retry-after");
        let retry_after = retry_after
            .and_then(|value| retry::parse_retry_after(&value, Date::now(), Date::parse));
        let text = response.text().await?;
        let body = match &*text {
            "" => JsValue::UNDEFINED,
            text => JSON::parse(text).unwrap_or_else(|_| text.into()),
        };
        Ok(Self {
            status,
            retry_after,
            body,
        })
    }

    /// Whether the response has a status of success and no body.
    pub fn is_empty_success(&self) -> bool {
        matches!(self.status, Some(200..300)) && self.body.is_undefined()
    }

    /// Returns the `data` of the response's envelope, which is an object.
    ///
    /// # Errors
    /// Fails if the response is a redirect, has an error status, or is not from this API.
    pub fn into_data(self, redactor: &Redactor) -> Result<JsValue, Box<Failure>> {
        if matches!(self.status, Some(200..300)) {
            let data = redactor.redact_result(&field(&self.body, "data"));
            if data.is_object() {
                return Ok(data);
            }
        }
        Err(self.into_failure(redactor, |status, body| match status {
            None | Some(300..400) => Failure::new(ErrorCode::UnexpectedResponse, REDIRECTED),
            Some(status @ 200..300) => unexpected_body(status, body),
            Some(status) => error_response(status, body),
        }))
    }

    /// Converts the response to the failure that `describe` creates from the status and the redacted
    /// body.
    pub fn into_failure(
        self,
        redactor: &Redactor,
        describe: impl FnOnce(Option<u16>, &JsValue) -> Box<Failure>,
    ) -> Box<Failure> {
        // Before a message repeats a part of it, which may end within a secret.
        let body = redactor.redact_error(&self.body);
        let mut failure = describe(self.status, &body);
        failure.status = self.status;
        failure.retry_after = self.retry_after;
        failure.attempt = AttemptFailure::Status {
            status: self.status.unwrap_or_default(),
            retry_after: self.retry_after,
        };
        failure.body = body;
        failure
    }
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
    if is_array(&field(data, "results")) {
        return Ok(());
    }
    Err(missing_field(data, "list of sessions", "results"))
}

fn missing_field(data: &JsValue, object: &str, name: &str) -> Box<Failure> {
    let message = format!("Unexpected response: the {object} has no {name}");
    let mut failure = Failure::new(ErrorCode::UnexpectedResponse, message);
    failure.body = data.clone();
    failure
}

/// Creates the failure for an error response from its status and its body.
pub fn error_response(status: u16, body: &JsValue) -> Box<Failure> {
    let message = text(body, "message").or_else(|| text(body, "error"));
    let code = match status {
        400 if let Some(code) = image_error(body) => code,
        401 | 403 => ErrorCode::Authentication,
        402 => ErrorCode::PaymentRequired,
        404 => ErrorCode::NotFound,
        413 => ErrorCode::ImageTooLarge,
        429 => ErrorCode::RateLimited,
        // The service was seen to return this instead of a 429.
        400 if message.as_deref().is_some_and(is_rate_limit) => ErrorCode::RateLimited,
        500.. => ErrorCode::ServerError,
        _ => ErrorCode::Api,
    };
    if let Some(message) = message {
        return Failure::new(code, format!("{message} (HTTP {status})"));
    }
    let hint = match status {
        404 | 405 => " (check that baseUrl is the URL of this API)",
        _ => "",
    };
    let excerpt = excerpt(body);
    Failure::new(
        code,
        format!("The server returned HTTP {status}{hint}: {excerpt}"),
    )
}

/// Returns the code of an image that this project's server rejects.
fn image_error(body: &JsValue) -> Option<ErrorCode> {
    Some(match text(body, "code")?.parse().ok()? {
        ImageErrorCode::UnsupportedImage => ErrorCode::UnsupportedImage,
        ImageErrorCode::ImageTooLarge => ErrorCode::ImageTooLarge,
    })
}

fn is_rate_limit(message: &str) -> bool {
    RegExp::new("rate[ -]?limit|too many requests", "i").test(message)
}

fn unexpected_body(status: u16, body: &JsValue) -> Box<Failure> {
    let excerpt = excerpt(body);
    let message = format!(
        "Unexpected response (HTTP {status}): not JSON from the Image-to-3D API: {excerpt}"
    );
    Failure::new(ErrorCode::UnexpectedResponse, message)
}

/// Returns the start of a body: of a text, or of JSON in its compact form.
fn excerpt(body: &JsValue) -> String {
    if body.is_undefined() {
        return "empty body".into();
    }
    let text = body
        .as_string()
        .or_else(|| JSON::stringify(body).ok().map(String::from))
        .unwrap_or_default();
    truncate(&text.into(), MAX_EXCERPT)
}
