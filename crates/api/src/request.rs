//! The request type, and the values that this API reads from its headers.

use http::header::HOST;

/// A request with its whole body.
pub type Request = http::Request<Vec<u8>>;

/// The header that carries a caller's API key.
pub const API_KEY_HEADER: &str = "x-api-key";

/// Returns the API key of a request, or `None` if it has none that is readable text.
pub fn api_key<B>(request: &http::Request<B>) -> Option<&str> {
    request.headers().get(API_KEY_HEADER)?.to_str().ok()
}

/// Returns the scheme and host under which the caller reaches this server, taken from the
/// request's `Host` and `X-Forwarded-Proto` headers.
pub fn base_url<B>(request: &http::Request<B>) -> String {
    let host = request.headers().get(HOST);
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    // Set by a proxy that terminates TLS.
    let scheme = request.headers().get("x-forwarded-proto");
    match scheme.is_some_and(|scheme| scheme == "https") {
        true => format!("https://{host}"),
        false => format!("http://{host}"),
    }
}
