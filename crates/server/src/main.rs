//! The Image-to-3D API as an HTTP server.
//!
//! By default it listens on loopback only, needs no API key, and shows every session to every caller.

mod acceptor;
mod access_log;
mod activity;
mod body;
mod caller;
mod check;
mod chunks;
mod clients;
mod clock;
mod compression;
mod config;
mod connections;
mod decode_queue;
mod deleted_jobs;
mod docs;
mod engines;
mod fetch;
mod file_limit;
mod health;
mod http;
mod metrics;
mod notice;
mod notify;
mod options;
mod private_file;
mod proxy;
mod public_address;
mod segmenter;
mod shutdown;
mod site;
mod store;
mod stream;
mod web_access;
mod workers;

use std::io::ErrorKind;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use api::{Api, DailyLimit, MemoryStore, SCULPT, Store};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::tls::RootCerts;

use crate::clock::now;
use crate::config::Config;
use crate::connections::Connections;
use crate::decode_queue::MemoryQueue;
use crate::engines::{ConfiguredEngine, RemoteCatalog};
use crate::fetch::Fetcher;
use crate::http::AppState;
use crate::metrics::{JobSeconds, ServerMetrics};
use crate::options::Options;
use crate::proxy::ProxyTrust;
use crate::public_address::is_public;
use crate::segmenter::SharedNetwork;
use crate::stream::TimeLimits;
use crate::workers::{WorkerContext, Workers};

/// How long it may take to fetch an image.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Reports an error as one line. Returning it from `main` would print anyhow's `Debug` form, which
/// includes a backtrace when `RUST_BACKTRACE` is set.
fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    if options.health {
        return health::ask(options);
    }
    let config = options.read_config()?;
    match options.check {
        true => check::check(&config, options),
        false => {
            let runtime = Runtime::new().context("Cannot start threads")?;
            let served = runtime.block_on(serve(&config, options));
            // Requests that are still handled would delay the exit, such as one that decodes an image.
            // They were not answered, and a commit is atomic.
            runtime.shutdown_background();
            served
        }
    }
}

async fn serve(config: &Config, options: &Options) -> anyhow::Result<()> {
    let engines = open_engines(config, options.jobs())?;
    let clients = config.clients()?;
    options.check_bind(clients.len())?;
    let jobs = engines.iter().map(|engine| engine.max_concurrent).sum();
    let connections =
        Connections::new(options.connection_limits(config, file_limit::raise(), jobs)?);
    if options.log {
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_target(false);
        lines.with_writer(std::io::stderr).init();
    }
    let network = SharedNetwork::configured(options.cutout_model.as_deref())?;
    let store: Box<dyn Store> = match &options.data {
        Some(folder) => Box::new(store::open(folder)?),
        None => Box::new(MemoryStore::default()),
    };
    let paid: Vec<_> = engines.iter().filter(|engine| engine.is_paid).collect();
    check::check_prices(&engines, options)?;
    let web_access = options.web_access(config);
    // A client key protects from rebound names too, because the attacker's page has none.
    let allowed_hosts = clients.is_empty().then(|| web_access.host_names.clone());
    let api_config = api::Config {
        speed: options.speed,
        seed: now(),
        retention: options.retention(),
        max_pending: options.queue,
        max_pending_per_client: options.queue_each,
        max_decode_bytes: options.decode_bytes(),
        decode_queue: Some(Arc::new(MemoryQueue::new(options.decode_bytes()))),
        segmenter: Some(Arc::new(network)),
        engines: engines.iter().map(|engine| engine.name.clone()).collect(),
        paid_engines: paid.iter().map(|engine| engine.name.clone()).collect(),
        remote_engines: Some(Arc::new(RemoteCatalog::new(&engines))),
        daily_limit: DailyLimit {
            total: options.daily_limit,
            per_client: options.daily_limit_each,
            cents: options.daily_limit_usd,
        },
        allowed_origins: web_access.allowed_origins(),
        allowed_hosts,
        clients: clients.clone(),
        public_url: config.public_url.as_ref().map(|public| public.url.clone()),
        client_header: config.client_header.as_ref().map(|header| header.0.clone()),
        url_secret: random_secret()?,
    };
    let api = Api::open(&api_config, store, now()).map_err(|error| anyhow!(error))?;
    let api = Arc::new(api);
    // Before the address is printed: a caller that has read it may stop the server at once.
    let shutdown = shutdown::signal().context("Cannot handle signals")?;
    let listener = listen(options).await?;
    // One write: a program that reads the address may close the pipe right after it.
    let address = listener.local_addr()?;
    let started = format!("listening on http://{address}\n{}\n", web_access.describe());
    print!("{started}");
    for engine in &engines {
        if let Some(missing) = &engine.missing {
            eprintln!("{}: {missing}; its sessions will fail", engine.name);
        }
    }
    if !paid.is_empty() && options.data.is_none() {
        eprintln!("paid models: {}", check::UNSAVED);
    }
    let job_seconds = JobSeconds::new(&engines);
    let metrics = ServerMetrics::new(&engines, job_seconds.clone());
    let body_limit = options.body_limit();
    let workers = Workers::start(WorkerContext::new(
        api.clone(),
        engines,
        Fetcher::new(is_public, RootCerts::WebPki, body_limit, FETCH_TIMEOUT),
        job_seconds,
    ))?;
    if !clients.is_empty() {
        let (api, config) = (api.clone(), config.clone());
        tokio::spawn(async move { clients::reload(&api, || config.clients(), clients).await });
    }
    let state = AppState {
        api,
        workers,
        body_limit,
        metrics,
        site: options.site.clone(),
        proxy_trust: match config.trust_proxy {
            true => ProxyTrust::Trusted,
            false => ProxyTrust::Untrusted,
        },
        time_limits: TimeLimits::default(),
    };
    if options.open {
        open_in_browser(&format!("http://{address}/"));
    }
    http::serve(state, listener, connections, shutdown).await;
    Ok(())
}

/// Opens a URL in the browser. The server is useful without one, so a failure is only printed.
fn open_in_browser(url: &str) {
    if let Err(error) = open::that_detached(url) {
        eprintln!("Cannot open a browser: {error}. Open {url} yourself.");
    }
}

async fn listen(options: &Options) -> anyhow::Result<TcpListener> {
    let port = options.port;
    let bound = TcpListener::bind((options.bind, port)).await;
    bound.map_err(|error| {
        let reason = match error.kind() {
            ErrorKind::AddrInUse => "already in use".to_owned(),
            _ => error.to_string(),
        };
        anyhow!("Cannot listen on port {port}: {reason}. Choose another port with --port.")
    })
}

/// Opens the engines that callers may choose from, the default first.
fn open_engines(config: &Config, jobs: usize) -> anyhow::Result<Vec<ConfiguredEngine>> {
    let open = |name: String| match name.as_str() {
        SCULPT => Ok(engines::sculpt(jobs)),
        _ => engines::open(&name, &config.engine_table(&name)),
    };
    config.engine_names()?.into_iter().map(open).collect()
}

/// Returns 32 random bytes to sign file URLs with.
fn random_secret() -> anyhow::Result<Vec<u8>> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).context("Cannot get random numbers from the system")?;
    Ok(secret)
}
