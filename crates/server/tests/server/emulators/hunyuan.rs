//! An emulator of Hunyuan3D's `api_server.py`, in both of its dialects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use api::image;
use base64_simd::STANDARD;
use serde_json::{Value, json};

use super::clock::Clock;
use super::http::{Reply, Request, serve};
use super::samples::{image_number, textured_glb, untextured_glb};

/// Seconds of the emulator's clock that each stage of a job takes.
const SHAPE: f64 = 4.0;
const TEXTURE: f64 = 4.0;
/// Seconds of the emulator's clock until `/generate` responds.
const GENERATE: f64 = 40.0;
/// How much faster than real time the emulator's clock runs.
const SPEED: f64 = 40.0;

#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub enum Dialect {
    /// Hunyuan3D-2.0. [A] It has no `/health`.
    #[default]
    V20,
    /// Hunyuan3D-2.1.
    V21,
}

/// The fault of the engine. Default: none.
#[derive(Clone, Copy, Default)]
pub struct Scenario {
    pub dialect: Dialect,
    /// [A] 2.0 was started with `--enable_tex`.
    pub enable_tex: bool,
    /// [A] The job's thread dies; its status stays `processing`.
    pub dies_in_shape: bool,
    /// [A] 2.1: the job's thread dies; its status stays `texturing`.
    pub dies_in_texture: bool,
    /// [A] 2.0 writes the file in place: the first polls that say `completed` return a part of it.
    pub writes_in_place: bool,
    /// [A] 2.1 returns the untextured mesh from `/generate` if texturing fails; [C] also from
    /// `/status`.
    pub texturing_fails: bool,
    /// [A] 2.1 returns 500 if it cannot read the file; later polls succeed.
    pub file_unreadable_once: bool,
    /// [A] 2.1 cannot start a thread.
    pub cannot_start_thread: bool,
    /// [A] It restarts during the job and loses it.
    pub restarts: bool,
    /// [C] The file has another format.
    pub wrong_file: Option<&'static [u8]>,
}

impl Scenario {
    pub fn v21() -> Self {
        Self {
            dialect: Dialect::V21,
            ..Self::default()
        }
    }
}

struct Job {
    /// In seconds of the emulator's clock.
    started: f64,
    /// The request's body, or `None` if its image cannot be decoded.
    body: Option<Value>,
}

#[derive(Default)]
struct State {
    jobs: HashMap<String, Job>,
    /// The number of jobs that were ever started.
    started: usize,
    /// The number of each job's image.
    images: Vec<u32>,
    /// Requests that started a job.
    submits: usize,
    polls: HashMap<String, usize>,
    /// The largest number of jobs that were running at the same time.
    max_concurrent: usize,
}

impl State {
    /// Starts a job and returns its id.
    fn start_job(&mut self, body: Option<Value>, now: f64) -> String {
        self.started += 1;
        let uid = format!("00000000-0000-4000-8000-{:012}", self.started);
        let running = self.jobs.values().filter(|job| now < job.started + SHAPE);
        self.max_concurrent = self.max_concurrent.max(running.count() + 1);
        self.jobs.insert(uid.clone(), Job { started: now, body });
        uid
    }
}

/// A running emulator. Clones share its state.
#[derive(Clone)]
pub struct Hunyuan {
    /// `127.0.0.1:<port>`
    pub host: String,
    clock: Clock,
    state: Arc<Mutex<State>>,
}

impl Hunyuan {
    pub fn start(scenario: Scenario) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let clock = Clock::new(SPEED);
        let (shared, time) = (state.clone(), clock.clone());
        let host = serve(move |request| {
            respond(request, scenario, &mut shared.lock().unwrap(), time.now())
        });
        Self { host, clock, state }
    }

    /// Returns a configuration with this engine as the default; `extra` is added to its table.
    pub fn config(&self, extra: &str) -> String {
        let poll = if extra.contains("poll") {
            ""
        } else {
            "poll = 0.03\n"
        };
        format!(
            "default = \"hunyuan\"\n[engines.hunyuan]\nurl = \"http://{}\"\n{poll}{extra}\n",
            self.host
        )
    }

    /// Returns a handle of an emulator that cannot be reached.
    pub fn unreachable() -> Self {
        Self {
            host: "127.0.0.1:9".into(),
            clock: Clock::new(SPEED),
            state: Arc::default(),
        }
    }

    /// Adds a job that no request submitted, and that is done.
    pub fn add_done_job(&self) {
        let mut state = self.state.lock().unwrap();
        state.start_job(Some(json!({})), self.clock.now() - 60.0);
    }

    /// Returns the number of requests that started a job.
    pub fn submits(&self) -> usize {
        self.state.lock().unwrap().submits
    }

    /// Returns the image number of each job.
    pub fn images(&self) -> Vec<u32> {
        self.state.lock().unwrap().images.clone()
    }

    /// Returns the bodies of the requests that started a job, in order.
    pub fn bodies(&self) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let mut jobs: Vec<_> = state.jobs.iter().collect();
        jobs.sort_unstable_by_key(|(uid, _)| *uid);
        let bodies = jobs.into_iter().filter_map(|(_, job)| job.body.clone());
        bodies.collect()
    }

    /// Returns the number of polls of all jobs.
    pub fn polls(&self) -> usize {
        self.state.lock().unwrap().polls.values().sum()
    }

    /// Returns the largest number of jobs that were running at the same time.
    pub fn max_concurrent(&self) -> usize {
        self.state.lock().unwrap().max_concurrent
    }
}

