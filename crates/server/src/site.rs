//! The website of `--site`.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use crate::chunks::ResponseBody;

/// The policy that `docs/deploy.md` recommends for the demo page, which no other page may embed: a click
/// in an invisible frame could pay for a model.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self' 'sha256-PXtZZkJMMyc18o/DN1ZEFOJ2qEGq95IQbVaJFMOXOb0='; \
    img-src 'self' blob: data: http: https:; connect-src 'self' blob: data: http: https:; \
    worker-src 'self' blob:; frame-ancestors 'none'";

/// The headers of all responses.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// The shortest content hash in the name of a file.
const MIN_HASH_DIGITS: usize = 16;

/// Returns whether a request is for the site and not for the API.
pub fn is_site_request<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !is_api_path(request.uri().path())
}

fn is_api_path(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(first, Some("image-to-3d-sessions" | "files" | "sandbox"))
}

/// Responds with a file of the site.
///
/// # Errors
/// Never fails: errors of the file system are responses.
pub async fn respond(
    site: &Path,
    request: Request<Incoming>,
) -> anyhow::Result<Response<ResponseBody>> {
    let is_hashed = has_content_hash(request.uri().path());
    let mut response = match request.uri().path() {
        "/config.js" => config()?,
        _ => file(site.to_owned(), request).await?,
    };
    let cache_control = HeaderValue::from_static(match response.status() {
        StatusCode::OK | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT if is_hashed => {
            "public, max-age=31536000, immutable"
        }
        // A site that was just rebuilt must not come from the browser's cache.
        _ => "no-cache",
    });
    response.headers_mut().insert(CACHE_CONTROL, cache_control);
    insert_headers(response.headers_mut());
    Ok(response)
}

/// Inserts the headers that every page and its files have.
pub fn insert_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Returns whether the name of a file contains a hash of its content: at least 16 hexadecimal digits
/// after `-` or `.`, as in `app-5f786a93d773374f.wasm`. Shorter ones could be words or dates.
fn has_content_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut parts = name.split(['-', '.']).skip(1);
    let is_hash = |part: &str| {
        part.len() >= MIN_HASH_DIGITS && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    parts.any(is_hash)
}

/// Returns the site's `config.js`, which makes the demo page start with this server. A proxy may
/// serve both under a path.
fn config() -> anyhow::Result<Response<ResponseBody>> {
    let text = "export const start = \"server\";\nexport const server = new URL(\".\", import.meta.url).href.slice(0, -1);\n";
    let response = Response::builder().header(CONTENT_TYPE, "text/javascript");
    Ok(response.body(Full::from(text).map_err(Into::into).boxed_unsync())?)
}

async fn file(site: PathBuf, request: Request<Incoming>) -> anyhow::Result<Response<ResponseBody>> {
    let response = ServeDir::new(site).oneshot(request).await?;
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}
