//! The request type, and the values that this API reads from its headers.

/// A request with its whole body.
pub type Request = http::Request<Vec<u8>>;

/// The header that carries a caller's API key.
pub const API_KEY_HEADER: &str = "x-api-key";

/// Returns the API key of a request, or `None` if it has none that is readable text.
pub fn api_key<B>(request: &http::Request<B>) -> Option<&str> {
    request.headers().get(API_KEY_HEADER)?.to_str().ok()
}
