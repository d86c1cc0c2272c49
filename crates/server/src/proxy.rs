//! A proxy in front of the server: the URL under which callers reach it, and the headers that it sets.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use api::Forwarded;
use api::http::uri::{Authority, Scheme};
use api::http::{HeaderMap, HeaderName, Uri};
use contract::quote;
use hyper::header::FORWARDED;
use serde::Deserialize;

/// The URL under which callers reach the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    /// The URL without a final slash.
    pub url: String,
    /// The origin of its pages, as browsers send it.
    pub origin: String,
    /// The host name without a port.
    pub host_name: String,
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let uri: Uri = text.parse().ok()?;
            let (scheme, authority) = (uri.scheme()?, uri.authority()?);
            let is_web = [Scheme::HTTP, Scheme::HTTPS].contains(scheme);
            let is_plain = !authority.as_str().contains('@') && uri.query().is_none();
            if !is_web || !is_plain || text.contains('#') || authority.host().is_empty() {
                return None;
            }
            let host = authority.host().to_ascii_lowercase();
            // Browsers leave out the default port.
            let default_port = if *scheme == Scheme::HTTPS { 443 } else { 80 };
            let origin = match authority.port_u16().filter(|port| *port != default_port) {
                Some(port) => format!("{scheme}://{host}:{port}"),
                None => format!("{scheme}://{host}"),
            };
            Some(Self {
                url: format!("{origin}{}", uri.path().trim_end_matches('/')),
                origin,
                host_name: host,
            })
        };
        parsed().ok_or("expected an http: or https: URL such as \"https://shop.example/api\"")
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let invalid = |expected| format!("Invalid public_url {}: {expected}", quote(&text));
        text.parse().map_err(invalid)
    }
}

/// The header in which a client names the user for whom it sends a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ClientHeader(pub HeaderName);

impl FromStr for ClientHeader {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The value is stored and logged, which a key must not be.
        let is_secret = |name: &HeaderName| {
            [api::API_KEY_HEADER, "authorization", "cookie"].contains(&name.as_str())
        };
        let name = text.parse().ok().filter(|name| !is_secret(name));
        let expected = "expected the name of a header without secrets, such as \"x-user-id\"";
        name.map(Self).ok_or(expected)
    }
}

impl TryFrom<String> for ClientHeader {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let invalid = |expected| format!("Invalid client_header {}: {expected}", quote(&text));
        text.parse().map_err(invalid)
    }
}

/// Whether the headers of a proxy in front of the server are trusted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ProxyTrust {
    Trusted,
    Untrusted,
}

/// Reads the address of the caller, as the proxy names it. The last value counts, as in [`forwarded`].
pub fn caller_address(headers: &HeaderMap) -> Option<IpAddr> {
    let text = last_value(headers, "x-forwarded-for").or_else(|| last_parameter(headers, "for"))?;
    // With a port, or in brackets.
    let socket = text.parse().map(|socket: SocketAddr| socket.ip());
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    socket.or_else(|_| bare.parse()).ok()
}

/// Reads the address under which the caller reached the proxy. Ignores invalid values.
///
/// The last value of a header counts: the proxy in front of this server has added it, and the
/// earlier ones may be the caller's own. `X-Forwarded-*` precede `Forwarded`, which most proxies
/// pass on as they receive it.
pub fn forwarded(headers: &HeaderMap) -> Forwarded {
    let value = |name: &str, parameter: &str| {
        last_value(headers, name).or_else(|| last_parameter(headers, parameter))
    };
    let scheme = value("x-forwarded-proto", "proto").and_then(|scheme| match &*scheme {
        "http" => Some(Scheme::HTTP),
        "https" => Some(Scheme::HTTPS),
        _ => None,
    });
    let host = value("x-forwarded-host", "host").and_then(|host| host.parse::<Authority>().ok());
    let prefix = last_value(headers, "x-forwarded-prefix").filter(|prefix| is_path(prefix));
    Forwarded {
        scheme,
        host: host.filter(|host| !host.as_str().contains('@')),
        prefix: prefix.map_or_else(String::new, |prefix| {
            prefix.trim_end_matches('/').to_owned()
        }),
    }
}

/// Returns whether a text is an absolute path without a query, as it stands in a URL.
fn is_path(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
    text.starts_with('/') && !text.starts_with("//") && text.bytes().all(is_part)
}

/// Returns the last value of a header that is a list.
fn last_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = value.rsplit(',').next()?.trim();
    (!last.is_empty()).then(|| last.to_owned())
}

/// Returns a parameter of the last element of `Forwarded` (RFC 7239).
fn last_parameter(headers: &HeaderMap, name: &str) -> Option<String> {
    let element = last_value(headers, FORWARDED.as_str())?;
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    let (_, value) = values.next()?;
    Some(value.trim().trim_matches('"').to_owned())
}
