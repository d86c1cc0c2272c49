//! A log of the latest requests, so that a test can check what was sent.

use std::collections::VecDeque;
use std::sync::Mutex;

use http::{Request, StatusCode, header};
use serde::Serialize;

use crate::clock::Millis;
use crate::delivery::Delivery;
use crate::lock::lock;
use crate::request::{API_KEY_HEADER, api_key};

/// The maximum number of logged requests.
const CAPACITY: usize = 1000;

/// The maximum number of logged characters of each text.
const MAX_CHARACTERS: usize = 1024;

/// The maximum number of logged names of headers.
const MAX_HEADERS: usize = 100;

/// The latest requests, the oldest first.
#[derive(Default)]
pub struct RequestLog(Mutex<VecDeque<Entry>>);

/// One request.
#[derive(Clone, Serialize)]
pub struct Entry {
    /// Milliseconds since 1970.
    at: Millis,
    method: String,
    host: String,
    /// The path with its query, but without the token of a file URL.
    path: String,
    /// The names of all headers.
    headers: Vec<String>,
    /// The first characters of the API key and its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    body_bytes: usize,
    /// The status of the response; `None` if no byte of a response was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The simulated fault in the delivery of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
}

impl RequestLog {
    pub fn add<B>(
        &self,
        request: &Request<B>,
        body_bytes: usize,
        status: StatusCode,
        delivery: Option<Delivery>,
        now: Millis,
    ) {
        let text = |name| {
            let value = request.headers().get(name)?;
            value.to_str().ok().map(shortened)
        };
        let mut entries = lock(&self.0);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(Entry {
            at: now,
            method: shortened(request.method().as_str()),
            host: text(header::HOST.as_str()).unwrap_or_default(),
            path: request
                .uri()
                .path_and_query()
                .map(|path| match path.as_str().split_once("?ticket=") {
                    Some((path, _)) => shortened(path),
                    None => shortened(path.as_str()),
                })
                .unwrap_or_default(),
            headers: request
                .headers()
                .keys()
                .take(MAX_HEADERS)
                .map(|name| shortened(name.as_str()))
                .collect(),
            key: request
                .headers()
                .contains_key(API_KEY_HEADER)
                .then(|| mask(api_key(request))),
            idempotency_key: text("idempotency-key"),
            body_bytes,
            status: delivery
                .is_none_or(Delivery::sends_head)
                .then_some(status.as_u16()),
            delivery,
        });
    }

    pub fn entries(&self) -> Vec<Entry> {
        lock(&self.0).iter().cloned().collect()
    }
}

/// Returns the first characters of a text.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_CHARACTERS).collect()
}

fn mask(key: Option<&str>) -> String {
    let key = key.unwrap_or_default();
    let prefix: String = key.chars().take((key.len() / 4).min(6)).collect();
    format!("{prefix}… ({} characters)", key.chars().count())
}
