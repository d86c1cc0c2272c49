//! The configuration that all remote engines share.

use std::net::IpAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use api::Cents;
use contract::{Invalid, quote};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;

use super::client::matches_host;
use super::service::{Service, Timing};

/// A service, and the shared part of its configuration.
pub struct OpenedService {
    pub service: Box<dyn Service>,
    pub common: CommonConfig,
}

/// The keys that every remote engine's table may have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommonConfig {
    /// The base URL of the engine's API.
    url: Option<String>,
    /// A file with the API key.
    pub key_file: Option<PathBuf>,
    /// The hosts that results may be downloaded from, besides the engine's own.
    pub result_hosts: Option<Vec<String>>,
    /// How many models the engine makes at the same time.
    #[serde(alias = "at_once")]
    pub max_concurrent: Option<NonZero<usize>>,
    /// Time limit for one request, in seconds.
    timeout: Option<f64>,
    /// Time limit for one job, in seconds.
    deadline: Option<f64>,
    /// Pause between two polls of a job, in seconds.
    poll: Option<f64>,
    /// The price of each model in US dollars, in place of the list prices.
    price_usd: Option<f64>,
}

impl CommonConfig {
    /// The keys of the table, `at_once` being the former name of `max_concurrent`.
    const KEYS: [&'static str; 9] = [
        "url",
        "key_file",
        "result_hosts",
        "max_concurrent",
        "at_once",
        "timeout",
        "deadline",
        "poll",
        "price_usd",
    ];

    /// Splits a table into the shared keys and the engine's own ones.
    ///
    /// # Errors
    /// Fails if a key is unknown to both, or if a value is invalid.
    pub fn split<T: DeserializeOwned>(table: &toml::Table) -> anyhow::Result<(Self, T)> {
        let is_common = |(name, _): &(String, toml::Value)| Self::KEYS.contains(&name.as_str());
        let (common, own): (Vec<_>, Vec<_>) = table.clone().into_iter().partition(is_common);
        let common: Self = toml::Table::from_iter(common).try_into()?;
        common.validate()?;
        Ok((common, toml::Table::from_iter(own).try_into()?))
    }

    fn validate(&self) -> anyhow::Result<()> {
        for host in self.result_hosts.iter().flatten() {
            // "*" alone would allow results from any host, this machine included.
            let name = host.strip_prefix("*.").unwrap_or(host);
            if name.is_empty() || name.contains('*') {
                let expected = "a host, or *. and a host";
                bail!(Invalid::new("result_hosts entry", quote(host), expected));
            }
        }
        for (name, seconds) in [
            ("timeout", self.timeout),
            ("deadline", self.deadline),
            ("poll", self.poll),
        ] {
            if let Some(seconds) = seconds
                && !(0.001..=86_400.0).contains(&seconds)
            {
                let expected = "a number of seconds from 0.001 to 86400";
                bail!(Invalid::new(name, seconds, expected));
            }
        }
        if let Some(price) = self.price_usd
            && !(0.0..=10_000.0).contains(&price)
        {
            bail!(Invalid::new(
                "price_usd",
                price,
                "a number of US dollars from 0 to 10000"
            ));
        }
        Ok(())
    }

    /// Returns the configured price of each model, rounded up to a cent.
    pub fn price(&self) -> Option<Cents> {
        // A price such as 0.29 is a little above or below its number of cents.
        self.price_usd
            .map(|price| (price * 100.0 - 1e-6).ceil() as Cents)
    }

