//! The binding of the Image-to-3D API to JavaScript, without any I/O. The clock, the worker and the
//! fetching of images are in `pkg/sandbox/`, which also checks the options.

use std::cell::{Cell, RefCell};

use api::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use api::{Config, Delivery, MemoryStore, Request, Response, Sculptor, StoreError};
use wasm_bindgen::prelude::*;

/// The API with its sessions, which it keeps in memory.
#[wasm_bindgen]
pub struct Api(api::Api);

#[wasm_bindgen]
impl Api {
    /// Creates an API without any sessions. `speed` and `seed` are those of [`Config`]. `now` is in
    /// milliseconds since 1970, as in all methods.
    #[wasm_bindgen(constructor)]
    pub fn new(speed: f64, seed: f64, now: f64) -> Self {
        let config = Config {
            speed,
            seed: seed as u64,
            ..Config::default()
        };
        Self(unwrap_stored(api::Api::open(
            &config,
            Box::new(MemoryStore::default()),
            now as u64,
        )))
    }

    /// Handles a request. `headers` alternates names and values. Returns `undefined` if the request
    /// is not valid HTTP.
    pub fn handle(
        &self,
        method: &str,
        path: &str,
        headers: Vec<String>,
        body: Vec<u8>,
        now: f64,
    ) -> Option<ApiResponse> {
        let request = parse_request(method, path, &headers, body)?;
        Some(ApiResponse(self.0.handle(&request, now as u64)))
    }
}

#[wasm_bindgen]
impl Api {
    /// Returns the next job that is due, or `undefined`. A job that is dropped without being run is
    /// due again.
    #[wasm_bindgen(js_name = nextJob)]
    pub fn next_job(&self, now: f64) -> Option<Job> {
        unwrap_stored(self.0.next_job(now as u64)).map(Job)
    }

    /// Returns when the next job will be due, or `undefined` if there is none.
    #[wasm_bindgen(js_name = nextDue)]
    pub fn next_due(&self, now: f64) -> Option<f64> {
        unwrap_stored(self.0.next_due(now as u64)).map(|due| due as f64)
    }

    /// Stores the image of a job with an `imageUrl`, which is then due without one. Takes either the
    /// image's bytes or the reason why it could not be fetched.
    #[wasm_bindgen(js_name = storeImage)]
    pub fn store_image(&self, job: Job, image: Option<Vec<u8>>, failure: Option<String>) {
        let download = image.ok_or(failure.unwrap_or_default());
        unwrap_stored(self.0.store_download(job.0, download));
    }

    /// Returns the image of a job as the cut-out network takes it, with three bytes for each pixel, or
    /// `undefined` if the job does not need the network. `edge` is the width and the height of the
    /// network's input.
    #[wasm_bindgen(js_name = networkInput)]
    pub fn network_input(&self, job: &mut Job, edge: u32) -> Option<Vec<u8>> {
        let input = unwrap_stored(self.0.network_input(&mut job.0, (edge, edge)));
        input.map(|image| image.into_raw())
    }

    /// Sets the progress of a job before it is run: the completed part, from 0 to 1, and the
    /// `engine_status` of its session.
    #[wasm_bindgen(js_name = reportProgress)]
    pub fn report_progress(&self, job: &Job, fraction: f32, status: &str) {
        self.0.report_progress(&job.0, fraction, status);
    }

    /// Runs a job to its end.
    #[wasm_bindgen(js_name = runJob)]
    pub fn run_job(&self, job: Job) {
        unwrap_stored(self.0.run_job(job.0, None, &Sculptor));
    }
}

#[wasm_bindgen]
impl Api {
    /// Responds to a request whose body makes [`try_create`] trap in another instance. The arguments
    /// are those of [`Api::handle`], without the body.
    #[wasm_bindgen(js_name = rejectImage)]
    pub fn reject_image(
        &self,
        method: &str,
        path: &str,
        headers: Vec<String>,
        now: f64,
    ) -> Option<ApiResponse> {
        let request = parse_request(method, path, &headers, Vec::new())?;
        Some(ApiResponse(self.0.reject_image(&request, now as u64)))
    }
}

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reserves the input of [`try_create`] or [`try_decode`], and returns its address, at which the
/// caller writes it.
///
/// These functions run in an instance that holds no sessions and is then discarded, because a panic
/// cannot be caught in WebAssembly. They are called without the JavaScript bindings, which know one
/// instance only, so that they have no parameters and results but numbers.
#[wasm_bindgen(js_name = reserveInput)]
pub fn reserve_input(length: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|input| {
        *input = vec![0; length];
        input.as_mut_ptr()
    })
}

