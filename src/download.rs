//! Downloads of models.

use gloo_net::http::Headers;
use js_sys::Array;
use strum::VariantArray;
use wasm_bindgen::prelude::*;
use web_sys::RequestRedirect;

use crate::api::{Api, Target};
use crate::error::{CallError, ErrorKind, Failure, Result};
use crate::js::{blob, origin, text};
use crate::options::{Connection, Download, ModelFormat};
use crate::progress::{Phase, Progress};
use crate::response;
use crate::retry::Idempotency;
use crate::transport::{ApiRequest, Method, OpenResponse, STALL_LIMIT, copy_headers};

/// Downloads a model as a `Blob`. A failed download is repeated from the start, as far as the retry
/// rules allow.
///
/// # Errors
/// Fails if the model cannot be fetched, or if `on_progress` throws.
pub async fn model(api: &Api, url: String, options: &Download) -> Result<JsValue> {
    let (headers, redirect) = match is_on_api(&api.connection, &url) {
        true => (
            copy_headers(&api.connection.headers),
            RequestRedirect::Manual,
        ),
        // Such as an object store. It must not get the key.
        false => (Headers::new(), RequestRedirect::Follow),
    };
    let request = ApiRequest {
        method: Method::Get,
        url,
        headers,
        body: None,
        redirect,
        headers_limit: STALL_LIMIT,
    };
    let target = Target::Model(options);
    let response = api.send(request, Idempotency::Idempotent, target).await?;
    Ok(response.data)
}

/// Whether a model is on the origin of the API.
fn is_on_api(connection: &Connection, url: &str) -> bool {
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
        return Failure::new(ErrorKind::Api, message);
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

/// Returns the URL of a session's model in a format: the refined model, or else the preview.
///
/// # Errors
/// Fails if the session has no model in this format; the message lists its formats.
pub fn model_url(session: &JsValue, format: ModelFormat) -> Result<String> {
    if !session.is_object() {
        let expected = "a session object as returned by the API";
        return Err(CallError::invalid_value("session", session, expected));
    }
    if let Some(url) = url_of(session, format) {
        return Ok(url);
    }
    let available: Vec<&str> = ModelFormat::VARIANTS
        .iter()
        .filter(|format| url_of(session, **format).is_some())
        .map(|format| (*format).into())
        .collect();
    let format: &str = format.into();
    Err(CallError::invalid_options(match &*available {
        [] => format!("This session has no {format} model yet"),
        formats => {
            let formats = formats.join(", ");
            format!("This session has no {format} model. Available: {formats}")
        }
    }))
}

fn url_of(session: &JsValue, format: ModelFormat) -> Option<String> {
    let name: &str = format.into();
    ["mesh_url", "preview_mesh_url"]
        .into_iter()
        .find_map(|field| {
            let url = text(session, &format!("{field}_{name}"));
            // The field without a format is a zip, too.
            url.or_else(|| match format {
                ModelFormat::Zip => text(session, field),
                _ => None,
            })
        })
}
