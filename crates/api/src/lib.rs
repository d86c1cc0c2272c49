//! The Image-to-3D API itself, pure: a request in, an answer out, and the clock handed in.
//!
//! It does no I/O, so that one and the same code answers behind an HTTP server, in a web page and
//! in a test. [`Api::handle`] is all of it.

mod answer;
mod body;
mod delivery;
mod engine;
mod fault;
mod files;
mod gate;
mod jobs;
mod json;
mod log;
mod metrics;
mod money;
mod picture;
mod record;
mod refusal;
mod routes;
mod sessions;
mod shape;
mod store;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use contract::Parameters;
pub use delivery::{ChunkPlan, Delivery};
pub use engine::{
    Checkpoint, Detail, Engine, Model, ModelError, Progress, SCULPT, Sculptor, Source, VIEW_COUNT,
};
pub use gate::Client;
pub use http;
pub use image;
pub use jobs::Job;
pub use metrics::{EngineMetrics, Metrics};
pub use money::DailyLimit;
pub use sessions::Retention;
pub use store::{Change, MemoryStore, Store, StoreError};

use fault::{Effect, Faults};
use gate::Gate;
use jobs::Desk;
use log::Log;
use record::Pace;
use sessions::{Limits, Sessions};

/// A request with its whole body.
pub type Request = http::Request<Vec<u8>>;
/// An answer with its whole body.
pub type Response = http::Response<Vec<u8>>;

/// Milliseconds since 1970.
pub type Millis = u64;

/// Where the store keeps what the addresses of files are signed with.
const SECRET: &str = "secret";

/// The header that carries a caller's key.
pub const API_KEY_HEADER: &str = "x-api-key";

/// How a sandbox behaves.
#[derive(Clone)]
pub struct Config {
    /// How many times faster than a second per stage (two for the refinement) sessions go.
    /// Default: 1.
    pub speed: f64,
    /// Where chance begins: two sandboxes with one seed answer alike. Default: 0.
    pub seed: u64,
    /// What is kept of old sessions. Default: 30 days, and 1 GiB.
    pub retention: Retention,
    /// How many sessions may have work waiting or under way; requests for more are answered 429.
    /// Default: 100.
    pub max_pending: usize,
    /// How many sessions of one client may have work waiting or under way. Default: as many as all
    /// together.
    pub max_pending_per_client: Option<usize>,
    /// The names of the engines that a caller may choose from; the first is that of callers who
    /// choose none. Default: [`SCULPT`] alone.
    pub engines: Vec<String>,
    /// The names of those engines whose models cost money. Default: none.
    pub paid_engines: Vec<String>,
    /// How many models that cost money a day may be asked for. Default: any number.
    pub daily_limit: DailyLimit,
    /// Who may come in; each sees its own sessions alone. Default: anybody, who sees them all.
    pub clients: Vec<Client>,
    /// The origins whose pages may come in, as `https://example.com`, beside the server's own
    /// where its name is `localhost` or an IP address. Default: any.
    pub allowed_origins: Option<Vec<String>>,
    /// What nobody can guess, for the addresses of the clients' files. The store keeps the first.
    pub url_secret: Vec<u8>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            speed: 1.0,
            seed: 0,
            retention: Retention {
                max_age: 30 * 24 * 60 * 60 * 1000,
                max_bytes: 1 << 30,
            },
            max_pending: 100,
            max_pending_per_client: None,
            engines: vec![SCULPT.into()],
            paid_engines: Vec::new(),
            daily_limit: DailyLimit::default(),
            clients: Vec::new(),
            allowed_origins: None,
            url_secret: Vec::new(),
        }
    }
}

/// The API with all its sessions.
pub struct Api {
    pace: Pace,
    engines: Vec<String>,
    paid: Vec<String>,
    gate: Gate,
    sessions: Sessions,
    desk: Desk,
    state: Mutex<State>,
}

/// What is not kept when the process ends.
struct State {
    faults: Faults,
    log: Log,
    random: fastrand::Rng,
}

impl Api {
    /// A sandbox with the sessions that a store holds. Those that had to go meanwhile are deleted.
    ///
    /// # Errors
    /// The store cannot be read, or holds something else.
    pub fn open(config: &Config, store: Box<dyn Store>, now: Millis) -> Result<Self, StoreError> {
        let secret = match store.get(SECRET)? {
            Some(secret) => secret,
            None if config.clients.is_empty() => Vec::new(),
            None => {
                let secret = config.url_secret.clone();
                store.commit(vec![Change::Put(SECRET.into(), secret.clone())])?;
                secret
            }
        };
        let limits = Limits {
            keep: config.retention,
            queue: config.max_pending,
            queue_each: config.max_pending_per_client.unwrap_or(config.max_pending),
            daily: config.daily_limit,
        };
        Ok(Self {
            pace: Pace {
                speed: config.speed,
            },
            engines: config.engines.clone(),
            paid: config.paid_engines.clone(),
            gate: Gate::new(&config.clients, config.allowed_origins.clone(), secret),
            sessions: Sessions::open(store, limits, now)?,
            desk: Desk::default(),
            state: Mutex::new(State {
                faults: Faults::default(),
                log: Log::default(),
                random: fastrand::Rng::with_seed(config.seed),
            }),
        })
    }

