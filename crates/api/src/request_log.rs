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

/// The maximum size of all entries in memory, in bytes. A thousand requests with long paths and keys
/// would otherwise take 100 MiB.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The maximum size of each logged text, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// The maximum number of logged names of headers.
const MAX_HEADERS: usize = 100;

/// The latest requests, the oldest first.
#[derive(Default)]
pub struct RequestLog(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    entries: VecDeque<Entry>,
    /// The size of all entries in memory.
    bytes: usize,
}

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
        lock(&self.0).push(Entry {
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
        lock(&self.0).entries.iter().cloned().collect()
    }
}

impl Entries {
    /// Adds an entry, and removes the oldest ones that exceed the limits.
    fn push(&mut self, entry: Entry) {
        self.bytes += entry.size();
        self.entries.push_back(entry);
        while self.bytes > MAX_BYTES || self.entries.len() > CAPACITY {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.size();
        }
    }
}

impl Entry {
    /// Returns the size of the entry in memory, in bytes.
    fn size(&self) -> usize {
        let header = |name: &String| size_of::<String>() + name.len();
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + self.method.len()
            + self.host.len()
            + self.path.len()
            + self.headers.iter().map(header).sum::<usize>()
            + optional(&self.key)
            + optional(&self.idempotency_key)
    }
}

/// Returns the start of a text.
fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_TEXT_BYTES)].to_owned()
}

fn mask(key: Option<&str>) -> String {
    let key = key.unwrap_or_default();
    let prefix: String = key.chars().take((key.len() / 4).min(6)).collect();
    format!("{prefix}… ({} characters)", key.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_the_entries_by_their_size() {
        let log = RequestLog::default();
        for number in 0..CAPACITY as Millis {
            let mut request = Request::builder().uri("/a".repeat(MAX_TEXT_BYTES));
            for header in 0..50 {
                request = request.header(format!("{header}-{}", "b".repeat(1000)), "c");
            }
            log.add(&request.body(()).unwrap(), 0, StatusCode::OK, None, number);
        }
        let entries = log.entries();
        let size: usize = entries.iter().map(Entry::size).sum();
        assert!((MAX_BYTES / 2..=MAX_BYTES).contains(&size), "{size}");
        assert_eq!(entries.last().unwrap().at, CAPACITY as Millis - 1);
        assert_eq!(lock(&log.0).bytes, size);
    }
}
