//! Hunyuan3D's `api_server.py`, both dialects, emulated with what is nasty about them.
#![allow(dead_code, missing_docs)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use api::image;
use base64_simd::STANDARD;
use serde_json::{Value, json};

use super::{self as emulator, Clock, Reply, Request, bare_model, model, number_of};

/// How long a job takes, in seconds of the emulator's clock.
const SHAPE: f64 = 4.0;
const TEXTURE: f64 = 4.0;
/// How long a model takes that somebody waits for.
const WAITED_FOR: f64 = 40.0;
const SPEED: f64 = 40.0;

#[derive(Clone, Copy, Default)]
pub struct Scenario {
    /// [A] 2.1 says how it is, 2.0 has no such route.
    pub is_21: bool,
    /// [A] A job that dies is never done: `processing` for ever, or with 2.1 `texturing`.
    pub dies_in_shape: bool,
    pub dies_in_texture: bool,
    /// [A] 2.0 writes the file in place: `completed` comes with a part of it first.
    pub in_place: bool,
    /// [A] 2.1 hands out the untextured mesh where texturing fails, to those who wait for it; [C] to
    /// others too.
    pub untextured: bool,
    /// [A] 2.1 answers 500 where the file cannot be read; later it may be.
    pub unreadable: bool,
    /// [A] 2.0 was started with `--enable_tex`.
    pub enable_tex: bool,
    /// [A] 2.1, where no thread can be started.
    pub cannot_start: bool,
    /// [A] It is started again while the first job runs, and knows none any more.
    pub forgets: bool,
    /// [C] The file is something else.
    pub impostor: Option<&'static [u8]>,
}

#[derive(Default)]
pub struct State {
    /// When each job began, and what was sent for it; `None` for a body that is no picture.
    pub jobs: HashMap<String, (f64, Option<Value>)>,
    /// The number of the picture of each.
    pub pictures: Vec<u32>,
    pub sent: usize,
    pub polls: HashMap<String, usize>,
    pub running: usize,
    pub most_at_once: usize,
}

pub struct Hunyuan {
    pub host: String,
    pub state: Arc<Mutex<State>>,
}

impl Hunyuan {
    pub fn start(scenario: Scenario) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (inner, clock) = (state.clone(), Clock::new(SPEED));
        let host = emulator::serve(move |request| {
            answer(request, scenario, &mut inner.lock().unwrap(), clock.now())
        });
        Self { host, state }
    }

    pub fn bodies(&self) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let jobs = state.jobs.values();
        jobs.filter_map(|(_, body)| body.clone()).collect()
    }

    pub fn sent(&self) -> usize {
        self.state.lock().unwrap().sent
    }
}

fn answer(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    // [A] No key is asked for, and none must be sent.
    for name in ["authorization", "x-api-key", "origin", "referer", "cookie"] {
        assert_eq!(request.header(name), "", "{name}");
    }
    // [A] Whoever began before is forgotten.
    if scenario.forgets {
        state.jobs.retain(|_, (from, _)| now < *from + SHAPE / 2.0);
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") if scenario.is_21 => {
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

/// [A] 2.1 refuses what is out of bounds, though nothing but the picture counts.
fn refused(body: &Value, scenario: Scenario) -> Option<Reply> {
    let octree = body["octree_resolution"].as_u64().unwrap_or(256);
    let is_fine = (64..=512).contains(&octree) && body["image"].is_string();
    (scenario.is_21 && !is_fine).then(|| {
        Reply::json(
            422,
            json!({"detail": [{"type": "less_than_equal", "loc": ["body", "octree_resolution"],
                "msg": "Input should be less than or equal to 512", "input": octree}]}),
        )
    })
}

/// [A] Python's decoder drops what is not of its alphabet: a `data:` prefix becomes rubbish.
fn is_picture(body: &Value) -> bool {
    let text = body["image"].as_str().unwrap_or_default();
    let known = |letter: &char| letter.is_ascii_alphanumeric() || "+/=".contains(*letter);
    let lenient: String = text.chars().filter(known).collect();
    STANDARD
        .decode_to_vec(&lenient)
        .is_ok_and(|bytes| image::load_from_memory(&bytes).is_ok())
}

/// [A] Answers once the model is made, and nobody else gets an answer meanwhile: the state is
/// locked. Whatever goes wrong is the traffic.
fn generate(request: &Request, scenario: Scenario) -> Reply {
    let body = request.json();
    if let Some(refused) = refused(&body, scenario) {
        return refused;
    }
    if !is_picture(&body) {
        let words =
            "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.**";
        return Reply::json(404, json!({"text": words, "error_code": 1}));
    }
    thread::sleep(Duration::from_secs_f64(WAITED_FOR / SPEED));
    let file = match scenario.is_21 && !scenario.untextured {
        true => model(),
        false => bare_model(),
    };
    // [A] Where the system does not know what a GLB is.
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Reply::Answer(200, headers, file)
}

fn send(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let body = request.json();
    if let Some(refused) = refused(&body, scenario) {
        return refused;
    }
    if scenario.cannot_start {
        return Reply::json(500, json!({"error": "Failed to start generation"}));
    }
    state.sent += 1;
    let uid = format!("00000000-0000-4000-8000-{:012}", state.sent);
    state.pictures.push(number_of(&body["image"]));
    let is_picture = is_picture(&body);
    let alive = state.jobs.values().filter(|(from, _)| now < from + SHAPE);
    state.running = alive.count() + 1;
    state.most_at_once = state.most_at_once.max(state.running);
    state
        .jobs
        .insert(uid.clone(), (now, is_picture.then_some(body)));
    Reply::json(200, json!({"uid": uid}))
}

fn status(uid: &str, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let processing = || Reply::json(200, json!({"status": "processing"}));
    // [A] A job that it has never heard of is in progress, too.
    let Some((from, Some(body))) = state.jobs.get(uid) else {
        return processing();
    };
    let age = now - from;
    if scenario.dies_in_shape || age < SHAPE {
        return processing();
    }
    let textured = match scenario.is_21 {
        true => {
            if scenario.dies_in_texture || age < SHAPE + TEXTURE {
                return Reply::json(200, json!({"status": "texturing"}));
            }
            !scenario.untextured
        }
        // [A] Started without --enable_tex, it never ends.
        false if body["texture"] == true && !scenario.enable_tex => return processing(),
        false => body["texture"] == true,
    };
    let polls = state.polls.entry(uid.to_owned()).or_default();
    *polls += 1;
    if scenario.unreadable && *polls == 1 {
        return Reply::json(
            500,
            json!({"status": "error", "message": "Failed to read generated file"}),
        );
    }
    let mut file = match scenario.impostor {
        Some(other) => other.to_vec(),
        None if textured => model(),
        None => bare_model(),
    };
    if scenario.in_place && *polls < 4 {
        file.truncate([0, 3, file.len() / 2][*polls - 1]);
    }
    let base64 = STANDARD.encode_to_string(file);
    Reply::json(200, json!({"status": "completed", "model_base64": base64}))
}
