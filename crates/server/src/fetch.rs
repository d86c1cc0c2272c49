//! Fetches the images at the URLs that requests name.
//!
//! The URLs come from untrusted callers, so that only the public internet is reachable: the check is
//! made on the resolved addresses that are connected to, again for each redirect.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

const MAX_REDIRECTS: u32 = 3;

/// Fetches images over https from the addresses that it is allowed to connect to.
pub struct Fetcher {
    agent: Agent,
    max_bytes: u64,
    timeout: Duration,
}

/// Why an image could not be fetched. The messages reach the caller who named the URL, so that they
/// tell nothing about this machine or its network.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum FetchError {
    /// The server's response is an error.
    #[error("HTTP {0}")]
    Status(u16),
    /// The URL, or a redirect, is not an `https:` one.
    #[error("only https: URLs are fetched")]
    NotHttps,
    /// The URL cannot be parsed, or carries a user name or password.
    #[error("invalid URL")]
    InvalidUrl,
    /// The host has no address.
    #[error("host not found")]
    HostNotFound,
    /// The URL, or a redirect, resolves to addresses that are not allowed.
    #[error("the URL, or a redirect, does not lead to a public address")]
    NotPublic,
    /// There were more than three redirects.
    #[error("more than {MAX_REDIRECTS} redirects")]
    TooManyRedirects,
    /// A redirect names no usable URL.
    #[error("invalid redirect")]
    InvalidRedirect,
    /// The image did not arrive in time.
    #[error("not received within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The image has more than this number of bytes.
    #[error("larger than {0} bytes ({mib} MiB)", mib = .0 / (1024 * 1024))]
    TooLarge(u64),
    /// TLS failed.
    #[error("no secure connection, or a certificate that is not trusted")]
    Tls,
    /// The response is not HTTP.
    #[error("the response is not valid HTTP")]
    NotHttp,
    /// There was no connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
}

impl Fetcher {
    /// Creates a fetcher that connects to addresses for which `is_allowed` returns true, trusts
    /// `roots`, and reads at most `max_bytes` within `timeout`.
    pub fn new(
        is_allowed: fn(IpAddr) -> bool,
        roots: RootCerts,
        max_bytes: usize,
        timeout: Duration,
    ) -> Self {
        let config = Config::builder()
            .https_only(true)
            .max_redirects(MAX_REDIRECTS)
            .timeout_global(Some(timeout))
            // A proxy from the environment would connect to any address.
            .proxy(None)
            .max_idle_connections(0)
            .user_agent("csm-image-to-3d")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let resolver = GuardedResolver {
            resolver: DefaultResolver::default(),
            is_allowed,
        };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            max_bytes: max_bytes as u64,
            timeout,
        }
    }

    /// Fetches the body at `url`.
    ///
    /// # Errors
    /// Returns the reason if the body cannot be had.
    pub fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let uri: Uri = url.parse().map_err(|_| FetchError::InvalidUrl)?;
        // A user name and password would be sent along.
        if uri
            .authority()
            .is_some_and(|host| host.as_str().contains('@'))
        {
            return Err(FetchError::InvalidUrl);
        }
        self.get(uri).map_err(|error| self.classify(&error))
    }

    fn get(&self, uri: Uri) -> Result<Vec<u8>, ureq::Error> {
        let mut response = self.agent.get(uri).call()?;
        let body = response.body_mut();
        if body
            .content_length()
            .is_some_and(|size| size > self.max_bytes)
        {
            return Err(ureq::Error::BodyExceedsLimit(self.max_bytes));
        }
        body.with_config().limit(self.max_bytes).read_to_vec()
    }

    fn classify(&self, error: &ureq::Error) -> FetchError {
        use ureq::Error;
        match error {
            Error::StatusCode(status) => FetchError::Status(*status),
            Error::RequireHttpsOnly(_) => FetchError::NotHttps,
            Error::BadUri(_) | Error::Http(_) => FetchError::InvalidUrl,
            Error::HostNotFound => FetchError::HostNotFound,
            Error::Other(other) if other.is::<NoAllowedAddress>() => FetchError::NotPublic,
            Error::TooManyRedirects => FetchError::TooManyRedirects,
            Error::RedirectFailed => FetchError::InvalidRedirect,
            Error::Timeout(_) => FetchError::TimedOut(self.timeout),
            Error::BodyExceedsLimit(limit) => FetchError::TooLarge(*limit),
            Error::Tls(_) | Error::Rustls(_) => FetchError::Tls,
            // The form in which ureq reports a failed handshake.
            Error::Io(error) if error.kind() == ErrorKind::InvalidData => FetchError::Tls,
            Error::Protocol(_) => FetchError::NotHttp,
            _ => FetchError::Unreachable,
        }
    }
}

/// Resolves a name to its allowed addresses.
#[derive(Debug)]
struct GuardedResolver {
    resolver: DefaultResolver,
    is_allowed: fn(IpAddr) -> bool,
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut allowed = self.empty();
        for address in self.resolver.resolve(uri, config, timeout)?.iter() {
            if (self.is_allowed)(address.ip()) {
                allowed.push(*address);
            }
        }
        if allowed.is_empty() {
            return Err(ureq::Error::Other(Box::new(NoAllowedAddress)));
        }
        Ok(allowed)
    }
}

#[derive(Debug, Error)]
#[error("no allowed address")]
struct NoAllowedAddress;
