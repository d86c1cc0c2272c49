//! Downloads of models.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use js_sys::{Array, Uint8Array};
use strum::VariantArray;
use wasm_bindgen::prelude::*;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Response};

use crate::api::Api;
use crate::error::{CallError, ErrorKind, Failure, Result};
use crate::js::{await_promise, blob, error_message, field, origin, text};
use crate::options::{Download, ModelFormat, new_headers};
use crate::progress::{Phase, report};
use crate::response::error_response;
use crate::transport::{self, ApiRequest, RawResponse, Redirect};

/// The host of a model, which decides whether it gets the key.
enum Host {
    /// The origin of `baseUrl`.
    Api,
    /// Another origin, such as an object store. It must not get the key.
    Other,
}

/// Downloads a model as a `Blob`.
///
/// # Errors
/// Fails if the model cannot be fetched, or if `on_progress` throws.
pub async fn model(api: &Api, url: String, options: &Download) -> Result<JsValue> {
    let model_origin = origin(&url);
    let host = match model_origin == origin(&api.connection.base_url) {
        true => Host::Api,
        false => Host::Other,
    };
    let (headers, redirect) = match host {
        Host::Api => (api.connection.headers.clone(), Redirect::Manual),
        Host::Other => (new_headers(&JsValue::UNDEFINED)?, Redirect::Follow),
    };
    let request = ApiRequest {
        method: "GET",
        url,
        headers,
        body: JsValue::UNDEFINED,
        redirect,
    };
    let network_failure = |thrown| network_failure(&model_origin, &host, &thrown);
    let fetch = api.connection.fetch.as_ref();
    let (response, _abort) = transport::send(&request, fetch)
        .await
        .map_err(network_failure)?;
    if !response.ok() {
        let response = transport::read(response).await.map_err(network_failure)?;
        return Err(failed_download(&response).into());
    }
    let total = content_length(&response);
    let parts = Array::new();
    let mut loaded = 0.0;
    if let Some(body) = response.body() {
        let reader = default_reader(&body);
        loop {
            let result = await_promise(reader.read()).await;
            let result = result.map_err(network_failure)?;
            // The last result has no value.
            let Ok(chunk) = field(&result, "value").dyn_into::<Uint8Array>() else {
                break;
            };
            loaded += f64::from(chunk.length());
            parts.push(&chunk);
            let on_progress = options.on_progress.as_ref();
            report(on_progress, Phase::Downloading, loaded, total)?;
        }
    }
    Ok(blob(&parts, options.format.media_type())?.into())
}

fn default_reader(body: &ReadableStream) -> ReadableStreamDefaultReader {
    body.get_reader().unchecked_into()
}

/// Returns the size in bytes, or 0 if the server does not send it.
fn content_length(response: &Response) -> f64 {
    let length = response.headers().get("content-length").ok().flatten();
    let length = length.and_then(|length| length.parse::<u32>().ok());
    f64::from(length.unwrap_or_default())
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

fn failed_download(response: &RawResponse) -> Box<Failure> {
    if response.is_redirect() {
        let message = "The URL of the model responded with a redirect, which is not followed \
                       because it would forward the API key";
        return Failure::new(ErrorKind::Api, message);
    }
    let mut failure = error_response(response);
    if matches!(response.status, 403 | 404 | 410) {
        failure.message = format!(
            "{}. The link may have expired; getSession returns a new one.",
            failure.message
        );
    }
    failure.status = Some(response.status);
    failure.body = Some(response.text.clone());
    failure
}

fn network_failure(model_origin: &str, host: &Host, thrown: &JsValue) -> Box<Failure> {
    let reason = error_message(thrown);
    let message = match host {
        Host::Api => format!("Downloading the model from {model_origin} failed: {reason}"),
        Host::Other => format!(
            "Downloading the model from {model_origin} failed: {reason}. The server may be down \
             or not allow this page's origin (CORS). Let a server of your own fetch the model and \
             pass its URL to the page."
        ),
    };
    Failure::new(ErrorKind::Network, message)
}
