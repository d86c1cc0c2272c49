//! The Image-to-3D API on your own machine: the sandbox over HTTP.
//!
//! Bound to loopback, where it needs no key and every key sees every session, unless it is told
//! otherwise.

mod body;
mod config;
mod engines;
mod fetch;
mod http;
mod jobs;
mod pieces;
mod public;
mod store;
mod watch;

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use api::{Api, DailyLimit, MemoryStore, Retention, SCULPT, Store};
use clap::Parser;
use tokio::net::TcpListener;
use ureq::tls::RootCerts;

use crate::config::Config;
use crate::jobs::Workers;

/// How long it may take to fetch a picture.
const FETCHING: Duration = Duration::from_secs(30);

/// What is said where money can be spent and nothing is kept.
const FORGOTTEN: &str = "a restart forgets the models under way and what was spent today; \
                         `--data FOLDER` keeps them";

/// The Image-to-3D API on your own machine.
#[derive(Parser)]
#[command(version, name = "csm-image-to-3d-server")]
struct Options {
    /// The address to listen on. Others than this machine's own need client keys.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::from(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// The port; 0 for any that is free.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// A folder with a web page to serve beside the API.
    #[arg(long, value_name = "FOLDER")]
    site: Option<PathBuf>,
    /// The largest request that is read, in MiB; a picture takes four thirds of its size. Nor is
    /// a larger picture fetched from elsewhere.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    body_limit: usize,
    /// How many times faster than a second per stage sessions go.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// A folder that keeps sessions, pictures and results. Without it they end with the server.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Sessions older than this are deleted.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    keep_days: u32,
    /// The oldest sessions are deleted while all pictures and results together are larger
    /// [default: 10240 with --data, 1024 without].
    #[arg(long, value_name = "MIB")]
    keep_mib: Option<u32>,
    /// How many sessions may have work waiting or under way; a request for more is answered 429.
    #[arg(long, value_name = "N", default_value_t = 100)]
    queue: usize,
    /// How many sessions of one client key may have work waiting or under way [default: --queue].
    #[arg(long, value_name = "N")]
    queue_each: Option<usize>,
    /// How many models a day (UTC) may cost money; a request for more is answered 402.
    #[arg(long, value_name = "N")]
    daily_limit: Option<u32>,
    /// The same for each client key.
    #[arg(long, value_name = "N")]
    daily_limit_each: Option<u32>,
    /// Writes a line to the standard error for each request: neither keys nor pictures are in it.
    #[arg(long)]
    log: bool,
    /// How many models this machine makes at once [default: one less than there are cores].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// The engine that makes the models of callers who choose none, and where it is: `sculpt` (the
    /// default, without a network), `hunyuan`, `fal` or `meshy`.
    #[arg(long, value_name = "NAME[=URL]")]
    engine: Option<String>,
    /// A TOML file with the engines that callers may choose from.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Says what is configured, reachable and missing, without spending anything, and ends.
    #[arg(long)]
    check: bool,
}

impl Options {
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        if let Some(engine) = &self.engine {
            config.choose(engine)?;
        }
        Ok(config)
    }

    /// # Errors
    /// Others could come in without a key.
    fn may_listen(&self, clients: usize) -> anyhow::Result<()> {
        if self.bind.is_loopback() || clients > 0 {
            return Ok(());
        }
        bail!(
            "--bind {}: others could reach the server there, so that it needs client keys: \
             `clients_file` in the configuration names a file with them",
            self.bind
        );
    }

    fn keep(&self) -> Retention {
        let default = if self.data.is_some() { 10 * 1024 } else { 1024 };
        Retention {
            max_age: u64::from(self.keep_days) * 24 * 60 * 60 * 1000,
            max_bytes: u64::from(self.keep_mib.unwrap_or(default)) * 1024 * 1024,
        }
    }
}

/// One core is left to those who answer.
fn default_jobs() -> usize {
    let cores = available_parallelism().map_or(1, NonZero::get);
    (cores - 1).max(1)
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if speed > 0.0 => Ok(speed),
        _ => Err("a number greater than 0".into()),
    }
}

/// What nobody can guess.
fn secret() -> anyhow::Result<Vec<u8>> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(|error| anyhow!("no random numbers: {error}"))?;
    Ok(secret)
}

