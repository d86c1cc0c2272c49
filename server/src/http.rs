//! The thin shell: a whole request is read and handed to the sandbox, off the threads that keep
//! the connections going.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::Response;
use axum::routing::any;
use http_body_util::BodyExt;
use sandbox::{Millis, Sandbox};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeader;

struct Shell {
    sandbox: Sandbox,
    body_limit: usize,
}

/// The API, and a folder's files wherever the API has nothing. Without a folder the API answers
/// everything.
pub fn router(sandbox: Sandbox, body_limit: usize, site: Option<PathBuf>) -> Router {
    let shell = Arc::new(Shell {
        sandbox,
        body_limit,
    });
    let Some(site) = site else {
        return Router::new().fallback(answer).with_state(shell);
    };
    let mut router = Router::new();
    for path in [
        "/image-to-3d-sessions",
        "/image-to-3d-sessions/{*rest}",
        "/files/{*rest}",
        "/sandbox/{*rest}",
    ] {
        router = router.route(path, any(answer));
    }
    let files = ServeDir::new(site);
    // A page that was just built again must not be answered from a cache.
    let files =
        SetResponseHeader::overriding(files, CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    router.fallback_service(files).with_state(shell)
}

async fn answer(State(shell): State<Arc<Shell>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read(body, shell.body_limit).await {
        Ok(Some(body)) => body,
        Ok(None) => return shell.sandbox.too_large(shell.body_limit).map(Body::from),
        // The caller is gone; nobody reads this.
        Err(_) => return Response::default(),
    };
    let request = sandbox::Request::from_parts(parts, body);
    let answered = tokio::task::spawn_blocking(move || shell.sandbox.handle(&request, now())).await;
    match answered {
        Ok(response) => response.map(Body::from),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// The whole body, or `None` where it is larger than the limit. It is read to its end even then:
/// a client that is cut off while it sends never sees the answer.
async fn read(mut body: Body, limit: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            fits &= bytes.len() + data.len() <= limit;
            if fits {
                bytes.extend_from_slice(&data);
            } else {
                bytes = Vec::new();
            }
        }
    }
    Ok(fits.then_some(bytes))
}

/// The time by this machine's clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as Millis)
}