    /// Answers a request that came at `now`. Never fails: what is wrong with a request is said in
    /// the answer. Where the answer's extensions hold a [`Delivery`], it is to be delivered so.
    pub fn handle(&self, request: &Request, now: Millis) -> Response {
        let now_and_here = |effect| !matches!(effect, Effect::Session(_));
        let effect = match self.gate.is_closed() {
            true => None,
            false => self.state().faults.meet(request, now_and_here),
        };
        let answer = match effect {
            Some(Effect::Answer(answer)) => answer(request, api_key(request).unwrap_or_default()),
            Some(Effect::Undone(how)) => delivery::deliver(Response::default(), how),
            Some(Effect::Done(how)) => delivery::deliver(routes::answer(self, request, now), how),
            Some(Effect::Session(_)) | None => match self.misspelt(request) {
                Some(reason) => answer::refused(http::StatusCode::BAD_REQUEST, &reason),
                None => routes::answer(self, request, now),
            },
        };
        let how = answer.extensions().get().copied();
        let size = request.body().len();
        let status = answer.status();
        self.state().log.add(request, size, status, how, now);
        answer::with_cors(answer, self.gate.page(request))
    }

    /// Where callers need keys, a key is nothing but a key.
    fn misspelt(&self, request: &Request) -> Option<String> {
        match self.gate.is_closed() {
            true => None,
            false => fault::misspelt(request),
        }
    }

    /// Whether a request's sender may come in, by its head alone. Where it may not, the body changes
    /// nothing about what [`Api::handle`] answers, and need not be kept.
    pub fn is_authorized<B>(&self, request: &http::Request<B>) -> bool {
        self.gate.admits(request).is_ok() && self.gate.caller(request).is_ok()
    }

    /// Whether the connection is to be closed before the request's body is read. To be asked once
    /// for each request; where the answer is yes, the request is done with.
    pub fn should_drop_connection<B>(&self, request: &http::Request<B>, now: Millis) -> bool {
        if self.gate.is_closed() {
            return false;
        }
        let mut state = self.state();
        let unread = |effect| matches!(effect, Effect::Undone(Delivery::Drop));
        let drops = state.faults.meet(request, unread).is_some();
        if drops {
            let (status, how) = (http::StatusCode::OK, Some(Delivery::Drop));
            state.log.add(request, 0, status, how, now);
        }
        drops
    }

    /// What is said to a body that is larger than the `limit` (bytes) of whoever received it.
    pub fn payload_too_large<B>(&self, request: &http::Request<B>, limit: usize) -> Response {
        let mib = limit / (1024 * 1024);
        let message = format!("the request is larger than {limit} bytes ({mib} MiB)");
        let refused = answer::refused(http::StatusCode::PAYLOAD_TOO_LARGE, &message);
        answer::with_cors(refused, self.gate.page(request))
    }

    /// Hands out the work that is due at `now`, each piece once: first what an engine has written
    /// something down for, then the oldest session.
    ///
    /// A stage's work is due when the stage begins, and the stage is over when both its time is and
    /// its result is stored. Several callers may work at once.
    pub fn next_job(&self, now: Millis) -> Option<Job> {
        self.next_job_for(&|_| true, now)
    }

    /// As [`Api::next_job`], of the sessions whose engine's name is wanted.
    pub fn next_job_for(&self, wanted: &dyn Fn(&str) -> bool, now: Millis) -> Option<Job> {
        self.desk.next(&self.sessions, wanted, now)
    }

    /// When the next job will be due if nothing new is asked for; `None` where none is planned. Not
    /// after `now` where one is due already.
    pub fn next_due(&self, now: Millis) -> Option<Millis> {
        self.next_due_for(&|_| true, now)
    }

    /// As [`Api::next_due`], of the sessions whose engine's name is wanted.
    pub fn next_due_for(&self, wanted: &dyn Fn(&str) -> bool, now: Millis) -> Option<Millis> {
        let from = self.desk.next_due(&self.sessions, wanted)?;
        Some(from.max(now))
    }

    /// Works a job to its end and stores what came of it. `fetched` is the bytes of the picture at
    /// [`Job::remote`], or why it cannot be had: the session then ends `*_failed` with that reason.
    ///
    /// What nobody wants any more is cancelled, and leaves nothing. A panic in the engine ends the
    /// session `*_failed`, where panics can be caught.
    ///
    /// # Errors
    /// Nothing could be stored, or read. The work is due again.
    pub fn run_job(
        &self,
        job: Job,
        fetched: Option<Result<Vec<u8>, String>>,
        engine: &dyn Engine,
    ) -> Result<(), StoreError> {
        jobs::work(self, job, fetched, engine)
    }

    /// How much there is, and how much of it is done.
    pub fn metrics(&self, now: Millis) -> Metrics {
        let mut metrics = self.sessions.metrics(now);
        // Those that have nothing to do are there too, with zeros.
        for name in &self.engines {
            metrics.engines.entry(name.clone()).or_default();
        }
        self.desk.add_to(&mut metrics, &self.sessions);
        metrics
    }

    /// The name of whoever sent a request, where callers have keys and this is one of them.
    pub fn client_name<B>(&self, request: &http::Request<B>) -> Option<&str> {
        self.gate.caller(request).ok().flatten()
    }

    /// Cancels what is under way and hands out nothing any more. It is due again where another
    /// sandbox opens the store.
    pub fn close(&self) {
        self.desk.close();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A panic in another request leaves nothing half done: every change under a lock is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key that came with a request.
fn api_key<B>(request: &http::Request<B>) -> Option<&str> {
    request.headers().get(API_KEY_HEADER)?.to_str().ok()
}
