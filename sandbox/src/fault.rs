//! Faults on request, by magic keys: `x-api-key: fault_<name>[_<times>][_<nonce>]`.
//!
//! A key and not a header of our own, since a page needs no permission to send it. Without
//! `times` every request with the key meets the fault; with it so many do, and later ones are
//! answered as if there were none. They are counted per key, so that a nonce keeps tests apart.

use std::collections::HashMap;

use http::header::{HOST, HeaderValue, LOCATION, RETRY_AFTER};
use http::{Method, StatusCode};

use crate::answer::{refused, with_header, with_type};
use crate::{Request, Response, api_key};

/// How often each key has met its fault.
#[derive(Default)]
pub struct Faults(HashMap<String, u32>);

impl Faults {
    /// The fault that the request's key asks for, if it is its turn.
    pub fn meet(&mut self, request: &Request) -> Option<Response> {
        if request.method() == Method::OPTIONS {
            return None;
        }
        let key = api_key(request)?;
        let mut words = key.strip_prefix("fault_")?.split('_');
        let name = words.next()?;
        let times = words
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(u32::MAX);
        let met = self.0.entry(key.to_owned()).or_default();
        if *met >= times {
            return None;
        }
        let response = fault(name, request, key)?;
        *met += 1;
        Some(response)
    }
}

fn fault(name: &str, request: &Request, key: &str) -> Option<Response> {
    let plain = |code, message| Some(refused(code, message));
    match name {
        "401" => plain(StatusCode::UNAUTHORIZED, "Invalid API key"),
        "402" => plain(StatusCode::PAYMENT_REQUIRED, "Not enough credits"),
        "403" => plain(StatusCode::FORBIDDEN, "Invalid API key"),
        "404" => plain(StatusCode::NOT_FOUND, "Not found"),
        "413" => plain(StatusCode::PAYLOAD_TOO_LARGE, "Image too large"),
        "400-rate" => plain(StatusCode::BAD_REQUEST, "Rate limit exceeded"),
        "429" => plain(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        "429-after" => Some(with_header(
            refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            RETRY_AFTER,
            HeaderValue::from_static("1"),
        )),
        "500" => plain(StatusCode::INTERNAL_SERVER_ERROR, "Something broke"),
        "502" => Some(with_type(
            StatusCode::BAD_GATEWAY,
            "text/html",
            b"<html><head><title>502 Bad Gateway</title></head></html>".into(),
        )),
        "503" => plain(StatusCode::SERVICE_UNAVAILABLE, "Down for maintenance"),
        "503-after" => Some(with_header(
            refused(StatusCode::SERVICE_UNAVAILABLE, "Down for maintenance"),
            RETRY_AFTER,
            HeaderValue::from_static("1"),
        )),
        "empty" => Some(with_type(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            Vec::new(),
        )),
        "no-json" => Some(with_type(
            StatusCode::CREATED,
            "text/html",
            b"<!doctype html><title>Welcome</title>".into(),
        )),
        "no-session" => Some(with_type(
            StatusCode::CREATED,
            "application/json",
            br#"{"error":"","message":"Created","statusCode":201,"data":{"status":"done"}}"#.into(),
        )),
        // Servers that repeat what they were sent, wherever they can.
        "echo-json" => Some(echoed(
            refused(
                StatusCode::UNAUTHORIZED,
                &format!("Invalid API key {key:?}"),
            ),
            key,
        )),
        "echo-html" => {
            let page = format!("<html><body>No such key: {key}</body></html>");
            Some(echoed(
                with_type(StatusCode::BAD_GATEWAY, "text/html", page.into()),
                key,
            ))
        }
        "echo-created" => {
            let body = format!(
                r#"{{"error":"","message":"Created for {key}","statusCode":201,"data":{{"session_code":"SESSION_1_1","status":"spin_generate_processing","key":{key:?}}}}}"#
            );
            Some(echoed(
                with_type(StatusCode::CREATED, "application/json", body.into()),
                key,
            ))
        }
        "redirect" => {
            let mut response = refused(StatusCode::TEMPORARY_REDIRECT, "Moved");
            let elsewhere = format!("http://{}{}", other_name(request), request.uri());
            response
                .headers_mut()
                .insert(LOCATION, elsewhere.parse().ok()?);
            Some(response)
        }
        _ => None,
    }
}

fn echoed(mut response: Response, key: &str) -> Response {
    if let Ok(value) = key.parse() {
        response.headers_mut().insert("x-echo", value);
    }
    response
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
