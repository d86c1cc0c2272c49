//! The HTTP client's transport, which tells errors before the first byte of a request was sent from
//! later ones: only the former are safe to retry.

use std::io::ErrorKind;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Agent, Error, Timeout};

/// Creates an agent whose errors tell whether there was a connection.
pub fn agent(config: Config) -> Agent {
    Agent::with_parts(
        config,
        PreciseConnector::default(),
        PreciseResolver::default(),
    )
}

#[derive(Debug, Default)]
struct PreciseResolver(DefaultResolver);

impl Resolver for PreciseResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let addresses = self.0.resolve(uri, config, timeout);
        addresses.map_err(|error| match error {
            Error::Io(_) => Error::HostNotFound,
            Error::Timeout(_) => Error::Timeout(Timeout::Resolve),
            other => other,
        })
    }
}

#[derive(Debug, Default)]
struct PreciseConnector(DefaultConnector);

impl Connector for PreciseConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let connected = self.0.connect(details, chained);
        connected.map_err(|error| match error {
            // Has a message of its own.
            Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Error::Io(error),
            Error::Io(_) => Error::ConnectionFailed,
            Error::Timeout(_) => Error::Timeout(Timeout::Connect),
            other => other,
        })
    }
}
