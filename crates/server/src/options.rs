//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::bail;
use api::{Cents, Retention};
use clap::{Parser, value_parser};

use crate::config::Config;
use crate::connections::ConnectionLimits;
use crate::file_limit::max_connections;
use crate::proxy::{ClientHeader, PublicUrl};
use crate::web_access::{WebAccess, parse_host_name, parse_origin};

/// The default of `--max-connections`, where the number of open files permits it.
const DEFAULT_MAX_CONNECTIONS: usize = 1024;

/// The lowest default of `--max-connections-each`. A browser opens up to 6 connections to a server.
const DEFAULT_MIN_CONNECTIONS_EACH: usize = 16;

/// Serves the Image-to-3D API on this machine.
#[derive(Parser)]
#[command(version, name = "csm-image-to-3d-server")]
pub struct Options {
    /// Address to listen on. Addresses other than loopback require client keys
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::from(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Port to listen on; 0 chooses a free one
    #[arg(long, default_value_t = 8787)]
    pub port: u16,
    /// Folder with a website to serve beside the API
    #[arg(long, value_name = "FOLDER")]
    pub site: Option<PathBuf>,
    /// Opens the website in the browser
    #[arg(long, requires = "site")]
    pub open: bool,
    /// Largest request body and largest fetched image, in MiB. In a request, base64 makes an image a
    /// third larger
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    body_limit: usize,
    /// Memory for decoding images, in MiB. Images that need more are rejected; others wait for their
    /// turn
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = value_parser!(u32).range(1..))]
    decode_mib: u32,
    /// Makes sessions this many times faster; at 1 each stage takes a second
    #[arg(long, default_value_t = 1.0, value_parser = parse_speed)]
    pub speed: f64,
    /// Folder that stores sessions, images and results. Without it, they are lost when the server
    /// stops
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Deletes sessions older than this, unless they are in progress
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    keep_days: u32,
    /// While all images, results and records exceed this size, deletes the oldest session of the client
    /// that uses most [default: 10240 with --data, 1024 without]
    #[arg(long, value_name = "MIB")]
    keep_mib: Option<u32>,
    /// Deletes the oldest sessions of a client key while its images and results exceed this size
    /// [default: --keep-mib]
    #[arg(long, value_name = "MIB")]
    keep_mib_each: Option<u32>,
    /// Caps sessions with pending work; requests over the cap get 429
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub queue: usize,
    /// Caps sessions with pending work per client key [default: --queue]
    #[arg(long, value_name = "N")]
    pub queue_each: Option<usize>,
    /// Caps paid models per day (UTC); requests over the cap get 402
    #[arg(long, value_name = "N")]
    pub daily_limit: Option<u32>,
    /// Caps the list prices of the paid models per day (UTC), in US dollars; requests over the cap get
    /// 402. docs/engines.md lists the prices
    #[arg(long, value_name = "USD", value_parser = parse_dollars)]
    pub daily_limit_usd: Option<Cents>,
    /// Caps paid models per day (UTC) and client key
    #[arg(long, value_name = "N")]
    pub daily_limit_each: Option<u32>,
    /// Caps open connections. Above the cap, those that wait for their peer are closed for new ones;
    /// if there are none, new ones get 503 [default: 1024, or less if the process may open fewer files]
    #[arg(long, value_name = "N")]
    max_connections: Option<NonZero<usize>>,
    /// Caps open connections per address [default: a quarter of --max-connections, at least 16; none
    /// for loopback addresses and with --trust-proxy]
    #[arg(long, value_name = "N")]
    max_connections_each: Option<NonZero<usize>>,
    /// Logs each request to standard error, without keys or images
    #[arg(long)]
    pub log: bool,
    /// Number of models to make at the same time on this machine [default: one less than the number
    /// of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// ONNX file of a segmentation network that finds the objects in images, instead of the built-in
    /// u2netp. FILE with the extension .toml describes the network's input and output
    #[arg(long, value_name = "FILE")]
    pub cutout_model: Option<PathBuf>,
    /// Engine for requests that name none, and its URL: sculpt (the default, needs no network),
    /// hunyuan, fal, meshy, tripo or comfyui
    #[arg(long, value_name = "NAME[=URL]")]
    engine: Option<String>,
    /// Lets web pages of this origin use the server, beside those of localhost; * for all. Repeatable
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    origin: Vec<String>,
    /// Host name under which the server can be reached without client keys, beside localhost and IP
    /// addresses. Repeatable
    #[arg(long, value_name = "NAME", value_parser = parse_host_name)]
    host_name: Vec<String>,
    /// URL under which callers reach the server through a proxy, such as https://shop.example/api. The
    /// URLs in sessions start with it; its pages and its host name are allowed
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// Trusts the proxy in front of the server: X-Forwarded-Proto, -Host, -Prefix and -For, or
    /// Forwarded. The proxy must set or remove them
    #[arg(long)]
    trust_proxy: bool,
    /// Header in which a client names its user. Each user counts as a client of its own, with its own
    /// sessions and limits
    #[arg(long, value_name = "NAME")]
    client_header: Option<ClientHeader>,
    /// TOML file that configures engines, client keys and origins
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints what is configured, reachable and missing, then exits without spending anything
    #[arg(long)]
    pub check: bool,
    /// Asks the server that listens at --bind and --port whether it works, and exits with 0 if it does
    #[arg(long, conflicts_with = "check")]
    pub health: bool,
}

