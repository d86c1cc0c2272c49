//! What those who run the server see: a line for each request, its health, its metrics.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use api::{Api, Response};
use hyper::{Request, StatusCode};

use crate::engines::{Offered, Requests};
use crate::http::now;

/// How many requests were answered how, and what the engines were asked for.
pub struct Counts {
    answers: Mutex<BTreeMap<u16, u64>>,
    /// By the names of the engines.
    engines: Vec<(String, Arc<Requests>)>,
}

impl Counts {
    pub fn new(engines: &[Offered]) -> Self {
        let elsewhere = engines
            .iter()
            .filter_map(|engine| Some((engine.name.clone(), engine.requests.clone()?)));
        Self {
            answers: Mutex::default(),
            engines: elsewhere.collect(),
        }
    }

    /// Counts an answer; 0 stands for a connection that was closed without one.
    pub fn add(&self, status: Option<StatusCode>) {
        let mut counts = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let status = status.map_or(0, |status| status.as_u16());
        *counts.entry(status).or_default() += 1;
    }
}

/// Answers `/health`, and `/metrics` to those on this machine. The metrics are in the text format
/// of Prometheus.
pub fn answer(sandbox: &Api, counts: &Counts, peer: IpAddr, path: &str) -> Option<Response> {
    let (media_type, text) = match path {
        "/health" => ("application/json", r#"{"status":"ok"}"#.to_owned()),
        "/metrics" if peer.to_canonical().is_loopback() => {
            ("text/plain; version=0.0.4", metrics(sandbox, counts))
        }
        _ => return None,
    };
    let response = api::http::Response::builder();
    response
        .header("content-type", media_type)
        .header("cache-control", "no-store")
        .body(text.into_bytes())
        .ok()
}

fn metrics(sandbox: &Api, counts: &Counts) -> String {
    let metrics = sandbox.metrics(now());
    let mut text = String::new();
    let mut figure = |name: &str, kind: &str, what: &str, values: &[(String, u64)]| {
        // A text never refuses to be written to.
        let _ = writeln!(text, "# HELP {name} {what}\n# TYPE {name} {kind}");
        for (label, value) in values {
            let _ = writeln!(text, "{name}{label} {value}");
        }
    };
    let alone = |value: u64| [(String::new(), value)];
    figure(
        "image_to_3d_sessions",
        "gauge",
        "Sessions that are kept.",
        &alone(metrics.sessions as u64),
    );
    figure(
        "image_to_3d_sessions_open",
        "gauge",
        "Sessions with work waiting or under way.",
        &alone(metrics.pending as u64),
    );
    figure(
        "image_to_3d_paid_today",
        "gauge",
        "Models that cost money and were asked for this day (UTC).",
        &alone(u64::from(metrics.paid_today)),
    );
    if let Some(limit) = metrics.paid_daily_limit {
        figure(
            "image_to_3d_paid_daily_limit",
            "gauge",
            "Models that cost money and may be asked for in a day (UTC).",
            &alone(u64::from(limit)),
        );
    }
    let (mut jobs, mut ended) = (Vec::new(), Vec::new());
    let label = |engine: &str, what: &str, value: &str| {
        format!("{{engine=\"{engine}\",{what}=\"{value}\"}}")
    };
    for (name, engine) in &metrics.engines {
        jobs.push((label(name, "state", "waiting"), engine.waiting as u64));
        jobs.push((label(name, "state", "running"), engine.running as u64));
        ended.push((label(name, "end", "done"), engine.done));
        ended.push((label(name, "end", "failed"), engine.failed));
    }
    figure(
        "image_to_3d_jobs",
        "gauge",
        "Sessions that wait for an engine, or that it works for.",
        &jobs,
    );
    figure(
        "image_to_3d_sessions_ended_total",
        "counter",
        "Sessions by how they ended.",
        &ended,
    );
    let requests: Vec<_> = counts
        .engines
        .iter()
        .flat_map(|(name, requests)| {
            let counted = requests.counted();
            counted.map(|(outcome, count)| (label(name, "outcome", outcome), count))
        })
        .collect();
    figure(
        "image_to_3d_model_requests_total",
        "counter",
        "Requests for a model to an engine elsewhere; an unknown one may have been charged.",
        &requests,
    );
    let counts = counts
        .answers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let counts: Vec<_> = counts
        .iter()
        .map(|(status, count)| (format!("{{status=\"{status}\"}}"), *count))
        .collect();
    figure(
        "image_to_3d_requests_total",
        "counter",
        "Requests by the status of their answer, 0 for none.",
        &counts,
    );
    text
}

/// A request on its way into the log: without its key, its body, and its query, which may be signed.
pub struct Line {
    method: String,
    path: String,
    client: String,
    start: Instant,
}

impl Line {
    pub fn of<B>(sandbox: &Api, request: &Request<B>) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.uri().path().chars().take(200).collect(),
            client: sandbox.client_name(request).unwrap_or("-").to_owned(),
            start: Instant::now(),
        }
    }

    pub fn write(self, status: Option<StatusCode>) {
        let Self {
            method,
            path,
            client,
            start,
        } = self;
        let status = status.map_or(0, |status| status.as_u16());
        let took = start.elapsed().as_millis();
        tracing::info!("{method} {path} {status} {client} {took} ms");
    }
}
