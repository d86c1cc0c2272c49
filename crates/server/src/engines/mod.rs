//! The registry of engines: [`Sculptor`](api::Sculptor), which is built in, and the remote engines, one
//! file each.

mod api_key;
mod client;
mod comfyui;
mod config;
mod fal;
mod form;
mod hunyuan;
mod input_image;
mod keyed_api;
mod meshy;
mod order;
mod prices;
mod remote;
mod request_counts;
mod service;
mod submission;
mod transport;
mod tripo;

use std::num::NonZero;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use api::{Cents, EndedJob, Engine, Parameters, RemoteEngines, SCULPT, Sculptor};
use contract::{Invalid, one_of_quoted, quote};

use config::OpenedService;
pub use remote::{JobEnd, RemoteEngine};
pub use request_counts::RequestCounts;

type OpenService = fn(&toml::Table) -> anyhow::Result<OpenedService>;

/// The remote engines. A new one is a file beside this one, and one line here.
const REMOTE_ENGINES: &[(&str, OpenService)] = &[
    ("hunyuan", hunyuan::open),
    ("fal", fal::open),
    ("meshy", meshy::open),
    ("tripo", tripo::open),
    ("comfyui", comfyui::open),
];

/// An engine that callers may choose.
pub struct ConfiguredEngine {
    /// The name that callers choose it by.
    pub name: String,
    /// Makes the models.
    pub engine: Arc<dyn Engine>,
    /// The same engine, if it is a remote one.
    pub remote: Option<Arc<RemoteEngine>>,
    /// How many models it makes at the same time.
    pub max_concurrent: usize,
    /// Whether its models cost money.
    pub is_paid: bool,
    /// The setting that the engine lacks, if any.
    pub missing: Option<String>,
    /// Counts the requests for models; `None` for the built-in engine.
    pub request_counts: Option<Arc<RequestCounts>>,
}

/// Opens a remote engine with its table of the configuration.
///
/// # Errors
/// Fails if the engine is unknown, or if its table is invalid.
pub fn open(name: &str, table: &toml::Table) -> anyhow::Result<ConfiguredEngine> {
    let OpenedService { service, common } = open_service(name, table)?;
    let is_paid = service.is_paid();
    let missing = service.missing();
    let default_concurrent = service.default_concurrent();
    let request_counts = Arc::new(RequestCounts::default());
    let counts = request_counts.clone();
    let engine = RemoteEngine::new(service, common.timing(), common.price(), counts);
    let engine = Arc::new(engine);
    Ok(ConfiguredEngine {
        name: name.to_owned(),
        engine: engine.clone(),
        remote: Some(engine),
        max_concurrent: common
            .max_concurrent
            .map_or(default_concurrent, NonZero::get),
        is_paid,
        missing,
        request_counts: Some(request_counts),
    })
}

/// Returns the built-in engine.
pub fn sculpt(max_concurrent: usize) -> ConfiguredEngine {
    ConfiguredEngine {
        name: SCULPT.into(),
        engine: Arc::new(Sculptor),
        remote: None,
        max_concurrent,
        is_paid: false,
        missing: None,
        request_counts: None,
    }
}

/// The remote engines, for the API.
pub struct RemoteCatalog(Vec<(String, Arc<RemoteEngine>)>);

impl RemoteCatalog {
    /// Returns the remote ones of these engines.
    pub fn new(engines: &[ConfiguredEngine]) -> Self {
        let remote = engines
            .iter()
            .filter_map(|engine| Some((engine.name.clone(), engine.remote.clone()?)));
        Self(remote.collect())
    }

    fn find(&self, name: &str) -> Option<&Arc<RemoteEngine>> {
        let mut engines = self.0.iter();
        engines.find_map(|(known, engine)| (known == name).then_some(engine))
    }
}

impl RemoteEngines for RemoteCatalog {
    fn price(&self, engine: &str, parameters: &Parameters) -> Option<Cents> {
        self.find(engine)?.price(parameters)
    }

    fn after_deletion(&self, engine: &str, note: &str) -> Option<EndedJob> {
        self.find(engine)?.after_deletion(note)
    }
}

/// Describes the state of an engine that is ready to make models. Sends a request to a remote engine,
/// but none that costs money.
///
/// # Errors
/// Fails if the engine is not ready, with what is missing.
pub fn check(name: &str, table: &toml::Table) -> anyhow::Result<String> {
    if name == SCULPT {
        return Ok("built in; derives geometry from the image's outline, needs no network".into());
    }
    let service = open_service(name, table)?.service;
    match service.missing() {
        Some(missing) => Err(anyhow!(missing)),
        None => Ok(service.check()?),
    }
}

fn open_service(name: &str, table: &toml::Table) -> anyhow::Result<OpenedService> {
    let known = REMOTE_ENGINES.iter().find(|(known, _)| *known == name);
    let (_, open) = known.ok_or_else(|| {
        let names = REMOTE_ENGINES.iter().map(|(name, _)| *name);
        let names = one_of_quoted([SCULPT].into_iter().chain(names));
        anyhow!(Invalid::new("engine", quote(name), names))
    })?;
    open(table).with_context(|| format!("[engines.{name}]"))
}
