//! The CORS headers of responses.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONNECTION, HeaderValue,
    VARY,
};
use http::{HeaderName, Request};

use crate::response::{Response, no_content, with_header};
use crate::web_access::OriginAccess;

/// Sent with the preflight of a request from a public page to a private address.
const REQUEST_PRIVATE_NETWORK: &str = "access-control-request-private-network";

/// The headers that pages of other origins can read, beside those that they always can.
const EXPOSED: &str =
    "retry-after, etag, accept-ranges, content-range, content-disposition, x-request-id";

/// Creates the response to a CORS preflight request.
///
/// Chromium sent [`REQUEST_PRIVATE_NETWORK`] for Private Network Access. Its successor, Local Network
/// Access, asks the user and has no header.
pub fn preflight<B>(request: &Request<B>, access: OriginAccess) -> Response {
    let mut response = no_content();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "x-api-key, content-type, idempotency-key",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        // A browser repeats a POST if the connection that it reused is closed before the first
        // byte of the response. Right after a preflight there is no connection to reuse.
        (CONNECTION, "close"),
    ] {
        response = with_header(response, name, HeaderValue::from_static(value));
    }
    let is_private = request.headers().get(REQUEST_PRIVATE_NETWORK);
    if access == OriginAccess::Allowed && is_private.is_some_and(|value| value == "true") {
        let name = HeaderName::from_static("access-control-allow-private-network");
        response = with_header(response, name, HeaderValue::from_static("true"));
    }
    response
}

/// Marks a response, as an extension, to be sent without CORS headers.
#[derive(Clone, Copy)]
pub struct WithoutCors;

/// Adds CORS headers unless they are already set. `origin` is the origin whose pages may read the
/// response, or `*`.
pub fn with_cors(mut response: Response, origin: HeaderValue) -> Response {
    let without_cors = response.extensions().get::<WithoutCors>().is_some();
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if without_cors {
        return response;
    }
    if origin != "*" {
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    let exposed = HeaderValue::from_static(EXPOSED);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
    ] {
        headers.entry(name).or_insert(value);
    }
    response
}
