//! The engines that a caller may choose from: [`Sculptor`](api::Sculptor), which is always
//! there, and those elsewhere, one file each.

mod fal;
mod hunyuan;
mod key;
mod living;
mod meshy;
mod net;
mod picture;
mod reach;
mod requests;
mod service;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use api::{Engine, SCULPT, Sculptor};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;

pub use key::read_private;
use living::{Living, Patience};
pub use requests::Requests;
use service::Service;

/// What opens an engine from its configuration.
type Open = fn(&toml::Table) -> anyhow::Result<Opened>;

/// All engines elsewhere. A new one is a file beside this one, and one line here.
const ENGINES: &[(&str, Open)] = &[
    ("hunyuan", hunyuan::open),
    ("fal", fal::open),
    ("meshy", meshy::open),
];

/// What an engine's file makes of its configuration.
pub struct Opened {
    service: Box<dyn Service>,
    common: Common,
}

/// An engine that callers may choose.
pub struct Offered {
    pub name: String,
    pub engine: Box<dyn Engine>,
    /// How many models it makes at once.
    pub at_once: usize,
    pub is_paid: bool,
    /// Why it makes no model as it is configured, in words.
    pub missing: Option<String>,
    /// What became of its requests for models; none where it is asked for nothing.
    pub requests: Option<Arc<Requests>>,
}

/// What can be configured about every engine elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    /// Its address.
    url: Option<String>,
    /// A file with its key.
    key_file: Option<PathBuf>,
    /// The hosts that its results come from, beside its own.
    result_hosts: Option<Vec<String>>,
    /// How many models it makes at once.
    at_once: Option<NonZero<usize>>,
    /// How long one request may take, in seconds.
    timeout: Option<f64>,
    /// How long a whole job may take, in seconds.
    deadline: Option<f64>,
    /// From one look at a job to the next, in seconds.
    poll: Option<f64>,
}

impl Common {
    const FIELDS: [&'static str; 7] = [
        "url",
        "key_file",
        "result_hosts",
        "at_once",
        "timeout",
        "deadline",
        "poll",
    ];

    /// How long one request may take.
    fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout.unwrap_or(60.0))
    }

    /// The hosts that results come from.
    fn result_hosts(&self, default: &[&str]) -> Vec<String> {
        let default = || default.iter().map(|host| (*host).to_owned()).collect();
        self.result_hosts.clone().unwrap_or_else(default)
    }

    fn patience(&self) -> Patience {
        Patience {
            poll: Duration::from_secs_f64(self.poll.unwrap_or(3.0)),
            // The API's own client gives up after 1000 seconds.
            deadline: Duration::from_secs_f64(self.deadline.unwrap_or(900.0)),
        }
    }

    /// The engine's address.
    ///
    /// # Errors
    /// There is none, or it is none.
    fn url(&self, default: Option<&str>) -> anyhow::Result<String> {
        let url = self.url.as_deref().or(default);
        let url = url.context("url: missing; where is it?")?;
        Ok(address("url", url)?.to_owned())
    }
}

/// An engine's address, from the field of that name.
///
/// # Errors
/// It is none.
fn address<'a>(field: &str, url: &'a str) -> anyhow::Result<&'a str> {
    let uri: Uri = url
        .parse()
        .with_context(|| format!("{field}: came {url:?}, allowed: an http: or https: address"))?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.authority().map_or("", |host| host.as_str());
    if !known || host.is_empty() || host.contains('@') || uri.query().is_some() {
        bail!("{field}: allowed: an http: or https: address without a name, password or query");
    }
    Ok(url)
}

/// Reads an engine's table: what is common to all, and what is its own.
fn read<T: DeserializeOwned>(table: &toml::Table) -> anyhow::Result<(Common, T)> {
    let is_common = |(name, _): &(String, toml::Value)| Common::FIELDS.contains(&name.as_str());
    let (common, own): (Vec<_>, Vec<_>) = table.clone().into_iter().partition(is_common);
    let common: Common = toml::Table::from_iter(common).try_into()?;
    let seconds = [common.timeout, common.deadline, common.poll];
    let hosts = common.result_hosts.iter().flatten();
    for host in hosts {
        // A star alone would let results lead anywhere, this machine included.
        let name = host.strip_prefix("*.").unwrap_or(host);
        if name.is_empty() || name.contains('*') {
            bail!("result_hosts: came {host:?}, allowed: a host, or *. before one");
        }
    }
    if seconds
        .into_iter()
        .flatten()
        .any(|seconds| !(0.001..=86_400.0).contains(&seconds))
    {
        bail!("timeout, deadline, poll: allowed: seconds, from 0.001 to 86400");
    }
    Ok((common, toml::Table::from_iter(own).try_into()?))
}

/// The engine of that name, as it is configured.
///
/// # Errors
/// There is no such engine, or something is wrong with its configuration.
pub fn open(name: &str, table: &toml::Table) -> anyhow::Result<Offered> {
    let opened = opened(name, table).with_context(|| format!("engine {name}"));
    let Opened { service, common } = opened?;
    let (at_once, is_paid, missing) = (service.at_once(), service.is_paid(), service.missing());
    let requests = Arc::new(Requests::default());
    let living = Living::new(service, common.patience(), requests.clone());
    Ok(Offered {
        name: name.to_owned(),
        at_once: common.at_once.map_or(at_once, NonZero::get),
        is_paid,
        missing,
        requests: Some(requests),
        engine: Box::new(living),
    })
}

/// The engine that needs nothing.
pub fn sculpt(at_once: usize) -> Offered {
    Offered {
        name: SCULPT.into(),
        engine: Box::new(Sculptor),
        at_once,
        is_paid: false,
        missing: None,
        requests: None,
    }
}

/// How the engine of that name is, in words: what is configured, reached and missing. Nothing is
/// spent.
///
/// # Errors
/// What is missing, in words.
pub fn check(name: &str, table: &toml::Table) -> Result<String, String> {
    if name == SCULPT {
        return Ok("always there; geometry from the picture's outline, without a network".into());
    }
    let opened = opened(name, table).map_err(|error| format!("{error:#}"))?;
    match opened.service.missing() {
        Some(words) => Err(words),
        None => opened.service.check(),
    }
}

fn opened(name: &str, table: &toml::Table) -> anyhow::Result<Opened> {
    let known = ENGINES.iter().find(|(known, _)| *known == name);
    let (_, open) = known.ok_or_else(|| {
        let known = ENGINES.iter().map(|(name, _)| *name);
        let known: Vec<_> = [SCULPT].into_iter().chain(known).collect();
        anyhow!(
            "there is no engine {name:?}; there are {}",
            known.join(", ")
        )
    })?;
    open(table)
}