/// Decodes the image in the body of a create request. Traps if the decoder panics.
#[wasm_bindgen(js_name = tryCreate)]
pub fn try_create() {
    INPUT.with_borrow(|body| api::try_create(body));
}

/// Decodes an image. Traps if the decoder panics.
#[wasm_bindgen(js_name = tryDecode)]
pub fn try_decode() {
    INPUT.with_borrow(|file| api::try_decode(file));
}

/// A job of a session: one stage to compute.
#[wasm_bindgen]
pub struct Job(api::Job);

#[wasm_bindgen]
impl Job {
    /// The URL of the image if it has to be fetched before the job runs, otherwise `undefined`.
    #[wasm_bindgen(getter, js_name = imageUrl)]
    pub fn image_url(&self) -> Option<String> {
        self.0.image_url().map(str::to_owned)
    }

    /// Discards the image that [`Api::network_input`] has decoded, for a job that waits.
    #[wasm_bindgen(js_name = discardImage)]
    pub fn discard_image(&self) {
        self.0.discard_image();
    }

    /// Sets the output of the cut-out network for the input of [`Api::network_input`], or the reason
    /// why there is none.
    #[wasm_bindgen(js_name = setSegmentation)]
    pub fn set_segmentation(
        &mut self,
        edge: u32,
        logits: Option<Vec<f32>>,
        failure: Option<String>,
    ) {
        let output = logits.ok_or(failure.unwrap_or_default());
        self.0.set_segmentation((edge, edge), output);
    }
}

/// A response of the API. The name avoids a clash with the browser's `Response`.
#[wasm_bindgen]
pub struct ApiResponse(Response);

#[wasm_bindgen]
impl ApiResponse {
    /// The HTTP status.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// The headers, as alternating names and values.
    #[wasm_bindgen(getter)]
    pub fn headers(&self) -> Vec<String> {
        let headers = self.0.headers().iter();
        let pairs = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            [name.to_string(), value.into_owned()]
        });
        pairs.flatten().collect()
    }

    /// The simulated network fault: `"drop"`, `"stall"`, `"truncate"` or `"throttle"`. `undefined`
    /// for a response that is sent as usual.
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

    /// How the body of a `"truncate"` or `"throttle"` response is sent: the size of a chunk and the
    /// number of bytes to send, in bytes, and the pause between chunks in milliseconds.
    #[wasm_bindgen(getter, js_name = chunkPlan)]
    pub fn chunk_plan(&self) -> Option<Vec<u32>> {
        let delivery = self.0.extensions().get::<Delivery>()?;
        let plan = delivery.chunk_plan(self.0.body().len())?;
        Some(vec![plan.chunk_size as u32, plan.length as u32, plan.pause])
    }

    /// Returns the body and frees the response.
    #[wasm_bindgen(js_name = intoBody)]
    pub fn into_body(self) -> Vec<u8> {
        self.0.into_body()
    }
}

/// Discards the WebAssembly instance after a call has thrown, because its memory may be
/// inconsistent. The next call of any export creates a new instance without sessions. Returns the
/// message of the panic, or `undefined` if there was none.
#[wasm_bindgen(js_name = resetInstance)]
pub fn reset_instance() -> Option<String> {
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

/// Unwraps a result of the store: a store in memory never fails.
fn unwrap_stored<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the store in memory failed: {error}"))
}

/// Returns `None` if the request is not valid HTTP.
fn parse_request(method: &str, path: &str, headers: &[String], body: Vec<u8>) -> Option<Request> {
    let mut request = Request::new(body);
    *request.method_mut() = method.parse().ok()?;
    *request.uri_mut() = path.parse::<Uri>().ok()?;
    *request.headers_mut() = parse_headers(headers)?;
    Some(request)
}

/// Returns `None` if a name or a value is not valid in HTTP.
fn parse_headers(headers: &[String]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for pair in headers.chunks_exact(2) {
        let name: HeaderName = pair[0].parse().ok()?;
        map.append(name, HeaderValue::from_str(&pair[1]).ok()?);
    }
    Some(map)
}
