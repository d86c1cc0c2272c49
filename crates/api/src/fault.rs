//! Faults on request, by magic keys: `x-api-key: fault_<name>[_<times>][_<nonce>]`.
//!
//! A key and not a header of our own, since a page needs no permission to send it. Without
//! `times` every request with the key meets the fault; with it so many do, and later ones are
//! answered as if there were none. They are counted per key, so that a nonce keeps tests apart.
//! Faults of a session count only the requests that create one.

use std::collections::HashMap;

use http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, HOST, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{refused, with_header, with_type};
use crate::delivery::Delivery;
use crate::record::Stage;
use crate::shape::Shape;
use crate::{Request, Response, api_key};

/// What a fault does.
#[derive(Clone, Copy)]
pub enum Effect {
    /// Nothing is done, and this is the answer. The second argument is the key.
    Answer(fn(&Request, &str) -> Response),
    /// Nothing is done, and so is the answer delivered.
    Undone(Delivery),
    /// The request is answered as ever, and the answer delivered so.
    Done(Delivery),
    /// A session that is created with the key is so.
    Session(Shape),
}

struct Fault {
    name: &'static str,
    /// What it does, in a sentence.
    what: &'static str,
    effect: Effect,
}

const fn fault(name: &'static str, what: &'static str, effect: Effect) -> Fault {
    Fault { name, what, effect }
}

