//! Access control: API keys and the origins of web pages.

use std::net::IpAddr;

use http::header::{HOST, HeaderValue, ORIGIN};
use http::{Method, Request, StatusCode};
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::request::api_key;

/// A caller with its own API key.
#[derive(Clone)]
pub struct Client {
    /// The name of the client in logs and quotas.
    pub name: String,
    /// The key that the client sends as `x-api-key`.
    pub key: String,
}

/// Decides which requests are handled, and for whom.
#[derive(Default)]
pub struct AccessControl {
    /// The names of the clients with the digests of their keys. Digests of equal length make the
    /// comparison independent of the key.
    clients: Vec<(String, Vec<u8>)>,
    /// The origins whose pages may use the API; `None` allows all.
    allowed_origins: Option<Vec<String>>,
    /// The secret from which the tokens of file URLs are derived.
    url_secret: Vec<u8>,
}

impl AccessControl {
    pub fn new(
        clients: &[Client],
        allowed_origins: Option<Vec<String>>,
        url_secret: Vec<u8>,
    ) -> Self {
        let digests = clients
            .iter()
            .map(|client| (client.name.clone(), digest(&[client.key.as_bytes()])));
        Self {
            clients: digests.collect(),
            allowed_origins,
            url_secret,
        }
    }

    /// Returns whether callers need an API key.
    pub fn requires_key(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Returns the name of the client that sent a request, or `None` if callers need no key.
    ///
    /// # Errors
    /// Fails with status 401 if the key is missing or unknown.
    pub fn authenticate<B>(&self, request: &Request<B>) -> Result<Option<&str>, ApiError> {
        if !self.requires_key() {
            return Ok(None);
        }
        let unauthorized = |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, message);
        let key = api_key(request)
            .ok_or_else(|| unauthorized("Missing x-api-key: expected an API key of this server"))?;
        let received = digest(&[key.as_bytes()]);
        let client = self.clients.iter().find(|(_, digest)| *digest == received);
        match client {
            Some((name, _)) => Ok(Some(name)),
            None => Err(unauthorized("x-api-key: unknown API key")),
        }
    }

    /// Returns the value of `Access-Control-Allow-Origin` for a request, or `None` if its origin is
    /// not allowed.
    pub fn allowed_origin<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let any = HeaderValue::from_static("*");
        let Some(allowed) = &self.allowed_origins else {
            return Some(any);
        };
        // Only browsers send an origin; other callers need no CORS headers.
        let Some(origin) = request.headers().get(ORIGIN) else {
            return Some(any);
        };
        let text = origin.to_str().ok()?;
        let host = request.headers().get(HOST)?.to_str().ok()?;
        let own = [format!("http://{host}"), format!("https://{host}")];
        let own = own.iter().filter(|_| is_local_or_ip(host));
        let is_allowed = allowed.iter().chain(own).any(|allowed| allowed == text);
        is_allowed.then(|| origin.clone())
    }

    /// Checks whether the origin of a request is allowed. Without this check, a page could cause
    /// changes although CORS keeps it from reading the response.
    ///
    /// # Errors
    /// Fails with status 403 if the origin is not allowed.
    pub fn check_origin<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        if request.method() == Method::OPTIONS || self.allowed_origin(request).is_some() {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "Requests from pages of this origin are not allowed",
        ))
    }

    /// Derives the token that protects the file URLs of the session with this id, or returns `None`
    /// if callers need no key. The token is in the URL because an `<img>` or a viewer sends no key.
    pub fn url_token(&self, id: &str) -> Option<String> {
        if !self.requires_key() {
            return None;
        }
        let digest = digest(&[&self.url_secret, id.as_bytes()]);
        Some(
            digest[..16]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }
}

/// Returns whether a `Host` is `localhost` or an IP address. Any other name may belong to an
/// attacker who points it to this machine (DNS rebinding).
fn is_local_or_ip(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse::<IpAddr>().is_ok()
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().to_vec()
}
