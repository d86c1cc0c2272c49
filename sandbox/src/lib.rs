//! The Image-to-3D API itself, pure: a request in, an answer out, and the clock handed in.
//!
//! It does no I/O, so that one and the same code answers behind an HTTP server, in a web page and
//! in a test. [`Sandbox::handle`] is all of it.

mod answer;
mod fault;
mod json;
mod log;
mod picture;
mod record;
mod routes;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use http;

use fault::Faults;
use log::Log;
use record::{Durations, Records};

/// A request with its whole body.
pub type Request = http::Request<Vec<u8>>;
/// An answer with its whole body.
pub type Response = http::Response<Vec<u8>>;

/// Milliseconds since 1970.
pub type Millis = u64;

/// The header that carries a caller's key.
pub const API_KEY_HEADER: &str = "x-api-key";

/// How a sandbox behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many times faster than a second per stage sessions go.
    pub speed: f64,
    /// Where chance begins: two sandboxes with one seed answer alike.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            speed: 1.0,
            seed: 0,
        }
    }
}

/// The API with all its sessions.
pub struct Sandbox {
    durations: Durations,
    state: Mutex<State>,
}

struct State {
    records: Records,
    faults: Faults,
    log: Log,
    random: fastrand::Rng,
}

impl Sandbox {
    /// A sandbox without sessions.
    pub fn new(config: &Config) -> Self {
        Self {
            durations: Durations::new(config.speed),
            state: Mutex::new(State {
                records: Records::default(),
                faults: Faults::default(),
                log: Log::default(),
                random: fastrand::Rng::with_seed(config.seed),
            }),
        }
    }

    /// Answers a request that came at `now`. Never fails: what is wrong with a request is said in
    /// the answer.
    pub fn handle(&self, request: &Request, now: Millis) -> Response {
        let answer = self.state().faults.meet(request);
        let answer = answer.unwrap_or_else(|| routes::answer(self, request, now));
        self.state().log.add(request, answer.status(), now);
        answer::with_cors(answer)
    }

    /// What is said to a body that is larger than the `limit` (bytes) of whoever received it.
    pub fn too_large(&self, limit: usize) -> Response {
        let mib = limit / (1024 * 1024);
        let message = format!("the request is larger than {limit} bytes ({mib} MiB)");
        answer::with_cors(answer::refused(
            http::StatusCode::PAYLOAD_TOO_LARGE,
            &message,
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in another request leaves nothing half done: every change is one insertion.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key that came with a request.
fn api_key(request: &Request) -> Option<&str> {
    request.headers().get(API_KEY_HEADER)?.to_str().ok()
}
