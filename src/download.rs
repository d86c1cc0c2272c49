//! Downloading a model.

use alloc::boxed::Box;
use alloc::string::String;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStreamDefaultReader;

use crate::answer::refusal;
use crate::api::Api;
use crate::body::report;
use crate::error::{ErrorKind, Failure, Result, Thrown, words};
use crate::js::{blob, field, origin, settled, text};
use crate::options::{Download, ModelFormat, new_headers, refused};
use crate::transport::{self, Answer, Outgoing};

/// Downloads the best model that the session has in the format.
pub async fn model(api: &Api, url: String, options: &Download) -> Result<JsValue> {
    // The key is for the API alone, and results may lie with a storage of somebody else's.
    let from = origin(&url);
    let own = from == origin(&api.connection.base_url);
    let (headers, redirect) = match own {
        true => (api.connection.headers.clone(), "manual"),
        false => (
            new_headers(&JsValue::UNDEFINED).map_err(Thrown::Value)?,
            "follow",
        ),
    };
    let outgoing = Outgoing {
        method: "GET",
        url,
        headers,
        body: JsValue::UNDEFINED,
        redirect,
    };
    let unreachable = |thrown| unreachable(&from, own, &thrown);
    let fetch = api.connection.fetch.as_ref();
    let (response, _abort) = transport::send(&outgoing, fetch)
        .await
        .map_err(unreachable)?;
    if !response.ok() {
        let answer = transport::read(response).await.map_err(unreachable)?;
        return Err(refusal_of(&answer).into());
    }
    let total = response.headers().get("content-length");
    let total = total
        .ok()
        .flatten()
        .and_then(|total| total.parse::<u32>().ok());
    let total = f64::from(total.unwrap_or_default());
    let parts = Array::new();
    let mut loaded = 0.0;
    if let Some(body) = response.body() {
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        loop {
            let piece = settled(reader.read()).await.map_err(unreachable)?;
            // At the end it holds no piece.
            let Ok(piece) = field(&piece, "value").dyn_into::<Uint8Array>() else {
                break;
            };
            loaded += f64::from(piece.length());
            parts.push(&piece);
            report(options.on_progress.as_ref(), "downloading", loaded, total)?;
        }
    }
    let blob = blob(&parts, options.format.media_type());
    blob.map(JsValue::from).map_err(Thrown::Value)
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
    let mut there = String::new();
    for (name, format) in ModelFormat::ALL {
        if url_of(session, format).is_some() {
            if !there.is_empty() {
                there.push_str(", ");
            }
            there.push_str(name);
        }
    }
    if there.is_empty() {
        there.push_str("none yet");
    }
    Err(Thrown::invalid(&[
        "format: the session has no ",
        format.name(),
        "; formats that it has: ",
        &there,
    ]))
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

fn refusal_of(answer: &Answer) -> Box<Failure> {
    if answer.is_redirect() {
        return Failure::new(
            ErrorKind::Api,
            &[
                "the model's address answered with a redirect, which is not followed, since the \
                 key would go along",
            ],
        );
    }
    let mut failure = refusal(answer);
    if matches!(answer.status, 403 | 404 | 410) {
        failure
            .message
            .push_str("; the link may have expired: getSession answers fresh ones");
    }
    failure.status = Some(answer.status);
    failure.body = Some(answer.text.clone());
    failure
}

fn unreachable(from: &str, own: bool, thrown: &JsValue) -> Box<Failure> {
    let hint = match own {
        true => "",
        false => {
            ". It is down, or does not allow this page's origin (CORS): let a server of your own \
             fetch it, and hand that server's address to the page"
        }
    };
    let message = [
        "the model could not be read from ",
        from,
        ": ",
        &words(thrown),
        hint,
    ];
    Failure::new(ErrorKind::Network, &message)
}