impl Options {
    /// Returns the configuration file's content, with the engine of `--engine` as the default, and with
    /// what the flags say about a proxy.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or if either is invalid.
    pub fn read_config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        if let Some(engine) = &self.engine {
            config.set_default_engine(engine)?;
        }
        config.public_url = self.public_url.clone().or(config.public_url);
        config.trust_proxy |= self.trust_proxy;
        config.client_header = self.client_header.clone().or(config.client_header);
        Ok(config)
    }

    /// Returns the origins and host names of the configuration, followed by those of the flags and of
    /// the public URL.
    pub fn web_access(&self, config: &Config) -> WebAccess {
        let mut access = WebAccess {
            origins: [&config.origins[..], &self.origin].concat(),
            host_names: [&config.host_names[..], &self.host_name].concat(),
        };
        if let Some(public) = &config.public_url {
            access.origins.push(public.origin.clone());
            access.host_names.push(public.host_name.clone());
        }
        access
    }

    /// Checks that the server does not listen beyond loopback without client keys.
    ///
    /// # Errors
    /// Fails if it would.
    pub fn check_bind(&self, client_count: usize) -> anyhow::Result<()> {
        if !self.bind.is_loopback() && client_count == 0 {
            bail!(
                "--bind {} requires client keys: set clients_file in the configuration",
                self.bind
            );
        }
        Ok(())
    }

    /// Returns how long and how much the store keeps.
    pub fn retention(&self) -> Retention {
        let mib = |mib| u64::from(mib) * 1024 * 1024;
        let default_mib = if self.data.is_some() { 10 * 1024 } else { 1024 };
        Retention {
            max_age: u64::from(self.keep_days) * 24 * 60 * 60 * 1000,
            max_bytes: mib(self.keep_mib.unwrap_or(default_mib)),
            max_bytes_per_client: self.keep_mib_each.map(mib),
        }
    }

    /// Returns how many connections may be open in a process that may open `open_files` and runs
    /// `jobs` at the same time.
    ///
    /// # Errors
    /// Fails if `--max-connections` exceeds what the number of files permits.
    pub fn connection_limits(
        &self,
        config: &Config,
        open_files: usize,
        jobs: usize,
    ) -> anyhow::Result<ConnectionLimits> {
        // A response of the website reads a file.
        let files_each = if self.site.is_some() { 2 } else { 1 };
        let highest = max_connections(open_files, jobs, files_each);
        let total = match self.max_connections.map(NonZero::get) {
            Some(total) if total > highest => bail!(
                "Invalid --max-connections {total}: expected at most {highest}, because the process may \
                 open {open_files} files. Raise that limit with LimitNOFILE in the systemd unit, or \
                 with ulimit -Hn"
            ),
            Some(total) => total,
            None => highest.min(DEFAULT_MAX_CONNECTIONS),
        };
        let each = self.max_connections_each.map(NonZero::get);
        let per_peer = match config.trust_proxy {
            // All connections are the proxy's.
            true => usize::MAX,
            false => (total / 4).max(DEFAULT_MIN_CONNECTIONS_EACH),
        };
        Ok(ConnectionLimits {
            total,
            per_peer: each.unwrap_or(per_peer),
            per_loopback_peer: each.unwrap_or(usize::MAX),
        })
    }

    /// Returns the largest request body, in bytes.
    pub fn body_limit(&self) -> usize {
        self.body_limit * 1024 * 1024
    }

    /// Returns the memory for decoding images, in bytes.
    pub fn decode_bytes(&self) -> u64 {
        u64::from(self.decode_mib) * 1024 * 1024
    }

    /// Returns how many models this machine makes at the same time.
    pub fn jobs(&self) -> usize {
        // One core is left to the connections.
        let default = || available_parallelism().map_or(1, NonZero::get) - 1;
        self.jobs.map_or_else(default, NonZero::get).max(1)
    }
}

/// Parses an amount in US dollars.
fn parse_dollars(text: &str) -> Result<Cents, &'static str> {
    match text.parse::<f64>() {
        // An amount such as 0.29 is a little above or below its number of cents.
        Ok(dollars) if (0.0..=1e9).contains(&dollars) => Ok((dollars * 100.0).round() as Cents),
        _ => Err("expected an amount in US dollars, such as 5 or 2.50"),
    }
}

fn parse_speed(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(speed) if speed > 0.0 => Ok(speed),
        _ => Err("expected a number greater than 0"),
    }
}
