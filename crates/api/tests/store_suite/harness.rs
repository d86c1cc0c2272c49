//! What the cases of the suite share.

use api::http::StatusCode;
use api::{
    Api, Client, Config, Engine, Job, Millis, Model, ModelError, Progress, Request, Response,
    Source, Store, VIEW_COUNT,
};
use serde_json::{Value, json};

/// Opens the same store again and again, one after the other.
pub trait Storage {
    fn open(&self) -> Box<dyn Store>;
}

pub const START: Millis = 1_721_312_478_050;
pub const SESSIONS: &str = "/image-to-3d-sessions";
/// One red pixel.
pub const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4\
                   2mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
pub const REMOTE: &str = "https://example.com/a.png";

/// The clients `a` and `b`.
pub fn config() -> Config {
    let clients = ["a", "b"].map(|name| Client {
        name: name.to_owned(),
        key: name.to_owned(),
    });
    Config {
        engines: vec!["paid".into(), "free".into()],
        paid_engines: vec!["paid".into()],
        clients: clients.to_vec(),
        url_secret: b"secret".to_vec(),
        ..Config::default()
    }
}

pub fn open(storage: &dyn Storage, config: &Config) -> Api {
    Api::open(config, storage.open(), START).unwrap()
}

pub fn send(
    api: &Api,
    client: &str,
    (method, path): (&str, &str),
    key: Option<&str>,
    body: &Value,
    now: Millis,
) -> Response {
    let mut request = Request::new(body.to_string().into_bytes());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = path.parse().unwrap();
    let headers = request.headers_mut();
    headers.insert("x-api-key", client.parse().unwrap());
    if let Some(key) = key {
        headers.insert("idempotency-key", key.parse().unwrap());
    }
    api.handle(&request, now)
}

pub fn data(response: &Response) -> Value {
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(response.status().is_success(), "{body}");
    body["data"].clone()
}

pub fn code(session: &Value) -> String {
    session["session_code"].as_str().unwrap().to_owned()
}

pub fn post(api: &Api, client: &str, key: Option<&str>, body: &Value, now: Millis) -> Response {
    send(api, client, ("POST", SESSIONS), key, body, now)
}

/// Creates a session of a client and returns its code.
pub fn create(api: &Api, client: &str, now: Millis) -> String {
    let body = json!({"image_url": PNG, "engine": "free", "generate_preview_mesh": true});
    code(&data(&post(api, client, None, &body, now)))
}

pub fn get(api: &Api, client: &str, path: &str) -> Response {
    let null = Value::Null;
    send(api, client, ("GET", path), None, &null, START + 100_000)
}

pub fn session(api: &Api, client: &str, code: &str) -> Value {
    data(&get(api, client, &format!("{SESSIONS}/{code}")))
}

pub fn exists(api: &Api, client: &str, code: &str) -> bool {
    get(api, client, &format!("{SESSIONS}/{code}")).status() == StatusCode::OK
}

pub fn list(api: &Api, client: &str, query: &str) -> Vec<String> {
    let listed = data(&get(api, client, &format!("{SESSIONS}?{query}")));
    let results = listed["results"].as_array().unwrap();
    results.iter().map(code).collect()
}

pub fn next_job(api: &Api) -> Job {
    api.next_job(START + 100_000).unwrap().unwrap()
}

/// Runs all jobs that are due.
pub fn run_jobs(api: &Api) {
    while let Some(job) = api.next_job(START + 100_000).unwrap() {
        let download = job.image_url().map(|_| Err("not found".to_owned()));
        api.run_job(job, download, &Noting("")).unwrap();
    }
}

/// Saves a note, unless it is empty, and finishes immediately. Fails if the note is `fail`.
pub struct Noting(pub &'static str);

impl Engine for Noting {
    fn model(
        &self,
        source: Source,
        _: api::Detail,
        _: usize,
        _: &mut Progress,
    ) -> Result<Model, ModelError> {
        if !self.0.is_empty() {
            source.checkpoint.save(self.0)?;
        }
        match self.0 {
            "later" => Err(ModelError::Cancelled),
            "others" => Err(ModelError::Failed(
                source.checkpoint.load_others()?.join(", "),
            )),
            _ => Ok(b"a model".to_vec().into()),
        }
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Ok([b"0", b"1", b"2", b"3"].map(|view| view.to_vec()))
    }
}
