//! The configuration that all remote engines share.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use contract::{Invalid, quote};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;

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
}

impl CommonConfig {
    /// The keys of the table, `at_once` being the former name of `max_concurrent`.
    const KEYS: [&'static str; 8] = [
        "url",
        "key_file",
        "result_hosts",
        "max_concurrent",
        "at_once",
        "timeout",
        "deadline",
        "poll",
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
        Ok(())
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

    /// Returns the hosts that results may be downloaded from.
    pub fn result_hosts(&self, default: &[&str]) -> Vec<String> {
        let default = || default.iter().map(|host| (*host).to_owned()).collect();
        self.result_hosts.clone().unwrap_or_else(default)
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
