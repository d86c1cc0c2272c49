//! Access control: API keys.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use contract::{Invalid, quote};
use http::{HeaderName, Request, StatusCode};
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::request::api_key;

/// Between the name of a client and the user for whom it sends a request.
const USER_SEPARATOR: char = '/';

/// The maximum length of a user's name, which is stored with the session.
const MAX_USER_BYTES: usize = 128;

/// A caller with its own API key.
#[derive(Clone, PartialEq)]
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
    clients: RwLock<Vec<(String, Vec<u8>)>>,
    requires_key: bool,
    /// The header in which a client names its user.
    client_header: Option<HeaderName>,
    /// The secret from which the tokens of file URLs and the names of addresses are derived.
    url_secret: Vec<u8>,
}

impl AccessControl {
    pub fn new(clients: &[Client], client_header: Option<HeaderName>, url_secret: Vec<u8>) -> Self {
        Self {
            clients: RwLock::new(with_digests(clients)),
            requires_key: !clients.is_empty(),
            client_header,
            url_secret,
        }
    }

    /// Replaces the clients. Changes nothing if callers need no key, or if `clients` is empty: callers
    /// need a key either always or never.
    pub fn set_clients(&self, clients: &[Client]) {
        if self.requires_key && !clients.is_empty() {
            let mut current = self.clients.write().unwrap_or_else(PoisonError::into_inner);
            *current = with_digests(clients);
        }
    }

    /// Returns the names of the clients.
    pub fn client_names(&self) -> Vec<String> {
        self.clients()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Returns the name of the client itself, without that of the user for whom it sent a request.
    pub fn without_user<'a>(&self, name: &'a str) -> &'a str {
        match (&self.client_header, name.split_once(USER_SEPARATOR)) {
            (Some(_), Some((client, _))) => client,
            _ => name,
        }
    }

    fn clients(&self) -> RwLockReadGuard<'_, Vec<(String, Vec<u8>)>> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether callers need an API key.
    pub fn requires_key(&self) -> bool {
        self.requires_key
    }

    /// Returns the name of the client that sent a request, or `None` if callers need no key. If the
    /// client names a user, the name is `client/user`.
    ///
    /// # Errors
    /// Fails with status 401 if the key is missing or unknown, and with status 400 if the name of the
    /// user is invalid.
    pub fn authenticate<B>(&self, request: &Request<B>) -> Result<Option<String>, ApiError> {
        if !self.requires_key {
            return Ok(None);
        }
        let unauthorized = |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, message);
        let key = api_key(request)
            .ok_or_else(|| unauthorized("Missing x-api-key: expected an API key of this server"))?;
        let received = digest(&[key.as_bytes()]);
        let clients = self.clients();
        let client = clients.iter().find(|(_, digest)| *digest == received);
        let (client, _) = client.ok_or_else(|| unauthorized("x-api-key: unknown API key"))?;
        Ok(Some(match self.user(request)? {
            Some(user) => format!("{client}{USER_SEPARATOR}{user}"),
            None => client.clone(),
        }))
    }

    /// Returns the user that a client names in its header. An address becomes a [pseudonym](Self::pseudonym).
    fn user<'a, B>(&self, request: &'a Request<B>) -> Result<Option<Cow<'a, str>>, ApiError> {
        let Some(name) = &self.client_header else {
            return Ok(None);
        };
        let mut values = request.headers().get_all(name).iter();
        let (value, other) = (values.next(), values.next());
        let Some(value) = value else {
            return Ok(None);
        };
        let is_valid = |user: &&str| {
            other.is_none()
                && (1..=MAX_USER_BYTES).contains(&user.len())
                && user.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let user = value.to_str().ok().filter(is_valid);
        let user = user.map(|user| match user.parse() {
            Ok(address) => Cow::Owned(self.pseudonym(address)),
            Err(_) => Cow::Borrowed(user),
        });
        user.map(Some).ok_or_else(|| {
            let expected = format!(
                "one value of 1 to {MAX_USER_BYTES} visible ASCII characters without spaces"
            );
            let received = String::from_utf8_lossy(value.as_bytes());
            ApiError::bad_request(
                Invalid::new(name.as_str(), quote(&received), expected).to_string(),
            )
        })
    }

    /// Derives the name of a user that is an IP address: names are stored and logged, which personal data
    /// should not be. An IPv6 address counts as its /64 network.
    fn pseudonym(&self, address: IpAddr) -> String {
        format!(
            "ip-{}",
            self.token(&["address", &network(address).to_string()])
        )
    }

    /// Derives the token that protects the file URLs of the session with this id, or returns `None`
    /// if callers need no key. The token is in the URL because an `<img>` or a viewer sends no key.
    pub fn url_token(&self, id: &str) -> Option<String> {
        if !self.requires_key() {
            return None;
        }
        Some(self.token(&[id]))
    }

    /// Derives a token of 32 hexadecimal digits from texts, with the secret of the server.
    fn token(&self, texts: &[&str]) -> String {
        let texts = texts.iter().map(|text| text.as_bytes());
        let parts: Vec<_> = std::iter::once(&self.url_secret[..]).chain(texts).collect();
        let digest = digest(&parts);
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Returns the address by which callers are counted: that of the /64 network for IPv6.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        // One subscriber usually has a whole /64 network.
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

fn with_digests(clients: &[Client]) -> Vec<(String, Vec<u8>)> {
    let digests = clients
        .iter()
        .map(|client| (client.name.clone(), digest(&[client.key.as_bytes()])));
    digests.collect()
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().to_vec()
}
