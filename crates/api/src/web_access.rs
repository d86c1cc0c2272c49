//! Which web pages may use the API, by their origin, and under which names it can be reached.

use std::net::IpAddr;

use http::header::{HOST, HeaderValue, ORIGIN};
use http::{Method, Request, StatusCode};

use crate::error::ApiError;
use crate::forwarded::forwarded_host;

/// Whether the page that sent a request may use the API.
#[derive(Clone, Copy, PartialEq)]
pub enum OriginAccess {
    Allowed,
    Refused,
}

/// Decides which web pages may use the API, and which hosts it responds for.
pub struct WebAccess {
    /// The allowed origins beside the local ones; `None` allows all.
    allowed_origins: Option<Vec<String>>,
    /// The allowed host names beside `localhost` and IP addresses; `None` allows all.
    allowed_hosts: Option<Vec<String>>,
}

impl WebAccess {
    pub fn new(allowed_origins: Option<Vec<String>>, allowed_hosts: Option<Vec<String>>) -> Self {
        Self {
            allowed_origins,
            allowed_hosts,
        }
    }

    /// Returns whether the page that sent a request may use the API. Requests without an origin are
    /// allowed: browsers send one with every request that causes a change or that a page of another
    /// origin can read.
    pub fn origin_access<B>(&self, request: &Request<B>) -> OriginAccess {
        let Some(allowed) = &self.allowed_origins else {
            return OriginAccess::Allowed;
        };
        let Some(origin) = request.headers().get(ORIGIN) else {
            return OriginAccess::Allowed;
        };
        let is_allowed = origin.to_str().is_ok_and(|origin| {
            is_loopback(origin)
                || is_own(origin, request)
                || allowed.iter().any(|one| one == origin)
        });
        match is_allowed {
            true => OriginAccess::Allowed,
            false => OriginAccess::Refused,
        }
    }

    /// Checks whether the origin of a request is allowed. Without this check, a page could cause
    /// changes although CORS keeps it from reading the response. Preflight requests pass, so that the
    /// page can read the error of the request that follows.
    ///
    /// # Errors
    /// Fails with status 403 if the origin is not allowed.
    pub fn check_origin<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        let access = self.origin_access(request);
        if request.method() == Method::OPTIONS || access == OriginAccess::Allowed {
            return Ok(());
        }
        let origin = request.headers().get(ORIGIN);
        let origin = origin.and_then(|origin| origin.to_str().ok());
        let message = match origin {
            // A sandboxed frame of any site has this origin too, so that no flag allows it alone.
            None | Some("null") => {
                "Requests from pages without an origin, such as local files, are \
                                    not allowed. Open the page from a web server at localhost"
                    .to_owned()
            }
            Some(origin) => format!(
                "Requests from pages of {origin} are not allowed. Start the server with --origin \
                 {origin}"
            ),
        };
        Err(ApiError::new(StatusCode::FORBIDDEN, message))
    }

    /// Returns the value of `Access-Control-Allow-Origin`. It names refused origins too, because
    /// their pages may read the error that says so.
    pub fn cors_origin<B>(&self, request: &Request<B>) -> HeaderValue {
        let origin = request.headers().get(ORIGIN);
        let origin = origin.filter(|_| self.allowed_origins.is_some());
        origin.cloned().unwrap_or(HeaderValue::from_static("*"))
    }

    /// Checks whether the API responds for the host of a request. Any other name may belong to an
    /// attacker who points it to this machine, so that the attacker's page has the same origin as
    /// the API (DNS rebinding). Requests without a host are allowed: browsers send one.
    ///
    /// # Errors
    /// Fails with status 421 if the host is not allowed.
    pub fn check_host<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        let Some(allowed) = &self.allowed_hosts else {
            return Ok(());
        };
        let header = request.headers().get_all(HOST).iter();
        let header = header.map(|host| String::from_utf8_lossy(host.as_bytes()));
        let target = request.uri().authority().map(|host| host.as_str().into());
        // The name at the proxy may be an attacker's too.
        let forwarded = forwarded_host(request).map(Into::into);
        for host in header.chain(target).chain(forwarded) {
            let name = host_name(&host);
            let is_allowed = name == "localhost"
                || is_ip_address(&name)
                || allowed.iter().any(|one| host_name(one) == name);
            if !is_allowed {
                return Err(ApiError::new(
                    StatusCode::MISDIRECTED_REQUEST,
                    format!(
                        "Requests for the host {name} are not allowed. Start the server with \
                         --host-name {name}"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Returns the name in a `Host`: without the port, in lower case.
fn host_name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.to_ascii_lowercase()
}

fn is_ip_address(name: &str) -> bool {
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()),
        None => name.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4()),
    }
}

/// Returns whether an origin is a page of this machine, with any scheme and port.
fn is_loopback(origin: &str) -> bool {
    let host = origin.split_once("://").map(|(_, host)| host_name(host));
    host.is_some_and(|host| matches!(&*host, "localhost" | "127.0.0.1" | "[::1]"))
}

/// Returns whether a page was served under the host of the request, or under the one at the proxy.
fn is_own<B>(origin: &str, request: &Request<B>) -> bool {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let hosts = [host, forwarded_host(request)];
    match origin.split_once("://") {
        Some(("http" | "https", origin)) => hosts.contains(&Some(origin)),
        _ => false,
    }
}
