//! `GET /health`, and `GET /metrics` in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{Api, ClientMetrics, Metrics, Response};
use hyper::StatusCode;
use serde_json::json;

use crate::clock::now;
use crate::engines::{ConfiguredEngine, RequestCounts};

/// Counts responses by status, and the requests to each remote engine.
pub struct ServerMetrics {
    /// By status; 0 counts connections that were closed without a response.
    responses: Mutex<BTreeMap<u16, u64>>,
    /// With the engines' names.
    engines: Vec<(String, Arc<RequestCounts>)>,
}

impl ServerMetrics {
    /// Starts all counts at 0.
    pub fn new(engines: &[ConfiguredEngine]) -> Self {
        let remote = engines
            .iter()
            .filter_map(|engine| Some((engine.name.clone(), engine.request_counts.clone()?)));
        Self {
            responses: Mutex::default(),
            engines: remote.collect(),
        }
    }

    /// Counts a response. `None` means that the connection was closed without one.
    pub fn count(&self, status: Option<StatusCode>) {
        let status = status.map_or(0, |status| status.as_u16());
        *self.responses().entry(status).or_default() += 1;
    }

    fn responses(&self) -> MutexGuard<'_, BTreeMap<u16, u64>> {
        self.responses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the response to `/health`, which is 503 while sessions cannot be stored, or to `/metrics`
/// for a loopback peer. Returns `None` for any other request.
pub fn respond(api: &Api, server: &ServerMetrics, peer: IpAddr, path: &str) -> Option<Response> {
    let json = "application/json";
    // The store may have to be read.
    let result = tokio::task::block_in_place(|| match path {
        "/health" => {
            let status = json!({"status": "ok"}).to_string();
            Some(api.check_store().map(|()| (json, status)))
        }
        "/metrics" if peer.to_canonical().is_loopback() => {
            let metrics = api.metrics(now());
            Some(metrics.map(|metrics| ("text/plain; version=0.0.4", render(&metrics, server))))
        }
        _ => None,
    })?;
    let (status, (media_type, text)) = match result {
        Ok(content) => (StatusCode::OK, content),
        Err(error) => {
            let message = format!("Sessions cannot be stored: {error}");
            let body = json!({"status": "error", "message": message});
            (StatusCode::SERVICE_UNAVAILABLE, (json, body.to_string()))
        }
    };
    let response = api::http::Response::builder().status(status);
    response
        .header("content-type", media_type)
        .header("cache-control", "no-store")
        .body(text.into_bytes())
        .ok()
}

/// Labels of a sample, and its value.
type Sample = (String, u64);

fn render(metrics: &Metrics, server: &ServerMetrics) -> String {
    let mut text = String::new();
    let mut write = |name: &str, kind: &str, help: &str, samples: &[Sample]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let unlabelled = |value: u64| [(String::new(), value)];
    write(
        "image_to_3d_sessions",
        "gauge",
        "Stored sessions.",
        &unlabelled(metrics.sessions as u64),
    );
    write(
        "image_to_3d_sessions_open",
        "gauge",
        "Sessions with pending work.",
        &unlabelled(metrics.pending as u64),
    );
    write(
        "image_to_3d_paid_today",
        "gauge",
        "Paid models requested today (UTC).",
        &unlabelled(u64::from(metrics.paid_today)),
    );
    if let Some(limit) = metrics.paid_daily_limit {
        write(
            "image_to_3d_paid_daily_limit",
            "gauge",
            "Maximum number of paid models per day (UTC).",
            &unlabelled(u64::from(limit)),
        );
    }
    let of_clients = |value: fn(&ClientMetrics) -> u64| -> Vec<Sample> {
        let clients = metrics.clients.iter();
        let label = |name: &str| {
            format!(
                "{{client=\"{}\"}}",
                name.replace('\\', "\\\\").replace('"', "\\\"")
            )
        };
        clients
            .map(|(name, client)| (label(name), value(client)))
            .collect()
    };
    write(
        "image_to_3d_client_sessions_total",
        "counter",
        "Sessions created by a client since the start of the server.",
        &of_clients(|client| client.created),
    );
    write(
        "image_to_3d_client_paid_today",
        "gauge",
        "Paid models that a client requested today (UTC).",
        &of_clients(|client| client.paid_today.into()),
    );
    let (mut jobs, mut ended) = (Vec::new(), Vec::new());
    let labels = |engine: &str, name: &str, value: &str| {
        format!("{{engine=\"{engine}\",{name}=\"{value}\"}}")
    };
    for (name, engine) in &metrics.engines {
        jobs.push((labels(name, "state", "waiting"), engine.waiting as u64));
        jobs.push((labels(name, "state", "running"), engine.running as u64));
        ended.push((labels(name, "end", "done"), engine.done));
        ended.push((labels(name, "end", "failed"), engine.failed));
    }
    write(
        "image_to_3d_jobs",
        "gauge",
        "Sessions that wait for an engine or are processed by it.",
        &jobs,
    );
    write(
        "image_to_3d_sessions_ended_total",
        "counter",
        "Sessions by outcome.",
        &ended,
    );
    let requests: Vec<_> = server
        .engines
        .iter()
        .flat_map(|(name, counts)| {
            let outcomes = counts.by_outcome();
            outcomes.map(|(outcome, count)| (labels(name, "outcome", outcome), count))
        })
        .collect();
    write(
        "image_to_3d_model_requests_total",
        "counter",
        "Requests for a model to a remote engine; those with an unknown outcome may have been charged.",
        &requests,
    );
    let responses: Vec<_> = server
        .responses()
        .iter()
        .map(|(status, count)| (format!("{{status=\"{status}\"}}"), *count))
        .collect();
    write(
        "image_to_3d_requests_total",
        "counter",
        "Requests by response status; 0 for connections closed without a response.",
        &responses,
    );
    text
}
