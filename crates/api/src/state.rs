//! The state that all requests share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use contract::Parameters;
use sculpt::Segmenter;

use crate::access::AccessControl;
use crate::clock::Millis;
use crate::config::Config;
use crate::fault::FaultCounter;
use crate::job_queue::JobQueue;
use crate::lock::lock;
use crate::quota::Cents;
use crate::remote_engines::RemoteEngines;
use crate::request_log::RequestLog;
use crate::sessions::{Limits, Sessions};
use crate::stage::Pace;
use crate::store::{QueueLimit, Store, StoreError};
use crate::web_access::WebAccess;
use decode::Decoder;

/// The state that all requests share.
pub struct ApiState {
    pub pace: Pace,
    pub engines: Vec<String>,
    paid_engines: Vec<String>,
    pub remote_engines: Option<Arc<dyn RemoteEngines>>,
    pub access: AccessControl,
    pub web_access: WebAccess,
    /// The URL under which callers reach the API; `None` for the address of each request.
    pub public_url: Option<String>,
    pub sessions: Sessions,
    pub queue: JobQueue,
    pub decoder: Decoder,
    /// The network that finds the objects in images.
    pub segmenter: Option<Arc<dyn Segmenter>>,
    pub faults: FaultCounter,
    /// The latest requests; `None` if callers need keys, because no caller may read it then.
    pub log: Option<RequestLog>,
    /// The number of created sessions by the client's name.
    pub created: Mutex<BTreeMap<String, u64>>,
    random: Mutex<fastrand::Rng>,
}

impl ApiState {
    /// Opens the sessions of a store, and deletes those that have expired.
    ///
    /// # Errors
    /// Fails if the store cannot be read or written, or has invalid contents.
    pub fn open(config: &Config, store: Box<dyn Store>, now: Millis) -> Result<Self, StoreError> {
        let url_secret = match config.clients.is_empty() {
            true => Vec::new(),
            false => store.url_secret(&config.url_secret)?,
        };
        let limits = Limits {
            retention: config.retention,
            queue: QueueLimit {
                total: config.max_pending,
                per_client: config.max_pending_per_client.unwrap_or(config.max_pending),
            },
            daily: config.daily_limit,
        };
        let web_access =
            WebAccess::new(config.allowed_origins.clone(), config.allowed_hosts.clone());
        Ok(Self {
            pace: Pace {
                speed: config.speed,
            },
            engines: config.engines.clone(),
            paid_engines: config.paid_engines.clone(),
            remote_engines: config.remote_engines.clone(),
            access: AccessControl::new(&config.clients, config.client_header.clone(), url_secret),
            web_access,
            public_url: config.public_url.clone(),
            sessions: Sessions::open(store, limits, now)?,
            queue: JobQueue::default(),
            decoder: Decoder {
                max_bytes: config.max_decode_bytes,
                queue: config.decode_queue.clone(),
            },
            segmenter: config.segmenter.clone(),
            faults: FaultCounter::default(),
            log: config.clients.is_empty().then(RequestLog::default),
            created: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(config.seed)),
        })
    }

    /// Returns the list price of an engine's model, 0 if it is unknown. Returns `None` if the models of
    /// the engine are free.
    pub fn price(&self, engine: &str, parameters: &Parameters) -> Option<Cents> {
        self.paid_engines.iter().find(|paid| *paid == engine)?;
        let engines = self.remote_engines.as_ref();
        let price = engines.and_then(|engines| engines.price(engine, parameters));
        Some(price.unwrap_or_default())
    }

    /// Counts a session that a client has created.
    pub fn count_created(&self, client: &str) {
        let client = self.access.without_user(client).to_owned();
        *lock(&self.created).entry(client).or_default() += 1;
    }

    /// Returns a random number generator of its own for one request.
    pub fn fork_random(&self) -> fastrand::Rng {
        lock(&self.random).fork()
    }
}
