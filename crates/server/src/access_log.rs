//! The access log: one line for each request.

use std::time::Instant;

use api::Api;
use hyper::{Request, StatusCode};

/// A request whose line is written once its response is known. Holds neither the API key, nor the
/// body, nor the query, which may carry a token.
pub struct LogEntry {
    method: String,
    path: String,
    client: String,
    start: Instant,
}

impl LogEntry {
    /// Starts the entry of a request, and its clock.
    pub fn start<B>(api: &Api, request: &Request<B>) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.uri().path().chars().take(200).collect(),
            client: api.client_name(request).unwrap_or_else(|| "-".into()),
            start: Instant::now(),
        }
    }

    /// Writes the line. `None` means that the connection was closed without a response.
    pub fn write(self, status: Option<StatusCode>) {
        let Self {
            method,
            path,
            client,
            start,
        } = self;
        let status = status.map_or(0, |status| status.as_u16());
        let elapsed = start.elapsed().as_millis();
        tracing::info!("{method} {path} {status} {client} {elapsed} ms");
    }
}
