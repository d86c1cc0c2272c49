//! Simulated faults, selected by the API key: `x-api-key: fault_<name>[_<times>][_<nonce>]`.
//!
//! The key selects the fault because a web page may send it without a permission for a header of
//! its own. Without `times`, every request with the key has the fault; with it, only the first
//! `times` requests do. Requests are counted per key, so that a nonce keeps tests apart. Faults of a
//! session count only the requests that create a session.

use std::collections::HashMap;
use std::sync::Mutex;

use http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, HOST, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::delivery::Delivery;
use crate::lock::lock;
use crate::request::{Request, api_key};
use crate::response::{Response, error, with_header, with_type};
use crate::session_fault::SessionFault;
use crate::stage::Stage;

/// The maximum length of a key that selects a fault: its requests are counted under the whole key.
const MAX_KEY_CHARACTERS: usize = 255;

/// The effect of a fault.
#[derive(Clone, Copy)]
pub enum Effect {
    /// The request is not handled; this is the response. The second argument is the key.
    Respond(fn(&Request, &str) -> Response),
    /// The request is not handled; the response is delivered this way.
    BeforeHandling(Delivery),
    /// The request is handled; the response is delivered this way.
    AfterHandling(Delivery),
    /// Sessions created with this key have this fault.
    Session(SessionFault),
}

struct Fault {
    name: &'static str,
    /// A sentence for `GET /sandbox/faults`.
    description: &'static str,
    effect: Effect,
}

const fn fault(name: &'static str, description: &'static str, effect: Effect) -> Fault {
    Fault {
        name,
        description,
        effect,
    }
}

#[rustfmt::skip]
const FAULTS: &[Fault] = {
    use Effect::*;
    &[
        fault("400-rate", "400 with the message of a rate limit.", Respond(|_, _| error(StatusCode::BAD_REQUEST, "Rate limit exceeded"))),
        fault("401", "401: the API key is invalid.", Respond(|_, _| error(StatusCode::UNAUTHORIZED, "Invalid API key"))),
        fault("402", "402: no credits are left.", Respond(|_, _| error(StatusCode::PAYMENT_REQUIRED, "Not enough credits"))),
        fault("403", "403: the API key is invalid.", Respond(|_, _| error(StatusCode::FORBIDDEN, "Invalid API key"))),
        fault("404", "404.", Respond(|_, _| error(StatusCode::NOT_FOUND, "Not found"))),
        fault("413", "413: the image is too large.", Respond(|_, _| error(StatusCode::PAYLOAD_TOO_LARGE, "Image too large"))),
        fault("429", "429 without Retry-After.", Respond(|_, _| too_many_requests())),
        fault("429-after", "429 with Retry-After: 1.", Respond(|_, _| with_retry_after(too_many_requests()))),
        fault("429-hidden", "429 with Retry-After: 1, which pages of other origins cannot read.", Respond(|_, _| {
            with_header(with_retry_after(too_many_requests()), ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(""))
        })),
        fault("500", "500.", Respond(|_, _| error(StatusCode::INTERNAL_SERVER_ERROR, "Something broke"))),
        fault("502", "502 with an HTML page, as from a gateway.", Respond(|_, _| {
            html(StatusCode::BAD_GATEWAY, "<html><head><title>502 Bad Gateway</title></head></html>")
        })),
        fault("503", "503 without Retry-After.", Respond(|_, _| unavailable())),
        fault("503-after", "503 with Retry-After: 1.", Respond(|_, _| with_retry_after(unavailable()))),
        fault("empty", "500 with an empty body.", Respond(|_, _| {
            with_type(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Vec::new())
        })),
        fault("no-json", "201 with an HTML body; no session is created.", Respond(|_, _| {
            html(StatusCode::CREATED, "<!doctype html><title>Welcome</title>")
        })),
        fault("no-session", "201 with an envelope whose data has no session_code; no session is created.", Respond(|_, _| {
            created(r#"{"error":"","message":"Created","statusCode":201,"data":{"status":"done"}}"#.into())
        })),
        fault("echo-json", "401 that repeats the key in its message and in a header.", Respond(|_, key| {
            with_echo(error(StatusCode::UNAUTHORIZED, &format!("Invalid API key {key:?}")), key)
        })),
        fault("echo-html", "502 with an HTML page that repeats the key.", Respond(|_, key| {
            with_echo(html(StatusCode::BAD_GATEWAY, &format!("<html><body>No such key: {key}</body></html>")), key)
        })),
        fault("echo-created", "201 with a session that repeats the key; no session is created.", Respond(|_, key| {
            with_echo(created(format!(
                r#"{{"error":"","message":"Created for {key}","statusCode":201,"data":{{"session_code":"SESSION_1_1","status":"spin_generate_processing","key":{key:?}}}}}"#
            )), key)
        })),
        fault("redirect", "307 to this server under another origin.", Respond(|request, _| redirect(request))),
        fault("stall", "The request is read but not handled; no response is sent.", BeforeHandling(Delivery::Stall)),
        fault("drop-before", "The connection is closed before the request body is read; the request is not handled.", BeforeHandling(Delivery::Drop)),
        fault("drop-after", "The request is handled, then the connection is closed before the first byte of the response.", AfterHandling(Delivery::Drop)),
        fault("drop-middle", "The request is handled, then the connection is closed in the middle of the response body.", AfterHandling(Delivery::Truncate)),
        fault("trickle", "The request is handled, and the response body is sent in small chunks over about three seconds.", AfterHandling(Delivery::Throttle)),
        fault("spin-failed", "The session ends in spin_generate_failed.", Session(SessionFault::StageFails(Stage::Spin))),
        fault("preview-failed", "The session ends in preview_failed.", Session(SessionFault::StageFails(Stage::Preview))),
        fault("refine-failed", "The session ends in refine_failed if a refinement is requested.", Session(SessionFault::StageFails(Stage::Refine))),
        fault("unknown-status", "The first three polls of the session return an unknown status and session_status.", Session(SessionFault::UnknownStatus)),
        fault("unknown-fields", "The session has fields that no client knows.", Session(SessionFault::UnknownFields)),
        fault("old-style", "The session has neither session_status nor percent_done.", Session(SessionFault::LegacyFields)),
        fault("result-expired", "The session's results return 403, as an expired link does.", Session(SessionFault::ResultExpired)),
        fault("result-no-cors", "The session's results have no CORS headers.", Session(SessionFault::ResultNoCors)),
        fault("result-trickle", "The session's results are sent in small chunks over about three seconds.", Session(SessionFault::ResultThrottled)),
    ]
};

/// Returns the names and descriptions of all faults.
pub fn list() -> Value {
    FAULTS
        .iter()
        .map(|fault| json!({ "name": fault.name, "what": fault.description }))
        .collect()
}

/// Checks that the fault which a request's key selects exists: a test with a misspelled fault would
/// pass without any fault.
///
/// # Errors
/// Returns the message for the caller if there is no such fault.
pub fn check_name<B>(request: &http::Request<B>) -> Result<(), String> {
    let Some(key) = api_key(request).and_then(FaultKey::parse) else {
        return Ok(());
    };
    if key.is_too_long {
        return Err(format!(
            "x-api-key: a key that selects a fault has at most {MAX_KEY_CHARACTERS} characters"
        ));
    }
    if key.fault().is_some() {
        return Ok(());
    }
    let names: Vec<_> = FAULTS.iter().map(|fault| fault.name).collect();
    Err(format!(
        "x-api-key: unknown fault. Available: {}.",
        names.join(", ")
    ))
}

/// The parts of a key that selects a fault.
struct FaultKey<'a> {
    name: &'a str,
    /// The number of requests that have the fault; `None` for all.
    times: Option<u32>,
    is_too_long: bool,
}