fn respond(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    // [A] The API has no keys.
    request.assert_without(&["authorization", "x-api-key", "origin", "referer", "cookie"]);
    if scenario.restarts {
        state.jobs.retain(|_, job| now < job.started + SHAPE / 2.0);
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") if scenario.dialect == Dialect::V21 => {
            Reply::json(200, json!({"status": "healthy", "worker_id": "a1b2c3"}))
        }
        ("POST", "/send") => send(request, scenario, state, now),
        ("POST", "/generate") => generate(request, scenario),
        ("GET", path) if path.starts_with("/status/") => {
            status(&path["/status/".len()..], scenario, state, now)
        }
        _ => Reply::json(404, json!({"detail": "Not Found"})),
    }
}

/// [A] 2.1 validates parameters, although it uses nothing but the image.
fn validation_error(body: &Value, scenario: Scenario) -> Option<Reply> {
    let octree = body["octree_resolution"].as_u64().unwrap_or(256);
    let is_valid = (64..=512).contains(&octree) && body["image"].is_string();
    (scenario.dialect == Dialect::V21 && !is_valid).then(|| {
        Reply::json(
            422,
            json!({"detail": [{"type": "less_than_equal", "loc": ["body", "octree_resolution"],
                "msg": "Input should be less than or equal to 512", "input": octree}]}),
        )
    })
}

/// [A] Python's decoder ignores characters outside the alphabet, so a `data:` prefix is decoded to
/// garbage.
fn has_image(body: &Value) -> bool {
    let text = body["image"].as_str().unwrap_or_default();
    let is_base64 = |letter: &char| letter.is_ascii_alphanumeric() || "+/=".contains(*letter);
    let lenient: String = text.chars().filter(is_base64).collect();
    STANDARD
        .decode_to_vec(&lenient)
        .is_ok_and(|bytes| image::load_from_memory(&bytes).is_ok())
}

/// [A] Responds when the model is complete; the caller's lock blocks all other requests meanwhile.
/// Every failure is reported as high traffic.
fn generate(request: &Request, scenario: Scenario) -> Reply {
    let body = request.json();
    if let Some(error) = validation_error(&body, scenario) {
        return error;
    }
    if !has_image(&body) {
        let text = "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.**";
        return Reply::json(404, json!({"text": text, "error_code": 1}));
    }
    thread::sleep(Duration::from_secs_f64(GENERATE / SPEED));
    let file = match scenario.dialect == Dialect::V21 && !scenario.texturing_fails {
        true => textured_glb(),
        false => untextured_glb(),
    };
    // [A] On systems whose MIME table has no GLB.
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Reply::Response(200, headers, file)
}

fn send(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let body = request.json();
    if let Some(error) = validation_error(&body, scenario) {
        return error;
    }
    if scenario.cannot_start_thread {
        return Reply::json(500, json!({"error": "Failed to start generation"}));
    }
    state.submits += 1;
    state.images.push(image_number(&body["image"]));
    let uid = state.start_job(has_image(&body).then_some(body), now);
    Reply::json(200, json!({"uid": uid}))
}

fn status(uid: &str, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let processing = || Reply::json(200, json!({"status": "processing"}));
    let job = state.jobs.get(uid);
    // [A] An unknown job is reported as `processing`, too.
    let Some((started, body)) = job.and_then(|job| Some((job.started, job.body.as_ref()?))) else {
        return processing();
    };
    let age = now - started;
    if scenario.dies_in_shape || age < SHAPE {
        return processing();
    }
    let is_textured = match scenario.dialect {
        Dialect::V21 => {
            if scenario.dies_in_texture || age < SHAPE + TEXTURE {
                return Reply::json(200, json!({"status": "texturing"}));
            }
            !scenario.texturing_fails
        }
        // [A] Without --enable_tex the job never ends.
        Dialect::V20 if body["texture"] == true && !scenario.enable_tex => return processing(),
        Dialect::V20 => body["texture"] == true,
    };
    let polls = state.polls.entry(uid.to_owned()).or_default();
    *polls += 1;
    if scenario.file_unreadable_once && *polls == 1 {
        return Reply::json(
            500,
            json!({"status": "error", "message": "Failed to read generated file"}),
        );
    }
    let mut file = match scenario.wrong_file {
        Some(bytes) => bytes.to_vec(),
        None if is_textured => textured_glb(),
        None => untextured_glb(),
    };
    if scenario.writes_in_place && *polls < 4 {
        file.truncate([0, 3, file.len() / 2][*polls - 1]);
    }
    let base64 = STANDARD.encode_to_string(file);
    Reply::json(200, json!({"status": "completed", "model_base64": base64}))
}
