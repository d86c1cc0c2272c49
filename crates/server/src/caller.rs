//! The sender of a request, as the log names it.

use std::fmt::Write;
use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::HeaderValue;

use crate::proxy::{self, ProxyTrust};

/// The header with the id of a request.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The maximum length of an id that a proxy has chosen.
const MAX_ID_BYTES: usize = 128;

/// The sender of a request, and an id that tells requests apart.
#[derive(Clone)]
pub struct Caller {
    /// The address of the peer, or the one that a trusted proxy names.
    pub address: IpAddr,
    /// The id of the request: a random one, or the one that a trusted proxy has chosen.
    pub request_id: HeaderValue,
}

impl Caller {
    /// Describes the sender of a request that was received from `peer`.
    pub fn new(peer: IpAddr, headers: &HeaderMap, trust: ProxyTrust) -> Self {
        let (address, id) = match trust {
            ProxyTrust::Trusted => (proxy::caller_address(headers), received_id(headers)),
            ProxyTrust::Untrusted => (None, None),
        };
        Self {
            address: address.unwrap_or(peer).to_canonical(),
            request_id: id.unwrap_or_else(random_id),
        }
    }
}

fn received_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID_HEADER)?;
    let is_length = (1..=MAX_ID_BYTES).contains(&id.len());
    (is_length && id.as_bytes().iter().all(u8::is_ascii_graphic)).then(|| id.clone())
}

fn random_id() -> HeaderValue {
    let mut bytes = [0; 8];
    // Without random numbers, all requests have the same id.
    let _ = getrandom::fill(&mut bytes);
    let mut id = String::new();
    for byte in bytes {
        let _ = write!(id, "{byte:02x}");
    }
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("-"))
}
