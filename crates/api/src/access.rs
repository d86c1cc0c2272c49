//! Access control: API keys.

use http::{Request, StatusCode};
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

/// Decides which callers' requests are handled, and for whom.
#[derive(Default)]
pub struct AccessControl {
    /// The names of the clients with the digests of their keys. Digests of equal length make the
    /// comparison independent of the key.
    clients: Vec<(String, Vec<u8>)>,
    /// The secret from which the tokens of file URLs are derived.
    url_secret: Vec<u8>,
}

impl AccessControl {
    pub fn new(clients: &[Client], url_secret: Vec<u8>) -> Self {
        let digests = clients
            .iter()
            .map(|client| (client.name.clone(), digest(&[client.key.as_bytes()])));
        Self {
            clients: digests.collect(),
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

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().to_vec()
}
