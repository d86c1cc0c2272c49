//! The way to an engine: whatever goes wrong on it goes wrong before a byte of the request is sent,
//! and is told apart from what goes wrong later.

use std::io::ErrorKind;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Agent, Error, Timeout};

/// An agent whose errors say whether there was a connection.
pub fn agent(config: Config) -> Agent {
    Agent::with_parts(config, Way::default(), Names::default())
}

#[derive(Debug, Default)]
struct Names(DefaultResolver);

impl Resolver for Names {
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
struct Way(DefaultConnector);

impl Connector for Way {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let connected = self.0.connect(details, chained);
        connected.map_err(|error| match error {
            // There are words for that.
            Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Error::Io(error),
            Error::Io(_) => Error::ConnectionFailed,
            Error::Timeout(_) => Error::Timeout(Timeout::Connect),
            other => other,
        })
    }
}