/// The engines that callers may choose from, the default first.
fn offered(config: &Config, jobs: usize) -> anyhow::Result<Vec<engines::Offered>> {
    let open = |name: String| match name.as_str() {
        SCULPT => Ok(engines::sculpt(jobs)),
        _ => engines::open(&name, &config.table(&name)),
    };
    config.names()?.into_iter().map(open).collect()
}

/// Says how each engine is, what may be spent, and who may come in.
fn check(config: &Config, options: &Options) -> anyhow::Result<()> {
    let (mut missing, mut paid) = (0, false);
    for (at, name) in config.names()?.iter().enumerate() {
        let engine = engines::open(name, &config.table(name));
        paid |= name != SCULPT && engine.is_ok_and(|engine| engine.is_paid);
        let default = if at == 0 { " (default)" } else { "" };
        let (mark, words) = match engines::check(name, &config.table(name)) {
            Ok(words) => ("ready  ", words),
            Err(words) => {
                missing += 1;
                ("MISSING", words)
            }
        };
        println!("{mark}  {name}{default}: {words}");
    }
    if paid {
        let each = |limit| format!("{limit} models a day of each client key");
        match (options.daily_limit, options.daily_limit_each.map(each)) {
            (None, None) => println!("money: no daily limit; `--daily-limit N` sets one"),
            (Some(all), None) => println!("money: at most {all} models a day"),
            (None, Some(each)) => println!("money: at most {each}"),
            (Some(all), Some(each)) => println!("money: at most {all} models a day, and {each}"),
        }
        if options.data.is_none() {
            println!("money: {FORGOTTEN}");
        }
    }
    let clients = config.clients()?.len();
    options.may_listen(clients)?;
    match clients {
        0 => println!("callers: no keys; only this machine is listened to"),
        keys => println!("callers: {keys} with keys"),
    }
    match missing {
        0 => Ok(()),
        1 => bail!("one engine is not ready"),
        several => bail!("{several} engines are not ready"),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let configured = options.config()?;
    if options.check {
        return check(&configured, &options);
    }
    let jobs = options.jobs.map_or_else(default_jobs, NonZero::get);
    let engines = offered(&configured, jobs)?;
    let clients = configured.clients()?;
    options.may_listen(clients.len())?;
    if options.log {
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_target(false);
        lines.with_writer(std::io::stderr).init();
    }
    let store: Box<dyn Store> = match &options.data {
        Some(folder) => Box::new(store::Folder::open(folder)?),
        None => Box::new(MemoryStore::default()),
    };
    // Any page in a browser on this machine could spend money otherwise.
    let paid = engines.iter().any(|engine| engine.is_paid);
    let own_pages = || (paid && clients.is_empty()).then(Vec::new);
    let origins = configured.origins.clone().or_else(own_pages);
    let config = api::Config {
        speed: options.speed,
        seed: http::now(),
        retention: options.keep(),
        max_pending: options.queue,
        max_pending_per_client: options.queue_each,
        engines: engines.iter().map(|engine| engine.name.clone()).collect(),
        paid_engines: engines
            .iter()
            .filter(|engine| engine.is_paid)
            .map(|engine| engine.name.clone())
            .collect(),
        daily_limit: DailyLimit {
            total: options.daily_limit,
            per_client: options.daily_limit_each,
        },
        clients,
        allowed_origins: origins,
        url_secret: secret()?,
    };
    let sandbox = Api::open(&config, store, http::now()).map_err(|error| anyhow!(error))?;
    let sandbox = Arc::new(sandbox);
    let body_limit = options.body_limit * 1024 * 1024;
    let listener = TcpListener::bind((options.bind, options.port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on port {}; is another server running there? --port takes another",
                options.port
            )
        })?;
    println!("listening on http://{}", listener.local_addr()?);
    for engine in &engines {
        if let Some(missing) = &engine.missing {
            eprintln!("{}: {missing}; its sessions fail", engine.name);
        }
    }
    if paid && options.data.is_none() {
        eprintln!("{FORGOTTEN}");
    }
    let counts = watch::Counts::new(&engines);
    let workshop = jobs::Workshop {
        sandbox: sandbox.clone(),
        engines,
        fetcher: fetch::Fetcher::new(public::is_public, RootCerts::WebPki, body_limit, FETCHING),
    };
    let workers = Workers::start(workshop)?;
    let shell = http::Shell {
        sandbox,
        workers,
        body_limit,
        counts,
        site: options.site,
    };
    http::serve(shell, listener, tokio::signal::ctrl_c()).await;
    Ok(())
}
