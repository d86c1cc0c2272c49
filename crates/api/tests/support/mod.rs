//! Test support: the API with a clock and an engine, a store, requests and images.
#![allow(dead_code, missing_docs)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{
    Api, Change, Config, Detail, EmbeddedStore, Engine, Entries, MemoryEntries, MemoryStore,
    Millis, Model, ModelError, Order, Progress, Request, Response, Sculptor, Source, Store,
    StoreError, VIEW_COUNT, Visit,
};
use base64_simd::STANDARD;
use image::{ImageFormat, Rgba, RgbaImage};
use serde_json::{Value, json};

/// 18 July 2024, 14:21:18.050 UTC.
pub const START: Millis = 1_721_312_478_050;

/// The API, with a clock that the test sets.
pub struct TestApi {
    pub inner: Api,
    pub now: Millis,
    /// Runs all due jobs before and after each request. Without it, the test runs them.
    pub engine: Option<Box<dyn Engine>>,
}

impl TestApi {
    pub fn new() -> Self {
        Self::with(&Config::default())
    }

    pub fn with(config: &Config) -> Self {
        Self::open(config, Box::new(MemoryStore::default()), START)
    }

    pub fn open(config: &Config, store: Box<dyn Store>, now: Millis) -> Self {
        Self {
            inner: Api::open(config, store, now).unwrap(),
            now,
            engine: Some(Box::new(Sculptor)),
        }
    }

    /// Creates an API whose jobs only the test runs.
    pub fn without_engine(config: &Config) -> Self {
        Self {
            engine: None,
            ..Self::with(config)
        }
    }

    pub fn send(&self, request: Request) -> Response {
        self.run_due_jobs();
        let response = self.inner.handle(&request, self.now);
        self.run_due_jobs();
        response
    }

    fn run_due_jobs(&self) {
        let Some(engine) = &self.engine else {
            return;
        };
        while let Some(job) = self.inner.next_job(self.now).unwrap() {
            self.inner.run_job(job, None, &**engine).unwrap();
        }
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(request("GET", path, &[], ""))
    }

    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.send(request("POST", path, &[], &body.to_string()))
    }

    /// Creates a session, with [`png`] as its image unless the body has one.
    pub fn create(&self, body: Value) -> Value {
        self.create_with(&[], body)
    }

    /// Creates a session with these headers.
    pub fn create_with(&self, headers: &[(&str, &str)], body: Value) -> Value {
        let body = with_image(body).to_string();
        let response = self.send(request("POST", SESSIONS, headers, &body));
        assert_eq!(response.status(), 201, "{}", text(&response));
        data(&response)
    }

    pub fn session(&self, code: &str) -> Value {
        let response = self.get(&format!("{SESSIONS}/{code}"));
        assert_eq!(response.status(), 200, "{}", text(&response));
        data(&response)
    }

    pub fn preview(&self, code: &str, body: &Value) -> Response {
        self.post(&format!("{SESSIONS}/get-3d/preview/{code}"), body)
    }

    pub fn refine(&self, code: &str, body: &Value) -> Response {
        self.post(&format!("{SESSIONS}/get-3d/refine/{code}"), body)
    }

    /// Requests an absolute URL of this API.
    pub fn get_url(&self, url: &Value) -> Response {
        let url = url.as_str().unwrap();
        self.get(url.strip_prefix("http://here:1234").unwrap())
    }
}

/// The entries of a store for several APIs, one after the other, which can be made to fail.
#[derive(Clone, Default)]
pub struct SharedStore {
    entries: Arc<MemoryEntries>,
    pub is_full: Arc<AtomicBool>,
}

impl Entries for SharedStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.entries.get(key)
    }

    fn scan(&self, range: Range<&str>, order: Order, visit: &mut Visit) -> Result<(), StoreError> {
        self.entries.scan(range, order, visit)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err("the disk is full".into());
        }
        self.entries.commit(changes)
    }
}

impl SharedStore {
    pub fn open(&self, config: &Config, now: u64) -> TestApi {
        let store = EmbeddedStore::open(self.clone()).unwrap();
        TestApi::open(config, Box::new(store), now)
    }

    /// Returns the number of sessions and files.
    pub fn len(&self) -> usize {
        let keys = self.sizes().into_keys();
        let is_content = |key: &String| key.starts_with("session/") || key.starts_with("file/");
        keys.filter(is_content).count()
    }

    /// Returns the sizes of all values by their keys.
    pub fn sizes(&self) -> BTreeMap<String, usize> {
        let mut sizes = BTreeMap::new();
        let mut insert = |key: &str, value: &[u8]| {
            sizes.insert(key.to_owned(), value.len());
            ControlFlow::Continue(())
        };
        self.scan("".."\u{10ffff}", Order::Ascending, &mut insert)
            .unwrap();
        sizes
    }
}

/// An engine that calls the function, and then returns a description of the request.
pub struct Stub<F>(pub F);

impl<F> Engine for Stub<F>
where
    F: Fn(&Source, &mut Progress) -> Result<(), ModelError> + Send + Sync,
{
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError> {
        (self.0)(&source, progress)?;
        Ok(format!("glTF {detail:?} of view {view}")
            .into_bytes()
            .into())
    }

    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        (self.0)(&source, progress)?;
        Ok([0, 1, 2, 3].map(|view| format!("view {view}").into()))
    }
}

/// An engine that finishes immediately.
pub fn instant_engine() -> impl Engine {
    Stub(|_: &Source, _: &mut Progress| Ok(()))
}

pub const SESSIONS: &str = "/image-to-3d-sessions";

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let mut builder = http::Request::builder().method(method).uri(path);
    builder = builder.header("host", "here:1234");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

pub fn with_image(mut body: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    if !object.contains_key("image_url") {
        object.insert("image_url".into(), data_uri("image/png", &png()).into());
    }
    body
}

pub fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    format!(
        "data:{media_type};base64,{}",
        STANDARD.encode_to_string(bytes)
    )
}

/// 40 × 20 pixels; the corner at the top left is red.
pub fn png() -> Vec<u8> {
    let image = RgbaImage::from_fn(40, 20, |x, y| {
        if x < 20 && y < 10 {
            Rgba([255, 0, 0, 255])
        } else {
            Rgba([0, 0, 255, 255])
        }
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

pub fn text(response: &Response) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

pub fn json(response: &Response) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

pub fn data(response: &Response) -> Value {
    json(response)["data"].clone()
}

pub fn code(session: &Value) -> String {
    session["session_code"].as_str().unwrap().to_owned()
}

/// Asserts an error in the API's envelope, and returns its message.
#[track_caller]
pub fn error_message(response: &Response, status: u16) -> String {
    let envelope = json(response);
    assert_eq!(response.status(), status, "{envelope}");
    assert_eq!(envelope["statusCode"], status);
    assert_ne!(envelope["error"], "");
    assert_eq!(envelope["data"], json!(null));
    envelope["message"].as_str().unwrap().to_owned()
}
