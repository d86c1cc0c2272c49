//! The access log: one line for each request.

use std::time::Instant;

use api::Api;
use hyper::{Request, StatusCode};

use crate::caller::Caller;

/// A request whose line is written once its response is known. Holds neither the API key, nor the
/// body, nor the query, which may carry a token.
pub struct LogEntry {
    method: String,
    path: String,
    client: String,
    caller: Caller,
    start: Instant,
}

impl LogEntry {
    /// Starts the entry of a request, and its clock.
    pub fn start<B>(api: &Api, caller: Caller, request: &Request<B>) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.uri().path().chars().take(200).collect(),
            client: api.client_name(request).unwrap_or_else(|| "-".into()),
            caller,
            start: Instant::now(),
        }
    }

    /// Writes the line. `None` means that the connection was closed without a response.
    pub fn write(self, status: Option<StatusCode>) {
        let Self {
            method,
            path,
            client,
            caller,
            start,
        } = self;
        let status = status.map_or(0, |status| status.as_u16());
        let elapsed = start.elapsed().as_millis();
        let Caller {
            address,
            request_id,
        } = caller;
        let id = request_id.to_str().unwrap_or_default();
        tracing::info!("{method} {path} {status} {client} {elapsed} ms {address} {id}");
    }
}
