//! `GET /health`, and `GET /metrics` in the OpenMetrics format, which Prometheus reads.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use api::{Api, Metrics, Response};
use hyper::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::task::block_in_place;

use crate::clock::now;
use crate::engines::{ConfiguredEngine, RequestCounts};

/// The prefix of all names.
const PREFIX: &str = "image_to_3d";

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the histogram of job seconds. `sculpt` takes less than a second, and remote
/// engines up to `deadline`, 15 minutes by default.
const JOB_SECONDS: [f64; 12] = [
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0,
];

/// The names of labels and their values.
type Labels = Vec<(&'static str, String)>;

/// The time that jobs take, by engine. Clones share the values.
#[derive(Clone, Debug)]
pub struct JobSeconds(Family<Labels, Histogram, fn() -> Histogram>);

impl JobSeconds {
    /// Starts with no jobs of these engines.
    pub fn new(engines: &[ConfiguredEngine]) -> Self {
        let family = Family::new_with_constructor((|| Histogram::new(JOB_SECONDS)) as fn() -> _);
        for engine in engines {
            drop(family.get_or_create(&of_engine(&engine.name)));
        }
        Self(family)
    }

    /// Adds a job of an engine.
    pub fn observe(&self, engine: &str, time: Duration) {
        let histogram = self.0.get_or_create(&of_engine(engine));
        histogram.observe(time.as_secs_f64());
    }
}

/// Counts responses by status, and the requests to each remote engine.
pub struct ServerMetrics {
    /// By status; 0 counts connections that were closed without a response.
    responses: Family<Labels, Counter>,
    /// With the engines' names.
    engines: Vec<(String, Arc<RequestCounts>)>,
    job_seconds: JobSeconds,
}

impl ServerMetrics {
    /// Starts all counts at 0.
    pub fn new(engines: &[ConfiguredEngine], job_seconds: JobSeconds) -> Self {
        let remote = engines
            .iter()
            .filter_map(|engine| Some((engine.name.clone(), engine.request_counts.clone()?)));
        Self {
            responses: Family::default(),
            engines: remote.collect(),
            job_seconds,
        }
    }

    /// Counts a response. `None` means that the connection was closed without one.
    pub fn count(&self, status: Option<StatusCode>) {
        let status = status.map_or(0, |status| status.as_u16());
        let labels = vec![("status", status.to_string())];
        self.responses.get_or_create(&labels).inc();
    }
}

/// Returns the response to `/health`, which is 503 while sessions cannot be stored, or to `/metrics`
/// for a loopback peer. Returns `None` for any other request.
pub fn respond(api: &Api, server: &ServerMetrics, peer: IpAddr, path: &str) -> Option<Response> {
    let json = "application/json";
    // Only these read the store. To block in place moves the other tasks to another thread, which
    // halved the number of polls per second when every request did it.
    let result = match path {
        "/health" => block_in_place(|| api.check_store())
            .map(|()| (json, json!({"status": "ok"}).to_string())),
        "/metrics" if peer.to_canonical().is_loopback() => block_in_place(|| {
            let metrics = api.metrics(now())?;
            Ok((OPEN_METRICS, render(&metrics, server)?))
        }),
        _ => return None,
    };
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

fn of_engine(engine: &str) -> Labels {
    vec![("engine", engine.to_owned())]
}

/// Renders the metrics in the OpenMetrics format, which appends `_total` to the names of counters.
fn render(metrics: &Metrics, server: &ServerMetrics) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    let all = |value: u64| [(Labels::new(), value)];
    gauges(
        &mut registry,
        "sessions",
        "Stored sessions",
        all(metrics.sessions as u64),
    );
    gauges(
        &mut registry,
        "sessions_open",
        "Sessions with pending work",
        all(metrics.pending as u64),
    );
    gauges(
        &mut registry,
        "paid_today",
        "Paid models requested today (UTC)",
        all(metrics.paid_today.into()),
    );
    gauges(
        &mut registry,
        "paid_cents_today",
        "List prices of the paid models requested today (UTC), in US cents",
        all(metrics.paid_cents_today),
    );
    if let Some(limit) = metrics.paid_daily_limit_cents {
        gauges(
            &mut registry,
            "paid_daily_limit_cents",
            "Maximum list prices of paid models per day (UTC), in US cents",
            all(limit),
        );
    }
    if let Some(limit) = metrics.paid_daily_limit {
        gauges(
            &mut registry,
            "paid_daily_limit",
            "Maximum number of paid models per day (UTC)",
            all(limit.into()),
        );
    }
    let clients = metrics.clients.iter();
    let clients = clients.map(|(name, client)| (vec![("client", name.clone())], client));
    counters(
        &mut registry,
        "client_sessions",
        "Sessions created by a client since the start of the server",
        clients
            .clone()
            .map(|(labels, client)| (labels, client.created)),
    );
    gauges(
        &mut registry,
        "client_paid_today",
        "Paid models that a client requested today (UTC)",
        clients.map(|(labels, client)| (labels, client.paid_today.into())),
    );
    add_engines(&mut registry, metrics, server);
    registry.register(
        "requests",
        "Requests by response status; 0 for connections closed without a response",
        server.responses.clone(),
    );
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn add_engines(registry: &mut Registry, metrics: &Metrics, server: &ServerMetrics) {
    let labels = |engine: &str, name: &'static str, value: &str| {
        [of_engine(engine), vec![(name, value.to_owned())]].concat()
    };
    let engines = metrics.engines.iter();
    gauges(
        registry,
        "jobs",
        "Sessions that wait for an engine or are processed by it",
        engines.clone().flat_map(|(name, engine)| {
            let states = [("waiting", engine.waiting), ("running", engine.running)];
            states.map(|(state, count)| (labels(name, "state", state), count as u64))
        }),
    );
    let queue_age = Family::<Labels, Gauge<f64, AtomicU64>>::default();
    for (name, engine) in engines.clone() {
        let seconds = engine.queue_age as f64 / 1000.0;
        queue_age.get_or_create(&of_engine(name)).set(seconds);
    }
    registry.register(
        "queue_age_seconds",
        "How long the oldest waiting job of an engine has waited",
        queue_age,
    );
    registry.register(
        "job_seconds",
        "How long jobs took, failed ones included",
        server.job_seconds.0.clone(),
    );
    counters(
        registry,
        "sessions_ended",
        "Sessions by outcome",
        engines.flat_map(|(name, engine)| {
            let ends = [("done", engine.done), ("failed", engine.failed)];
            ends.map(|(end, count)| (labels(name, "end", end), count))
        }),
    );
    counters(
        registry,
        "model_requests",
        "Requests for a model to a remote engine; those with an unknown outcome may have been charged",
        server.engines.iter().flat_map(|(name, counts)| {
            let outcomes = counts.by_outcome();
            outcomes.map(|(outcome, count)| (labels(name, "outcome", outcome), count))
        }),
    );
}

fn gauges(
    registry: &mut Registry,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (Labels, u64)>,
) {
    let family = Family::<Labels, Gauge<u64, AtomicU64>>::default();
    for (labels, value) in samples {
        family.get_or_create(&labels).set(value);
    }
    registry.register(name, help, family);
}

fn counters(
    registry: &mut Registry,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (Labels, u64)>,
) {
    let family = Family::<Labels, Counter>::default();
    for (labels, value) in samples {
        family.get_or_create(&labels).inc_by(value);
    }
    registry.register(name, help, family);
}
