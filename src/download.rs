//! Downloading a model.

use gloo_net::http::Method;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Headers, ReadableStreamDefaultReader, RequestRedirect, Url};

use crate::answer::{field, refusal, text};
use crate::api::Api;
use crate::body::report;
use crate::error::{ErrorKind, Failure, Result, Thrown, words};
use crate::options::{Download, ModelFormat, Phase, refused};
use crate::transport::{self, Answer, Outgoing};

/// Downloads the best model that the session has in the format.
pub async fn model(api: &Api<'_>, url: &str, options: &Download) -> Result<Blob> {
    // The key is for the API alone, and results may lie with a storage of somebody else's.
    let own = Url::new(url).is_ok_and(|url| url.origin() == api.connection.origin());
    let (headers, redirect) = match own {
        true => (api.headers()?, RequestRedirect::Manual),
        false => (
            Headers::new().map_err(Thrown::Value)?,
            RequestRedirect::Follow,
        ),
    };
    let outgoing = Outgoing {
        method: Method::GET,
        url: url.to_owned(),
        headers,
        body: None,
    };
    let fetch = api.connection.fetch.as_ref();
    let sent = transport::send(&outgoing, fetch, redirect).await;
    let (response, _abort) = sent.map_err(|thrown| unreachable(url, own, &thrown))?;
    if !response.ok() {
        let answer = transport::read(response).await;
        let answer = answer.map_err(|thrown| unreachable(url, own, &thrown))?;
        return Err(refusal_of(answer).into());
    }
    let total = response.headers().get("content-length");
    let total = total.and_then(|total| total.parse::<u32>().ok());
    let total = f64::from(total.unwrap_or_default());
    let parts = Array::new();
    let mut loaded = 0.0;
    if let Some(body) = response.body() {
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        loop {
            let piece = JsFuture::from(reader.read()).await;
            let piece = piece.map_err(|thrown| unreachable(url, own, &thrown))?;
            // At the end it holds no piece.
            let piece =
                field(&piece, "value").and_then(|piece| piece.dyn_into::<Uint8Array>().ok());
            let Some(piece) = piece else {
                break;
            };
            loaded += f64::from(piece.length());
            parts.push(&piece);
            report(
                options.on_progress.as_ref(),
                Phase::Downloading,
                loaded,
                total,
            )?;
        }
    }
    let properties = BlobPropertyBag::new();
    properties.set_type(options.format.media_type());
    Blob::new_with_u8_array_sequence_and_options(&parts, &properties).map_err(Thrown::Value)
}

/// The URL of the best model of the session in a format: the refined one before the preview.
pub fn best_url(session: &JsValue, format: ModelFormat) -> Result<String> {
    if !session.is_object() {
        return Err(refused(
            "session",
            session,
            "a session as the API answered it",
        ));
    }
    if let Some(url) = url_of(session, format) {
        return Ok(url);
    }
    let there: Vec<_> = ModelFormat::ALL
        .into_iter()
        .filter(|(_, format)| url_of(session, *format).is_some())
        .map(|(name, _)| name)
        .collect();
    let there = match there.is_empty() {
        true => "none yet".to_owned(),
        false => there.join(", "),
    };
    Err(Failure::invalid(
        [
            "format: the session has no ",
            format.name(),
            "; formats that it has: ",
            &there,
        ]
        .concat(),
    )
    .into())
}

fn url_of(session: &JsValue, format: ModelFormat) -> Option<String> {
    ["mesh_url", "preview_mesh_url"]
        .into_iter()
        .find_map(|field| {
            let named = text(session, &[field, "_", format.name()].concat());
            // The field without a format is a zip.
            named.or_else(|| {
                (format == ModelFormat::Zip)
                    .then(|| text(session, field))
                    .flatten()
            })
        })
}

fn refusal_of(answer: Answer) -> Failure {
    if answer.is_redirect() {
        return Failure::new(
            ErrorKind::Api,
            "the model's address answered with a redirect, which is not followed, since the key \
             would go along",
        );
    }
    let mut failure = refusal(&answer);
    if matches!(answer.status, 403 | 404 | 410) {
        failure
            .message
            .push_str("; the link may have expired: getSession answers fresh ones");
    }
    Failure {
        status: Some(answer.status),
        body: Some(answer.text),
        ..failure
    }
}

fn unreachable(url: &str, own: bool, thrown: &JsValue) -> Failure {
    let host = Url::new(url).map_or_else(|_| String::new(), |url| url.host());
    let mut message = [
        "the model could not be read from ",
        &host,
        ": ",
        &words(thrown),
    ]
    .concat();
    if !own {
        message.push_str(
            ". It is down, or does not allow this page's origin (CORS): let a server of your own \
             fetch it, and hand that server's address to the page",
        );
    }
    Failure::new(ErrorKind::Network, message)
}
