//! The configuration of the API.

use std::sync::Arc;

use http::HeaderName;
use sculpt::Segmenter;

use crate::access::Client;
use crate::engine::SCULPT;
use crate::quota::DailyLimit;
use crate::remote_engines::RemoteEngines;
use crate::retention::Retention;
use decode::{DEFAULT_MAX_DECODE_BYTES, DecodeQueue};

/// The configuration of the API.
#[derive(Clone)]
pub struct Config {
    /// The speed of sessions. At 1, a stage takes one second, and a refinement two. Default: 1.
    pub speed: f64,
    /// The seed of session codes and ids, which makes them reproducible. Default: 0.
    pub seed: u64,
    /// When old sessions are deleted. Default: after 30 days, or above 1 GiB.
    pub retention: Retention,
    /// The maximum number of sessions with pending work, waiting or running. Requests for more fail
    /// with status 429. Default: 100.
    pub max_pending: usize,
    /// The same for the sessions of each client. Default: [`max_pending`](Config::max_pending).
    pub max_pending_per_client: Option<usize>,
    /// The memory that decoding one image may need, estimated from its header, in bytes. Default:
    /// 512 MiB.
    pub max_decode_bytes: u64,
    /// Lets decodes wait for each other. Default: none.
    pub decode_queue: Option<Arc<dyn DecodeQueue>>,
    /// The network that finds the objects in images. Default: none; objects are found by the colors of
    /// the background.
    pub segmenter: Option<Arc<dyn Segmenter>>,
    /// The names of the engines that a caller may select. The first one is the default. Default:
    /// [`SCULPT`] alone.
    pub engines: Vec<String>,
    /// The names of the engines whose models are paid. Default: none.
    pub paid_engines: Vec<String>,
    /// What is known about engines that run elsewhere. Default: nothing.
    pub remote_engines: Option<Arc<dyn RemoteEngines>>,
    /// The daily limit of paid models. Default: no limit.
    pub daily_limit: DailyLimit,
    /// The clients, each of which sees only its own sessions. Default: none; callers need no key
    /// and see all sessions.
    pub clients: Vec<Client>,
    /// The origins whose pages may use the API, for example `https://example.com`, in addition to
    /// `localhost`, `127.0.0.1` and `[::1]` with any scheme and port, and to the host of the request.
    /// Default: all.
    pub allowed_origins: Option<Vec<String>>,
    /// The host names under which the API can be reached, in addition to `localhost` and IP
    /// addresses. Default: all.
    pub allowed_hosts: Option<Vec<String>>,
    /// The URL under which callers reach the API, without a final slash, for the URLs of files.
    /// Default: the address of each request.
    pub public_url: Option<String>,
    /// The header in which a client names the user for whom it sends a request. Each user counts as
    /// a client of its own, called `client/user`. Default: none.
    pub client_header: Option<HeaderName>,
    /// Random bytes from which the tokens in file URLs are derived. The store keeps the first
    /// value; later ones are ignored.
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
                max_bytes_per_client: None,
            },
            max_pending: 100,
            max_pending_per_client: None,
            max_decode_bytes: DEFAULT_MAX_DECODE_BYTES,
            decode_queue: None,
            segmenter: None,
            engines: vec![SCULPT.into()],
            paid_engines: Vec::new(),
            remote_engines: None,
            daily_limit: DailyLimit::default(),
            clients: Vec::new(),
            allowed_origins: None,
            allowed_hosts: None,
            public_url: None,
            client_header: None,
            url_secret: Vec::new(),
        }
    }
}