    /// Returns the time limit for one request. Default: 60 s.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout.unwrap_or(60.0))
    }

    /// Returns how often a job is polled, and for how long. Defaults: every 3 s for 900 s, since
    /// the API's own client gives up after 1000 s.
    pub fn timing(&self) -> Timing {
        Timing {
            poll_interval: Duration::from_secs_f64(self.poll.unwrap_or(3.0)),
            deadline: Duration::from_secs_f64(self.deadline.unwrap_or(900.0)),
        }
    }

    /// Returns the hosts that results may be downloaded from: the configured ones, or else those of
    /// the service. A service at another URL than its public one may have its results on any port of
    /// the same host, as the emulators do.
    ///
    /// # Errors
    /// Fails if the URL is invalid.
    pub fn result_hosts(&self, public_url: &str, default: &[&str]) -> anyhow::Result<Vec<String>> {
        let default = default.iter().map(|host| (*host).to_owned());
        Ok(match &self.result_hosts {
            Some(hosts) => hosts.clone(),
            None => default.chain(self.own_host(public_url)?).collect(),
        })
    }

    /// Checks the configured `result_hosts`: a result elsewhere is refused after it was paid for.
    ///
    /// # Errors
    /// Fails if they contain no host on which the service is known to have its results.
    pub fn check_result_hosts(&self, public_url: &str, known: &[&str]) -> Result<(), String> {
        let Some(hosts) = &self.result_hosts else {
            return Ok(());
        };
        let known = known.iter().map(|host| (*host).to_owned());
        let own = self.own_host(public_url).ok().flatten();
        let is_elsewhere = own.as_ref().is_some_and(|host| !is_loopback(host));
        if is_elsewhere {
            // Such as a proxy, whose results can be anywhere.
            return Ok(());
        }
        let expected: Vec<_> = own.into_iter().chain(known).collect();
        // `*.fal.media` is on the list of hosts, or one of them is below it.
        let is_known = |host: &String| {
            let mut expected = expected.iter();
            expected.any(|expected| host == expected || matches_host(expected, host))
        };
        match hosts.iter().any(is_known) {
            true => Ok(()),
            false => Err(format!(
                "result_hosts lacks {}, where the results are; they would be refused after they were \
                 paid for",
                expected.join(" and ")
            )),
        }
    }

    /// Returns the host of the configured URL, with any port, if it is not the public URL.
    fn own_host(&self, public_url: &str) -> anyhow::Result<Option<String>> {
        let url = self.url(public_url)?;
        let uri: Uri = url.parse()?;
        let host = uri.host().filter(|_| url != public_url);
        Ok(host.map(|host| format!("{host}:*")))
    }

    /// Returns the base URL of the engine's API.
    ///
    /// # Errors
    /// Fails if the URL is invalid.
    pub fn url(&self, default: &str) -> anyhow::Result<String> {
        let url = self.url.as_deref().unwrap_or(default);
        check_url("url", url)?;
        Ok(url.to_owned())
    }
}

/// Returns whether an entry of `result_hosts` is this machine.
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_matches(['[', ']']);
    name == "localhost"
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Checks the URL in the field `name`.
///
/// # Errors
/// Fails if it is not an `http:` or `https:` URL, or if it has a user name, a password or a query. The
/// message does not quote the URL, which may hold a password.
pub fn check_url(name: &str, url: &str) -> anyhow::Result<()> {
    let message =
        || format!("{name} must be an http: or https: URL without user name, password or query");
    let uri: Uri = url.parse().ok().with_context(message)?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.authority().map_or("", |host| host.as_str());
    if !is_http || host.is_empty() || host.contains('@') || uri.query().is_some() {
        bail!(message());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct NoKeys {}

    fn parse(text: &str) -> anyhow::Result<CommonConfig> {
        let table = text.parse().unwrap();
        let (common, NoKeys {}) = CommonConfig::split(&table)?;
        Ok(common)
    }

    #[test]
    fn reads_max_concurrent_under_its_former_name() {
        for text in ["max_concurrent = 3", "at_once = 3"] {
            let common = parse(text).unwrap();
            assert_eq!(common.max_concurrent.unwrap().get(), 3, "{text}");
        }
    }

    #[test]
    fn names_the_invalid_key() {
        for (text, message) in [
            (
                "poll = 0",
                "Invalid poll 0: expected a number of seconds from 0.001 to 86400",
            ),
            (
                "result_hosts = [\"*\"]",
                "Invalid result_hosts entry \"*\": expected a host, or *. and a host",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }
}
