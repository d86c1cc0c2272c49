//! Reading of the response with a model, and what its errors say.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::error::{ErrorCode, Failure, Result};
use crate::js::{blob, origin};
use crate::options::{Connection, Download};
use crate::progress::{Phase, Progress};
use crate::response;
use crate::transport::OpenResponse;

/// Whether a model is on the origin of the API.
pub fn is_on_api(connection: &Connection, url: &str) -> bool {
    origin(url) == origin(&connection.base_url)
}

/// Reads a model as a `Blob`.
///
/// # Errors
/// Fails if the connection breaks or stalls, or if `on_progress` throws.
pub async fn read(response: OpenResponse, options: &Download) -> Result<JsValue> {
    let total = content_length(&response);
    let parts = Array::new();
    let mut loaded = 0.0;
    response
        .read(&mut |chunk| {
            loaded += f64::from(chunk.length());
            parts.push(&chunk);
            let progress = Progress {
                phase: Phase::Downloading,
                loaded,
                total,
            };
            progress.report(options.on_progress.as_ref())
        })
        .await?;
    Ok(blob(&parts, options.format.media_type())?.into())
}

/// Returns the size in bytes, or 0 if the server does not send it.
fn content_length(response: &OpenResponse) -> f64 {
    let length = response.header("content-length");
    let length = length.and_then(|length| length.parse::<u32>().ok());
    f64::from(length.unwrap_or_default())
}

/// Creates the failure for an error response from its status and its body.
pub fn error_response(status: Option<u16>, body: &JsValue) -> Box<Failure> {
    let Some(status) = status.filter(|status| !(300..400).contains(status)) else {
        let message = "The URL of the model responded with a redirect, which is not followed \
                       because it would forward the API key";
        return Failure::new(ErrorCode::UnexpectedResponse, message);
    };
    let mut failure = response::error_response(status, body);
    if matches!(status, 403 | 404 | 410) {
        failure.message += ". The link may have expired; getSession returns a new one.";
    }
    failure
}

/// Returns the message for a model that cannot be fetched.
pub fn no_response(connection: &Connection, url: &str, reason: &str) -> String {
    let model_origin = origin(url);
    let message = format!("Downloading the model from {model_origin} failed: {reason}");
    match is_on_api(connection, url) {
        true => message,
        false => format!(
            "{message}. The server may be down or not allow this page's origin (CORS). Let a server \
             of your own fetch the model and pass its URL to the page."
        ),
    }
}
