//! Who may come in: callers with a key that is known, pages of origins that are.

use std::net::IpAddr;

use http::header::{HOST, HeaderValue, ORIGIN};
use http::{Method, Request, StatusCode};
use sha2::{Digest, Sha256};

use crate::api_key;
use crate::refusal::Refusal;

/// A caller with a key of its own.
#[derive(Clone)]
pub struct Client {
    /// Who it is, for those who run the server.
    pub name: String,
    /// What it sends as `x-api-key`.
    pub key: String,
}

/// Who may come in.
#[derive(Default)]
pub struct Gate {
    /// The digests of the keys, so that a comparison takes as long for any key.
    clients: Vec<(String, Vec<u8>)>,
    /// The origins whose pages may; all of them where there is no list.
    origins: Option<Vec<String>>,
    /// What the addresses of files are signed with.
    secret: Vec<u8>,
}

impl Gate {
    pub fn new(clients: &[Client], origins: Option<Vec<String>>, secret: Vec<u8>) -> Self {
        let digests = clients
            .iter()
            .map(|client| (client.name.clone(), digest(&[client.key.as_bytes()])));
        Self {
            clients: digests.collect(),
            origins,
            secret,
        }
    }

    /// Whether callers need a key.
    pub fn is_closed(&self) -> bool {
        !self.clients.is_empty()
    }

    /// The name of the caller; `None` where nobody needs one.
    ///
    /// # Errors
    /// The key is none that is known.
    pub fn caller<B>(&self, request: &Request<B>) -> Result<Option<&str>, Refusal> {
        if !self.is_closed() {
            return Ok(None);
        }
        let unauthorized = |words: &str| Refusal::Because(StatusCode::UNAUTHORIZED, words.into());
        let key = api_key(request).ok_or_else(|| unauthorized("x-api-key: missing"))?;
        let came = digest(&[key.as_bytes()]);
        let known = self.clients.iter().find(|(_, digest)| *digest == came);
        match known {
            Some((name, _)) => Ok(Some(name)),
            None => Err(unauthorized("x-api-key: this key is not known")),
        }
    }

    /// What an answer says about the page that may read it; `None` where this page may not.
    pub fn page<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let any = HeaderValue::from_static("*");
        let Some(origins) = &self.origins else {
            return Some(any);
        };
        // Who is no page says nothing, and needs nothing.
        let Some(origin) = request.headers().get(ORIGIN) else {
            return Some(any);
        };
        let text = origin.to_str().ok()?;
        let host = request.headers().get(HOST)?.to_str().ok()?;
        let own = [format!("http://{host}"), format!("https://{host}")];
        let own = own.iter().filter(|_| is_own_name(host));
        let known = origins.iter().chain(own).any(|known| known == text);
        known.then(|| origin.clone())
    }

    /// Whether a request may be answered at all: a page's request can do harm before the page is
    /// kept from reading the answer.
    pub fn admits<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        if request.method() == Method::OPTIONS || self.page(request).is_some() {
            return Ok(());
        }
        let words = "pages of this origin may not use this server";
        Err(Refusal::Because(StatusCode::FORBIDDEN, words.into()))
    }

    /// What the addresses of a session's files carry, so that nobody guesses them: a page shows a
    /// model without a key.
    pub fn ticket(&self, id: &str) -> Option<String> {
        if !self.is_closed() {
            return None;
        }
        let digest = digest(&[&self.secret, id.as_bytes()]);
        Some(
            digest[..16]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }
}

/// Whether a `Host` names this machine for sure. Any other name may be somebody's, made to lead here
/// so that a page of theirs seems to be the server's own.
fn is_own_name(host: &str) -> bool {
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
