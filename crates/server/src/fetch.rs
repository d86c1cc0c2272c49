//! Pictures that lie elsewhere, fetched for the sessions.
//!
//! The address comes from a stranger, so that it leads nowhere but to the public internet: what a
//! name resolves to is looked at where it is connected to, for each redirect again.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// More redirects than this are not followed.
const MOST_REDIRECTS: u32 = 3;

/// Fetches over https, from the addresses that it is allowed.
pub struct Fetcher {
    agent: Agent,
    /// The largest picture, in bytes.
    limit: u64,
    patience: Duration,
}

impl Fetcher {
    /// `allowed` says which addresses may be connected to, `roots` whose certificates are believed,
    /// `limit` how large a picture may be (bytes), and `patience` how long all of it may take.
    pub fn new(
        allowed: fn(IpAddr) -> bool,
        roots: RootCerts,
        limit: usize,
        patience: Duration,
    ) -> Self {
        let config = Config::builder()
            .https_only(true)
            .max_redirects(MOST_REDIRECTS)
            .timeout_global(Some(patience))
            // One from the environment would connect for us, to wherever it likes.
            .proxy(None)
            .max_idle_connections(0)
            .user_agent("csm-image-to-3d")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let resolver = Guarded {
            resolver: DefaultResolver::default(),
            allowed,
        };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            limit: limit as u64,
            patience,
        }
    }

    /// Fetches what lies at the address.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub fn fetch(&self, address: &str) -> Result<Vec<u8>, String> {
        self.read(address).map_err(|error| self.words(&error))
    }

    fn read(&self, address: &str) -> Result<Vec<u8>, Error> {
        let uri: Uri = address.parse().map_err(ureq::http::Error::from)?;
        // A name and a password would be sent along.
        if uri
            .authority()
            .is_some_and(|host| host.as_str().contains('@'))
        {
            return Err(Error::BadUri("a password".into()));
        }
        let mut response = self.agent.get(uri).call()?;
        let body = response.body_mut();
        if body.content_length().is_some_and(|size| size > self.limit) {
            return Err(Error::BodyExceedsLimit(self.limit));
        }
        body.with_config().limit(self.limit).read_to_vec()
    }

    /// What is said to whoever named the address: nothing of this machine or its network.
    fn words(&self, error: &Error) -> String {
        match error {
            Error::StatusCode(status) => format!("its server answered {status}"),
            Error::RequireHttpsOnly(_) => "only https: addresses are fetched".into(),
            Error::BadUri(_) | Error::Http(_) => "the address is none that can be fetched".into(),
            Error::HostNotFound => "there is no such host".into(),
            Error::Other(other) if other.is::<NotAllowed>() => {
                "the address, or one that it redirects to, is not in the public internet".into()
            }
            Error::TooManyRedirects => format!("more than {MOST_REDIRECTS} redirects"),
            Error::RedirectFailed => "it redirects to no address that can be fetched".into(),
            Error::Timeout(_) => format!("it took longer than {} s", self.patience.as_secs_f32()),
            Error::BodyExceedsLimit(limit) => {
                let mib = limit / (1024 * 1024);
                format!("it is larger than {limit} bytes ({mib} MiB)")
            }
            Error::Tls(_) | Error::Rustls(_) => insecure(),
            // As what goes wrong in the middle of a handshake arrives.
            Error::Io(error) if error.kind() == ErrorKind::InvalidData => insecure(),
            Error::Protocol(_) => "its server speaks no HTTP that is understood".into(),
            _ => "its server cannot be reached".into(),
        }
    }
}

fn insecure() -> String {
    "its server offers no secure connection, or a certificate that is not accepted".into()
}

/// The addresses of a name, without those that are not allowed.
#[derive(Debug)]
struct Guarded {
    resolver: DefaultResolver,
    allowed: fn(IpAddr) -> bool,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut allowed = self.empty();
        for address in self.resolver.resolve(uri, config, timeout)?.iter() {
            if (self.allowed)(address.ip()) {
                allowed.push(*address);
            }
        }
        if allowed.is_empty() {
            return Err(Error::Other(Box::new(NotAllowed)));
        }
        Ok(allowed)
    }
}

/// None of a name's addresses may be connected to.
#[derive(Debug)]
struct NotAllowed;

impl std::fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an address that is not allowed")
    }
}

impl std::error::Error for NotAllowed {}
