//! The address under which a caller reaches the API.

use http::Request;
use http::header::HOST;
use http::uri::{Authority, Scheme};

/// The address under which a caller reached the proxy in front of the API, an extension of the
/// request. Whoever sets it must have received it from a proxy that can be trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forwarded {
    /// `http` or `https`.
    pub scheme: Option<Scheme>,
    /// The host, with its port unless it is the default one.
    pub host: Option<Authority>,
    /// The part of the path that the proxy removed: `/api`, or nothing.
    pub prefix: String,
}

/// Returns the URL under which the caller reaches this API, without a final slash: `public_url`, or
/// the address at the proxy, or that of the request itself.
pub fn base_url<B>(request: &Request<B>, public_url: Option<&str>) -> String {
    if let Some(url) = public_url {
        return url.to_owned();
    }
    let Forwarded {
        scheme,
        host,
        prefix,
    } = forwarded(request).cloned().unwrap_or_default();
    let host = match &host {
        Some(host) => host.as_str(),
        None => {
            let host = request.headers().get(HOST);
            host.and_then(|host| host.to_str().ok())
                .unwrap_or("localhost")
        }
    };
    // Honoured from every sender: it changes nothing but the URLs in the sender's own response.
    let is_https = || {
        let scheme = request.headers().get("x-forwarded-proto");
        scheme.is_some_and(|scheme| scheme == "https")
    };
    let scheme = scheme.unwrap_or_else(|| match is_https() {
        true => Scheme::HTTPS,
        false => Scheme::HTTP,
    });
    format!("{scheme}://{host}{prefix}")
}

/// Returns the host under which the caller reached the proxy, or `None` if it is unknown.
pub fn forwarded_host<B>(request: &Request<B>) -> Option<&str> {
    Some(forwarded(request)?.host.as_ref()?.as_str())
}

fn forwarded<B>(request: &Request<B>) -> Option<&Forwarded> {
    request.extensions().get()
}
