//! Downloads of models.

use gloo_net::http::Headers;
use strum::VariantArray;
use wasm_bindgen::prelude::*;
use web_sys::RequestRedirect;

use crate::api::{Api, Target};
use crate::error::{CallError, Result};
use crate::js::text;
use crate::model_response::is_on_api;
use crate::options::{Download, ModelFormat};
use crate::retry::Idempotency;
use crate::transport::{ApiRequest, Method, STALL_LIMIT, copy_headers};

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