impl<'a> FaultKey<'a> {
    fn parse(key: &'a str) -> Option<Self> {
        let mut parts = key.strip_prefix("fault_")?.split('_');
        Some(Self {
            name: parts.next()?,
            times: parts.next().and_then(|times| times.parse().ok()),
            is_too_long: key.len() > MAX_KEY_CHARACTERS,
        })
    }

    fn fault(&self) -> Option<&'static Fault> {
        let mut faults = FAULTS.iter().filter(|_| !self.is_too_long);
        faults.find(|fault| fault.name == self.name)
    }
}

/// Counts the faults that were returned.
#[derive(Default)]
pub struct FaultCounter {
    by_key: Mutex<HashMap<String, u32>>,
    /// The polls of the sessions with a fault, by session code.
    polls: Mutex<HashMap<String, u32>>,
}

impl FaultCounter {
    /// Returns the effect that the request's key selects, and counts it. Returns `None` if the key
    /// selects no fault, if its number of requests is used up, or if `is_due` rejects the effect.
    pub fn take<B>(
        &self,
        request: &http::Request<B>,
        is_due: impl FnOnce(Effect) -> bool,
    ) -> Option<Effect> {
        // Browsers send preflight requests without a key.
        if request.method() == Method::OPTIONS {
            return None;
        }
        let text = api_key(request)?;
        let key = FaultKey::parse(text)?;
        let effect = key.fault()?.effect;
        if !is_due(effect) {
            return None;
        }
        let mut by_key = lock(&self.by_key);
        let count = by_key.entry(text.to_owned()).or_default();
        if *count >= key.times.unwrap_or(u32::MAX) {
            return None;
        }
        *count += 1;
        Some(effect)
    }

    /// Counts a poll of a session, and returns the number of its polls so far.
    pub fn count_poll(&self, code: &str) -> u32 {
        let mut polls = lock(&self.polls);
        let count = polls.entry(code.to_owned()).or_default();
        *count += 1;
        *count
    }
}

fn too_many_requests() -> Response {
    error(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
}

fn unavailable() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "Down for maintenance")
}

fn with_retry_after(response: Response) -> Response {
    with_header(response, RETRY_AFTER, HeaderValue::from_static("1"))
}

fn html(status: StatusCode, page: &str) -> Response {
    with_type(status, "text/html", page.into())
}

fn created(body: String) -> Response {
    with_type(StatusCode::CREATED, "application/json", body.into())
}

fn redirect(request: &Request) -> Response {
    let response = error(StatusCode::TEMPORARY_REDIRECT, "Moved");
    let location = format!("http://{}{}", alternative_host(request), request.uri());
    with_text(response, LOCATION, &location)
}

/// Repeats the key in a header, as a server does that echoes what it receives.
fn with_echo(response: Response, key: &str) -> Response {
    with_text(response, HeaderName::from_static("x-echo"), key)
}

fn with_text(response: Response, name: HeaderName, text: &str) -> Response {
    match text.parse() {
        Ok(value) => with_header(response, name, value),
        Err(_) => response,
    }
}

/// Returns the other loopback name of this server: another origin for a browser.
fn alternative_host(request: &Request) -> String {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    match host.strip_prefix("localhost") {
        Some(port) => format!("127.0.0.1{port}"),
        None => host.replacen("127.0.0.1", "localhost", 1),
    }
}
