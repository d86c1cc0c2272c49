//! The HTTP server: reads each request, has the API handle it on a blocking thread, and delivers the
//! response as the API demands.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use api::{Api, Delivery, StatusText};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::acceptor::Acceptor;
use crate::access_log::LogEntry;
use crate::activity::{Exchange, Phase};
use crate::body;
use crate::caller::{Caller, REQUEST_ID_HEADER};
use crate::chunks::{ResponseBody, chunked};
use crate::clock::now;
use crate::compression::{Uncompressed, compress};
use crate::connections::Connections;
use crate::docs;
use crate::metrics::{self, ServerMetrics};
use crate::proxy::{self, ProxyTrust};
use crate::site;
use crate::stream::{TimeLimits, serve_stream};
use crate::workers::Workers;

/// How long requests and jobs may take to end when the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The state that all connections share.
pub struct AppState {
    /// Handles the requests.
    pub api: Arc<Api>,
    /// Process the jobs that requests create.
    pub workers: Workers,
    /// The largest accepted request body, in bytes.
    pub body_limit: usize,
    /// Counts the responses.
    pub metrics: ServerMetrics,
    /// A folder whose files are served at all paths outside the API. Without one, the API responds
    /// to every path.
    pub site: Option<PathBuf>,
    /// Whether the headers of a proxy in front of the server are trusted.
    pub proxy_trust: ProxyTrust,
    /// How long connections wait for their peers.
    pub time_limits: TimeLimits,
}

/// Serves connections until `shutdown` completes.
///
/// Uses hyper without a framework, because frameworks offer no way to close a connection without a
/// response.
pub async fn serve(
    state: AppState,
    listener: TcpListener,
    connections: Arc<Connections>,
    shutdown: impl Future,
) {
    let state = Arc::new(state);
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut acceptor = Acceptor::new(listener, connections);
    loop {
        let (stream, peer, connection) = tokio::select! {
            _ = &mut shutdown => break,
            accepted = acceptor.accept() => accepted,
        };
        // Throttled responses send small chunks, each of which must leave at once.
        let _ = stream.set_nodelay(true);
        let (state, watcher) = (state.clone(), graceful.watcher());
        tokio::spawn(async move {
            let (shared, activity) = (state.clone(), connection.activity.clone());
            let service = service_fn(move |request| {
                let (state, exchange) = (shared.clone(), Exchange::start(activity.clone()));
                async move {
                    let response = respond(state, peer, &exchange, request).await?;
                    Ok::<_, anyhow::Error>(response.map(|body| exchange.end_with(body)))
                }
            });
            let (activity, limits) = (&connection.activity, &state.time_limits);
            serve_stream(stream, service, activity, limits, watcher).await;
        });
    }
    let requests = tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown());
    let workers = tokio::task::spawn_blocking(move || state.workers.stop(SHUTDOWN_TIMEOUT));
    let _ = tokio::join!(requests, workers);
}

/// Responds to a request, logs and counts it.
///
/// # Errors
/// Any error closes the connection without a response.
async fn respond(
    state: Arc<AppState>,
    peer: IpAddr,
    exchange: &Exchange,
    mut request: Request<Incoming>,
) -> anyhow::Result<Response<ResponseBody>> {
    if state.proxy_trust == ProxyTrust::Trusted {
        let forwarded = proxy::forwarded(request.headers());
        request.extensions_mut().insert(forwarded);
    }
    let caller = Caller::new(peer, request.headers(), state.proxy_trust);
    let request_id = caller.request_id.clone();
    let mut response = respond_to(state, caller, exchange, request).await?;
    response.headers_mut().insert(REQUEST_ID_HEADER, request_id);
    Ok(response)
}

async fn respond_to(
    state: Arc<AppState>,
    caller: Caller,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> anyhow::Result<Response<ResponseBody>> {
    let path = request.uri().path();
    if request.method() == Method::GET
        && state.api.is_host_allowed(&request)
        && let Some(response) = metrics::respond(&state.api, &state.metrics, caller.address, path)
    {
        return deliver(response, exchange).await;
    }
    let entry = LogEntry::start(&state.api, caller, &request);
    let accept_encoding = request.headers().get(ACCEPT_ENCODING).cloned();
    let is_get = request.method() == Method::GET;
    let response = match handle(state.clone(), exchange, request).await {
        Ok(response) if is_get => compress(accept_encoding, response).await,
        response => response,
    };
    let status = response.as_ref().ok().map(Response::status);
    entry.write(status);
    state.metrics.count(status);
    response
}

async fn handle(
    state: Arc<AppState>,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> anyhow::Result<Response<ResponseBody>> {
    if let Some(response) = docs::respond(&request)
        && state.api.is_host_allowed(&request)
    {
        return Ok(response);
    }
    if let Some(site) = &state.site
        && site::is_site_request(&request)
        && state.api.is_host_allowed(&request)
    {
        return site::respond(site, request).await;
    }
    if state.api.should_drop_connection(&request, now()) {
        bail!("The connection is dropped on request, before the body");
    }
    let (head, body) = request.into_parts();
    let head = Request::from_parts(head, ());
    let limit = state.body_limit;
    let body = match state.api.is_authorized(&head) {
        true => {
            exchange.receive_body();
            let body = body::read(body, limit, state.time_limits.body).await?;
            exchange.enter(Phase::Handling);
            body
        }
        false => {
            // The response depends on the head alone, and is sent while the body still arrives.
            tokio::spawn(body::discard(body, limit, state.time_limits.discarded_body));
            Some(Vec::new())
        }
    };
    let response = match body {
        Some(body) => {
            let request = head.map(|()| body);
            tokio::task::spawn_blocking(move || {
                let response = state.api.handle(&request, now());
                if matches!(*request.method(), Method::POST | Method::DELETE) {
                    state.workers.wake();
                }
                response
            })
            .await?
        }
        None => state.api.payload_too_large(&head, limit),
    };
    deliver(response, exchange).await
}

async fn deliver(
    mut response: api::Response,
    exchange: &Exchange,
) -> anyhow::Result<Response<ResponseBody>> {
    if let Some(StatusText(text)) = response.extensions_mut().remove::<StatusText>()
        && let Ok(reason) = ReasonPhrase::try_from(text)
    {
        response.extensions_mut().insert(reason);
    }
    // Without a content length, a client cannot tell that a body was truncated.
    let length = response.body().len();
    let Some(delivery) = response.extensions_mut().remove::<Delivery>() else {
        let full = |body| Full::from(body).map_err(|never: Infallible| match never {});
        return Ok(response.map(|body| full(body).boxed_unsync()));
    };
    if delivery == Delivery::Stall {
        // Such a connection may be closed for another.
        exchange.enter(Phase::Responding);
        return pending().await;
    }
    let plan = delivery.chunk_plan(length);
    let plan = plan.context("The connection is dropped on request")?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    // A compressed body would have other chunks, and no known length.
    response.extensions_mut().insert(Uncompressed);
    Ok(response.map(|body| chunked(&body.into(), plan)))
}
