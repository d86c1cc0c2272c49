//! The sandbox in a web page: a binding and nothing else. The clock, the worker that it runs in
//! and what it fetches are JavaScript's: see `pkg/sandbox/`.

use std::cell::Cell;

use api::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use api::{Config, Delivery, MemoryStore, Request, Response, Sculptor, StoreError};
use wasm_bindgen::prelude::*;

/// The API with all its sessions, for as long as the instance lives.
#[wasm_bindgen]
pub struct Api(api::Api);

#[wasm_bindgen]
impl Api {
    /// `now` is in milliseconds since 1970, here and below.
    #[wasm_bindgen(constructor)]
    pub fn new(speed: f64, seed: f64, now: f64) -> Self {
        let config = Config {
            speed,
            seed: seed as u64,
            ..Config::default()
        };
        Self(kept(api::Api::open(
            &config,
            Box::new(MemoryStore::default()),
            now as u64,
        )))
    }

    /// Answers a request. `headers` are names and values by turns. `undefined` where it is no
    /// request that HTTP could carry.
    pub fn handle(
        &self,
        method: &str,
        path: &str,
        headers: Vec<String>,
        body: Vec<u8>,
        now: f64,
    ) -> Option<Answer> {
        let mut request = Request::new(body);
        *request.method_mut() = method.parse().ok()?;
        *request.uri_mut() = path.parse::<Uri>().ok()?;
        *request.headers_mut() = read_headers(&headers)?;
        Some(Answer(self.0.handle(&request, now as u64)))
    }
}

#[wasm_bindgen]
impl Api {
    /// The next piece of work that is due, if there is one. Where it is dropped without having been
    /// worked, it is due again.
    #[wasm_bindgen(js_name = nextJob)]
    pub fn next_job(&self, now: f64) -> Option<Job> {
        self.0.next_job(now as u64).map(Job)
    }

    /// When the next one will be due.
    #[wasm_bindgen(js_name = nextDue)]
    pub fn next_due(&self, now: f64) -> Option<f64> {
        self.0.next_due(now as u64).map(|due| due as f64)
    }

    /// Works a job to its end. Where its picture lies elsewhere, it comes with the bytes or with
    /// why they cannot be had.
    pub fn work(&self, job: Job, bytes: Option<Vec<u8>>, failure: Option<String>) {
        let fetched = bytes.map(Ok).or(failure.map(Err));
        kept(self.0.work(job.0, fetched, &Sculptor));
    }
}

/// A piece of work.
#[wasm_bindgen]
pub struct Job(api::Job);

#[wasm_bindgen]
impl Job {
    /// The address of the picture, where it is to be fetched first.
    #[wasm_bindgen(getter)]
    pub fn remote(&self) -> Option<String> {
        self.0.remote().map(str::to_owned)
    }
}

/// An answer of the API.
#[wasm_bindgen]
pub struct Answer(Response);

#[wasm_bindgen]
impl Answer {
    /// The HTTP status.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// Names and values by turns.
    #[wasm_bindgen(getter)]
    pub fn headers(&self) -> Vec<String> {
        let headers = self.0.headers().iter();
        let pairs = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            [name.to_string(), value.into_owned()]
        });
        pairs.flatten().collect()
    }

    /// How it is to be delivered: `"drop"`, `"stall"`, `"truncate"`, `"throttle"`; simply where
    /// `undefined`.
    #[wasm_bindgen(getter)]
    pub fn delivery(&self) -> Option<String> {
        let delivery = self.0.extensions().get::<Delivery>()?;
        Some(
            match delivery {
                Delivery::Drop => "drop",
                Delivery::Stall => "stall",
                Delivery::Truncate => "truncate",
                Delivery::Throttle => "throttle",
            }
            .into(),
        )
    }

    /// The body. The answer is gone then.
    pub fn body(self) -> Vec<u8> {
        self.0.into_body()
    }
}

/// To be called when a call threw: the instance is in no state to go on then. The next call of any
/// export finds a new one, without sessions. Answers what the panic said, where it was one.
#[wasm_bindgen(js_name = startAfresh)]
pub fn start_afresh() -> Option<String> {
    wasm_bindgen::handler::schedule_reinit();
    PANIC.take()
}

thread_local! {
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| PANIC.set(Some(panic.to_string()))));
}

/// A store in memory has no failures to tell of.
fn kept<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the sessions cannot be stored or read: {error}"))
}

fn read_headers(headers: &[String]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for pair in headers.chunks_exact(2) {
        let name: HeaderName = pair[0].parse().ok()?;
        map.append(name, HeaderValue::from_str(&pair[1]).ok()?);
    }
    Some(map)
}
