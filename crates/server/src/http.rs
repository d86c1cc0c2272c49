//! The thin shell: a whole request is read and handed to the sandbox, off the threads that keep
//! the connections going, and its answer is delivered as the sandbox says.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use api::{Api, Delivery, Millis};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_http::services::ServeDir;

use crate::body;
use crate::jobs::Workers;
use crate::pieces;
use crate::watch::{self, Counts};

/// A body as it is sent; an error in it closes the connection.
pub type Pieces = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// How long requests and jobs under way may take when the server ends.
const GRACE: Duration = Duration::from_secs(2);

/// The API, and a folder's files wherever the API has nothing. Without a folder the API answers
/// everything.
pub struct Shell {
    pub sandbox: Arc<Api>,
    pub workers: Workers,
    /// The largest body that is kept, in bytes.
    pub body_limit: usize,
    pub counts: Counts,
    pub site: Option<PathBuf>,
}

/// Serves every connection until `end`.
///
/// With hyper itself and not a framework on top of it: only so can a connection be closed without
/// an answer.
pub async fn serve(shell: Shell, listener: TcpListener, end: impl Future) {
    let shell = Arc::new(shell);
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let (stream, peer) = tokio::select! {
            _ = &mut end => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // As when too many files are open: some may be closed soon.
                    eprintln!("cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // Small pieces go out as they are written.
        let _ = stream.set_nodelay(true);
        let shell = shell.clone();
        let service = service_fn(move |request| watched(shell.clone(), peer.ip(), request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A connection that ends badly is its client's matter, or was asked for.
            let _ = connection.await;
        });
    }
    let requests = tokio::time::timeout(GRACE, graceful.shutdown());
    let jobs = tokio::task::spawn_blocking(move || shell.workers.end(GRACE));
    let _ = tokio::join!(requests, jobs);
}

/// An error closes the connection.
async fn watched(
    shell: Arc<Shell>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> anyhow::Result<Response<Pieces>> {
    if request.method() == Method::GET
        && let Some(text) = watch::answer(&shell.sandbox, &shell.counts, peer, request.uri().path())
    {
        return deliver(text).await;
    }
    let line = watch::Line::of(&shell.sandbox, &request);
    let answer = answer(shell.clone(), request).await;
    let status = answer.as_ref().ok().map(Response::status);
    line.write(status);
    shell.counts.add(status);
    answer
}

/// An error closes the connection.
async fn answer(shell: Arc<Shell>, request: Request<Incoming>) -> anyhow::Result<Response<Pieces>> {
    if let Some(site) = &shell.site
        && matches!(*request.method(), Method::GET | Method::HEAD)
        && !is_api(request.uri().path())
    {
        return match request.uri().path() {
            "/config.js" => page_config(),
            _ => file(site.clone(), request).await,
        };
    }
    if shell.sandbox.should_drop_connection(&request, now()) {
        bail!("asked for by the key, before the body");
    }
    let (head, body) = request.into_parts();
    let head = Request::from_parts(head, ());
    let limit = shell.body_limit;
    let body = match shell.sandbox.is_authorized(&head) {
        true => body::read(body, limit, body::TIME).await?,
        false => {
            // What it is answered stands already, and goes out while the body still comes.
            tokio::spawn(body::discard(body, limit, body::TIME_OF_STRANGERS));
            Some(Vec::new())
        }
    };
    let answer = match body {
        Some(body) => {
            let request = head.map(|()| body);
            tokio::task::spawn_blocking(move || {
                let answer = shell.sandbox.handle(&request, now());
                if request.method() == Method::POST {
                    shell.workers.wake();
                }
                answer
            })
            .await?
        }
        None => shell.sandbox.payload_too_large(&head, limit),
    };
    deliver(answer).await
}

fn is_api(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(first, Some("image-to-3d-sessions" | "files" | "sandbox"))
}

/// In place of the page's own `config.js`: here it begins with the API beside it.
fn page_config() -> anyhow::Result<Response<Pieces>> {
    let text = "export const start = \"server\";\nexport const server = location.origin;\n";
    let response = Response::builder()
        .header(CONTENT_TYPE, "text/javascript")
        .header(CACHE_CONTROL, "no-cache");
    Ok(response.body(Full::from(text).map_err(Into::into).boxed_unsync())?)
}

async fn file(site: PathBuf, request: Request<Incoming>) -> anyhow::Result<Response<Pieces>> {
    let mut response = ServeDir::new(site).oneshot(request).await?;
    // A page that was just built again must not be answered from a cache.
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

async fn deliver(mut answer: api::Response) -> anyhow::Result<Response<Pieces>> {
    // Said in advance, so that a body that ends too early is known for one.
    let length = HeaderValue::from(answer.body().len());
    let delivery = answer.extensions_mut().remove::<Delivery>();
    let in_pieces = match delivery {
        None => {
            let whole = |body| Full::from(body).map_err(|never: Infallible| match never {});
            return Ok(answer.map(|body: Vec<u8>| whole(body).boxed_unsync()));
        }
        Some(Delivery::Drop) => bail!("asked for by the key"),
        Some(Delivery::Stall) => return pending().await,
        Some(Delivery::Truncate) => pieces::half,
        Some(Delivery::Throttle) => pieces::slow,
    };
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    Ok(answer.map(|body| in_pieces(body.into())))
}

/// The time by this machine's clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as Millis)
}