#[rustfmt::skip]
const FAULTS: &[Fault] = {
    use Effect::*;
    &[
        fault("400-rate", "400 that means a rate limit.", Answer(|_, _| refused(StatusCode::BAD_REQUEST, "Rate limit exceeded"))),
        fault("401", "401, the key is not valid.", Answer(|_, _| refused(StatusCode::UNAUTHORIZED, "Invalid API key"))),
        fault("402", "402, no credits are left.", Answer(|_, _| refused(StatusCode::PAYMENT_REQUIRED, "Not enough credits"))),
        fault("403", "403, the key is not valid.", Answer(|_, _| refused(StatusCode::FORBIDDEN, "Invalid API key"))),
        fault("404", "404.", Answer(|_, _| refused(StatusCode::NOT_FOUND, "Not found"))),
        fault("413", "413, the picture is too large.", Answer(|_, _| refused(StatusCode::PAYLOAD_TOO_LARGE, "Image too large"))),
        fault("429", "429 without Retry-After.", Answer(|_, _| too_many())),
        fault("429-after", "429 with Retry-After: 1.", Answer(|_, _| after_a_second(too_many()))),
        fault("429-hidden", "429 with Retry-After: 1, which pages of other origins cannot read.", Answer(|_, _| {
            with_header(after_a_second(too_many()), ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(""))
        })),
        fault("500", "500.", Answer(|_, _| refused(StatusCode::INTERNAL_SERVER_ERROR, "Something broke"))),
        fault("502", "502 with an HTML page, as a gateway answers.", Answer(|_, _| {
            html(StatusCode::BAD_GATEWAY, "<html><head><title>502 Bad Gateway</title></head></html>")
        })),
        fault("503", "503 without Retry-After.", Answer(|_, _| down())),
        fault("503-after", "503 with Retry-After: 1.", Answer(|_, _| after_a_second(down()))),
        fault("empty", "500 with an empty body.", Answer(|_, _| {
            with_type(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Vec::new())
        })),
        fault("no-json", "201 with a body that is HTML; no session is created.", Answer(|_, _| {
            html(StatusCode::CREATED, "<!doctype html><title>Welcome</title>")
        })),
        fault("no-session", "201 with an envelope whose data has no session_code; no session is created.", Answer(|_, _| {
            created(r#"{"error":"","message":"Created","statusCode":201,"data":{"status":"done"}}"#.into())
        })),
        fault("echo-json", "401 that repeats the key in its message and in a header.", Answer(|_, key| {
            echoed(refused(StatusCode::UNAUTHORIZED, &format!("Invalid API key {key:?}")), key)
        })),
        fault("echo-html", "502 with an HTML page that repeats the key.", Answer(|_, key| {
            echoed(html(StatusCode::BAD_GATEWAY, &format!("<html><body>No such key: {key}</body></html>")), key)
        })),
        fault("echo-created", "201 with a session that repeats the key; no session is created.", Answer(|_, key| {
            echoed(created(format!(
                r#"{{"error":"","message":"Created for {key}","statusCode":201,"data":{{"session_code":"SESSION_1_1","status":"spin_generate_processing","key":{key:?}}}}}"#
            )), key)
        })),
        fault("redirect", "307 to another origin that is this server too.", Answer(|request, _| redirect(request))),
        fault("stall", "The request is read and nothing is done; no answer ever comes.", Undone(Delivery::Stall)),
        fault("drop-before", "The connection is closed before the request's body is read; nothing is done.", Undone(Delivery::Drop)),
        fault("drop-after", "The request is carried out, then the connection is closed before any byte of the answer.", Done(Delivery::Drop)),
        fault("drop-middle", "The request is carried out, then the connection is closed in the middle of the answer's body.", Done(Delivery::Truncate)),
        fault("trickle", "The request is carried out, and the answer's body comes in small pieces over some three seconds.", Done(Delivery::Throttle)),
        fault("spin-failed", "The session ends in spin_generate_failed.", Session(Shape::Fails(Stage::Spin))),
        fault("preview-failed", "The session ends in preview_failed.", Session(Shape::Fails(Stage::Preview))),
        fault("refine-failed", "The session ends in refine_failed, once a refinement is asked for.", Session(Shape::Fails(Stage::Refine))),
        fault("unknown-status", "The first three polls of the session answer a status and a session_status that no client knows.", Session(Shape::UnknownStatus)),
        fault("unknown-fields", "The session has fields that no client knows.", Session(Shape::UnknownFields)),
        fault("old-style", "The session has neither session_status nor percent_done.", Session(Shape::OldStyle)),
        fault("result-expired", "The session's results answer 403, as a link that is too old.", Session(Shape::ResultExpired)),
        fault("result-no-cors", "The session's results come without CORS headers.", Session(Shape::ResultNoCors)),
        fault("result-trickle", "The session's results come in small pieces over some three seconds.", Session(Shape::ResultTrickle)),
    ]
};

/// All faults, each with what it does.
pub fn listed() -> Value {
    FAULTS
        .iter()
        .map(|fault| json!({ "name": fault.name, "what": fault.what }))
        .collect()
}

/// Why the request's key cannot be obeyed, where it asks for a fault that does not exist: a test
/// with a misspelt fault would pass without one.
pub fn misspelt<B>(request: &http::Request<B>) -> Option<String> {
    let asked = api_key(request)?.strip_prefix("fault_")?;
    let name = asked.split('_').next()?;
    let mut names = FAULTS.iter().map(|fault| fault.name);
    if names.any(|known| known == name) {
        return None;
    }
    let known: Vec<_> = FAULTS.iter().map(|fault| fault.name).collect();
    let known = known.join(", ");
    Some(format!(
        "x-api-key: there is no fault of that name; there are {known}"
    ))
}

/// How often each key has met its fault.
#[derive(Default)]
pub struct Faults(HashMap<String, u32>);

impl Faults {
    /// The effect that the request's key asks for, if it is its turn and `wanted` here.
    pub fn meet<B>(
        &mut self,
        request: &http::Request<B>,
        wanted: impl FnOnce(Effect) -> bool,
    ) -> Option<Effect> {
        // A preflight carries no key; who sends one anyway is not a page.
        if request.method() == Method::OPTIONS {
            return None;
        }
        let key = api_key(request)?;
        let mut words = key.strip_prefix("fault_")?.split('_');
        let name = words.next()?;
        let fault = FAULTS.iter().find(|fault| fault.name == name)?;
        if !wanted(fault.effect) {
            return None;
        }
        let times = words.next().and_then(|word| word.parse().ok());
        let met = self.0.entry(key.to_owned()).or_default();
        if *met >= times.unwrap_or(u32::MAX) {
            return None;
        }
        *met += 1;
        Some(fault.effect)
    }

    /// Counts one more of whatever has this name, and answers how many there were with it.
    pub fn count(&mut self, name: &str) -> u32 {
        let count = self.0.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }
}

fn too_many() -> Response {
    refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
}

fn down() -> Response {
    refused(StatusCode::SERVICE_UNAVAILABLE, "Down for maintenance")
}

fn after_a_second(response: Response) -> Response {
    with_header(response, RETRY_AFTER, HeaderValue::from_static("1"))
}

fn html(status: StatusCode, page: &str) -> Response {
    with_type(status, "text/html", page.into())
}

fn created(body: String) -> Response {
    with_type(StatusCode::CREATED, "application/json", body.into())
}

fn redirect(request: &Request) -> Response {
    let response = refused(StatusCode::TEMPORARY_REDIRECT, "Moved");
    let elsewhere = format!("http://{}{}", other_name(request), request.uri());
    with_text(response, LOCATION, &elsewhere)
}

/// A server that repeats what it was sent wherever it can.
fn echoed(response: Response, key: &str) -> Response {
    with_text(response, HeaderName::from_static("x-echo"), key)
}

fn with_text(response: Response, name: HeaderName, text: &str) -> Response {
    match text.parse() {
        Ok(value) => with_header(response, name, value),
        Err(_) => response,
    }
}

/// The other name of this machine: another origin at the same place.
fn other_name(request: &Request) -> String {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    match host.strip_prefix("localhost") {
        Some(port) => format!("127.0.0.1{port}"),
        None => host.replacen("127.0.0.1", "localhost", 1),
    }
}
