//! The requests that came, to be read back: a test counts what really was sent.

use std::collections::VecDeque;

use http::{Request, StatusCode, header};
use serde::Serialize;

use crate::delivery::Delivery;
use crate::{API_KEY_HEADER, Millis, api_key};

/// As many requests as are kept.
const KEPT: usize = 1000;

/// The newest requests, the oldest of them first.
#[derive(Default)]
pub struct Log(VecDeque<Entry>);

/// One request.
#[derive(Clone, Serialize)]
pub struct Entry {
    /// Milliseconds since 1970.
    at: Millis,
    method: String,
    host: String,
    /// With its query, but without the ticket of a file.
    path: String,
    /// The names of all headers.
    headers: Vec<String>,
    /// The key's first letters and its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    body_bytes: usize,
    /// What was answered; nothing where no byte of an answer was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What was done instead of simply answering.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
}

impl Log {
    pub fn add<B>(
        &mut self,
        request: &Request<B>,
        body_bytes: usize,
        status: StatusCode,
        delivery: Option<Delivery>,
        now: Millis,
    ) {
        let text = |name| {
            let value = request.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Entry {
            at: now,
            method: request.method().to_string(),
            host: text(header::HOST.as_str()).unwrap_or_default(),
            path: request
                .uri()
                .path_and_query()
                .map(|path| match path.as_str().split_once("?ticket=") {
                    Some((path, _)) => path.to_owned(),
                    None => path.to_string(),
                })
                .unwrap_or_default(),
            headers: request.headers().keys().map(ToString::to_string).collect(),
            key: request
                .headers()
                .contains_key(API_KEY_HEADER)
                .then(|| masked(api_key(request))),
            idempotency_key: text("idempotency-key"),
            body_bytes,
            status: delivery
                .is_none_or(Delivery::begins)
                .then_some(status.as_u16()),
            delivery,
        });
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.0.iter().cloned().collect()
    }
}

fn masked(key: Option<&str>) -> String {
    let key = key.unwrap_or_default();
    let shown: String = key.chars().take((key.len() / 4).min(6)).collect();
    format!("{shown}… ({} characters)", key.chars().count())
}
