//! fal and Meshy, emulated with what is nasty about them.
#![allow(dead_code, missing_docs)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::emulator::{self, Clock, Reply, Request, model};

/// Marked, so that it is found wherever it gets to.
pub const KEY: &str = "key-id-Zq81ENGINESECRET:Zq82ENGINESECRET";

/// How fast the emulators' clocks run.
const SPEED: f64 = 20.0;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Engine {
    Fal,
    Meshy,
}

/// What goes wrong, and how sure it is that it does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Nasty {
    Nothing,
    /// [A] The job is begun, and the answer never comes.
    SubmitTimesOut,
    /// [A] The same, and the connection breaks.
    SubmitResets,
    /// [A] The same, with an answer of a gateway.
    SubmitAnswers(u16),
    /// [A] Nothing is begun; a little later it would be.
    BusyAtFirst(u16, bool),
    /// [A] The job is never begun, and the answer never comes.
    NeverArrives,
    /// [A] Nothing is begun, for a reason that stays.
    Refused(u16),
    /// [B] The account is locked while the job runs; it goes on, and so does the account later.
    LockedInBetween,
    /// [A] The job fails.
    Fails,
    /// [A] fal: COMPLETED with an `error`, and then 504. Meshy: CANCELED.
    FailsOtherwise,
    /// [B] fal: COMPLETED, and the result is still refused once with 400.
    EarlyResult,
    /// [A] It runs at once, without a place in the queue.
    NoQueue,
    /// [A] The link is too old; a new look brings a fresh one.
    ExpiredOnce,
    /// [A] Nothing brings a fresh one.
    ExpiredForGood,
    /// [A] The result is kept for a time, and then gone.
    ResultGone,
    /// [A] The file is something else than it says.
    Impostor(&'static [u8]),
    /// [C] The result lies where nobody expects it.
    ElsewhereResult,
    /// [C] The result leads to this machine.
    RedirectedResult,
    /// [B] Progress stops at 99 for ever.
    Stuck,
    /// [C] Fields that nobody knows.
    UnknownFields,
    /// [C] The status is a word that nobody knows.
    UnknownStatus,
    /// [C] The file server fails at first.
    FileFailsOnce,
}

#[derive(Default)]
pub struct State {
    /// When each job was begun, by the emulator's clock and by the calendar's.
    jobs: Vec<(String, f64, u64)>,
    /// Requests that ask for a model, whether or not one was begun.
    asked: usize,
    looks: HashMap<String, usize>,
    pub bodies: Vec<Value>,
    downloads: usize,
}

#[derive(Clone)]
pub struct Emulator {
    pub engine: Engine,
    pub host: String,
    pub files: String,
    pub state: Arc<Mutex<State>>,
}

impl Emulator {
    pub fn start(engine: Engine, nasty: Nasty) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let clock = Clock::new(SPEED);
        let inner = state.clone();
        let files = emulator::serve(move |request| {
            // [A] A public file: the key has no business here.
            assert_eq!(request.header("authorization"), "");
            file(request, nasty, &mut inner.lock().unwrap())
        });
        let (inner, at) = (state.clone(), files.clone());
        let host = emulator::serve(move |request| {
            let mut state = inner.lock().unwrap();
            let reply = match engine {
                Engine::Fal => fal(request, nasty, &mut state, clock.now(), &at),
                Engine::Meshy => meshy(request, nasty, &mut state, clock.now(), &at),
            };
            drop(state);
            reply
        });
        Self {
            engine,
            host,
            files,
            state,
        }
    }

    pub fn billed(&self) -> usize {
        self.state.lock().unwrap().jobs.len()
    }

    pub fn config(&self, own: &str) -> String {
        let name = match self.engine {
            Engine::Fal => "fal",
            Engine::Meshy => "meshy",
        };
        format!(
            "default = \"{name}\"\n[engines.{name}]\nurl = \"http://{}\"\nresult_hosts = [\"{}\"]\n\
             poll = 0.02\ntimeout = 0.6\ndeadline = 6\n{own}\n",
            self.host, self.files
        )
    }
}

fn answered_late() -> Reply {
    Reply::Silence(Duration::from_secs(2))
}

/// What becomes of a request for a model; whether one is begun, and the answer where it is not that
/// of success.
fn submission(nasty: Nasty, asked: usize) -> (bool, Option<Reply>) {
    let error = |status| Reply::json(status, json!({"detail": "so it is", "message": "so it is"}));
    match nasty {
        Nasty::SubmitTimesOut => (true, Some(answered_late())),
        Nasty::SubmitResets => (true, Some(Reply::Reset)),
        Nasty::SubmitAnswers(status) => (true, Some(error(status))),
        Nasty::NeverArrives => (false, Some(answered_late())),
        Nasty::Refused(status) => (false, Some(error(status))),
        Nasty::BusyAtFirst(status, after) if asked <= 2 => {
            let reply = Reply::json(
                status,
                json!({"message": "NoMoreConcurrentTasks", "detail": "too many"}),
            );
            let reply = if after {
                reply.with("retry-after", 1)
            } else {
                reply
            };
            (false, Some(reply))
        }
        _ => (true, None),
    }
}

fn today() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

fn begin(state: &mut State, now: f64) -> String {
    let id = format!("0191e7c0-0000-7000-8000-{:012}", state.jobs.len() + 1);
    state.jobs.push((id.clone(), now, today()));
    id
}

fn fal(request: &Request, nasty: Nasty, state: &mut State, now: f64, files: &str) -> Reply {
    // [A] The word is Key, and not Bearer.
    if request.header("authorization") != format!("Key {KEY}") {
        let words = "No user found for Key ID and Secret";
        return Reply::json(401, json!({"detail": words}));
    }
    let locked = || {
        let words = "User is locked. Reason: Exhausted balance. Top up your balance.";
        Reply::json(403, json!({"detail": words}))
    };
    let host = request.header("host").to_owned();
    if request.method == "POST" {
        state.asked += 1;
        let body = request.json();
        // [A] Nothing of this machine can be fetched by it.
        let picture = body["image_url"]
            .as_str()
            .or(body["input_image_url"].as_str());
        if !picture.is_some_and(|picture| picture.starts_with("data:image/")) {
            return Reply::json(
                422,
                json!({"detail": [{"type": "file_download_error", "msg": "no"}]}),
            );
        }
        state.bodies.push(body);
        let (begins, reply) = submission(nasty, state.asked);
        let id = begins.then(|| begin(state, now));
        if let Some(reply) = reply {
            return reply;
        }
        // [A] Only the owner and the app are in the addresses.
        let app: Vec<_> = request.path.split('/').skip(1).take(2).collect();
        let job = format!("http://{host}/{}/requests/{}", app.join("/"), id.unwrap());
        let mut answer = json!({
            "status": "IN_QUEUE", "request_id": job.rsplit('/').next(), "queue_position": 2,
            "response_url": job, "status_url": format!("{job}/status"),
            "cancel_url": format!("{job}/cancel"),
        });
        if nasty == Nasty::NoQueue {
            answer["status"] = "IN_PROGRESS".into();
            answer.as_object_mut().unwrap().remove("queue_position");
        }
        return Reply::json(200, answer);
    }
    let path = request.path.trim_end_matches("/status");
    let id = path.rsplit('/').next().unwrap_or_default().to_owned();
    let job = state.jobs.iter().find(|(known, ..)| *known == id);
    // [A] The full model id leads nowhere.
    let Some((_, from, _)) = job.filter(|_| path.split('/').count() == 5) else {
        return Reply::json(404, json!({"detail": format!("Path {path} not found")}));
    };
    let age = now - from;
    let looks = state.looks.entry(request.path.clone()).or_default();
    *looks += 1;
    let looks = *looks;
    if request.path.ends_with("/status") {
        if nasty == Nasty::LockedInBetween && (2..6).contains(&looks) {
            return locked();
        }
        if nasty == Nasty::UnknownStatus {
            return Reply::json(200, json!({"status": "PONDERING"}));
        }
        let waits = age < 2.0 && nasty != Nasty::NoQueue;
        if nasty == Nasty::Stuck || waits || age < 4.0 {
            let mut answer = match waits {
                true => json!({"status": "IN_QUEUE", "queue_position": (2.0 - age) as u32}),
                // [A] Logs are null unless they are asked for.
                false => json!({"status": "IN_PROGRESS", "logs": null}),
            };
            if nasty == Nasty::UnknownFields {
                answer["mood"] = json!({"deep": [1, null]});
            }
            return Reply::json(202, answer);
        }
        let mut answer =
            json!({"status": "COMPLETED", "logs": null, "metrics": {"inference_time": 2}});
        if nasty == Nasty::FailsOtherwise {
            answer["error"] = "Request timed out".into();
            answer["error_type"] = "request_timeout".into();
        }
        return Reply::json(200, answer);
    }
    match nasty {
        // [A] The whole input comes back, the picture in it.
        Nasty::Fails => Reply::json(
            422,
            json!({"detail": [{"loc": ["body", "image_url"], "msg": "Image too small",
                "type": "image_too_small", "input": state.bodies[0].clone()}]}),
        ),
        Nasty::FailsOtherwise => Reply::json(
            504,
            json!({"detail": format!("Request timed out for {KEY} at https://x.example/a?sig=Zq83ENGINESECRET"),
                "error_type": "request_timeout"}),
        ),
        Nasty::EarlyResult if looks == 1 => {
            Reply::json(400, json!({"detail": "Request is still in progress"}))
        }
        Nasty::ResultGone => Reply::json(404, json!({"detail": "not found"})),
        _ => {
            let file = result(nasty, files, looks);
            let field = match request.path.starts_with("/fal-ai/hunyuan3d/") {
                true => "model_mesh",
                false => "model_glb",
            };
            Reply::json(
                200,
                json!({field: {"url": file, "content_type": "application/octet-stream"},
                "seed": 7}),
            )
        }
    }
}

fn meshy(request: &Request, nasty: Nasty, state: &mut State, now: f64, files: &str) -> Reply {
    // [A] Calls from browsers are refused.
    if !request.header("origin").is_empty() {
        return Reply::json(403, json!({"message": "Forbidden"}));
    }
    if request.header("authorization") != format!("Bearer {KEY}") {
        return Reply::json(401, json!({"message": "Invalid API key"}));
    }
    const TASKS: &str = "/openapi/v1/image-to-3d";
    if request.path == "/openapi/v1/balance" {
        return Reply::json(200, json!({"balance": 70}));
    }
    if request.method == "POST" {
        assert_eq!(request.path, TASKS);
        state.asked += 1;
        let body = request.json();
        // [A] Retired.
        if body["model_type"] == "lowpoly" {
            return Reply::json(400, json!({"message": "model_type lowpoly is retired"}));
        }
        state.bodies.push(body);
        let (begins, reply) = submission(nasty, state.asked);
        let id = begins.then(|| begin(state, now));
        return match (reply, id) {
            (Some(reply), _) => reply,
            (None, id) => Reply::json(202, json!({"result": id})),
        };
    }
    if request.path == TASKS {
        assert!(request.query.contains("page_num=1"));
        let tasks = state.jobs.iter().rev();
        let tasks =
            tasks.map(|(id, _, at)| json!({"id": id, "created_at": at, "status": "PENDING"}));
        return Reply::json(200, tasks.collect());
    }
    let id = request.path.rsplit('/').next().unwrap_or_default();
    let Some((_, from, at)) = state.jobs.iter().find(|(known, ..)| known == id) else {
        return Reply::json(404, json!({"message": "Task not found"}));
    };
    let (age, at) = (now - from, *at);
    let looks = state.looks.entry(id.to_owned()).or_default();
    *looks += 1;
    let looks = *looks;
    if nasty == Nasty::LockedInBetween && (2..6).contains(&looks) {
        return Reply::json(402, json!({"message": "Insufficient funds"}));
    }
    // [A] Times are in milliseconds, and 0 or null before they are.
    let mut task = json!({
        "id": id, "type": "image-to-3d", "status": "PENDING", "progress": 0, "preceding_tasks": 2,
        "created_at": at, "started_at": 0, "finished_at": null, "expires_at": 0,
        "model_urls": {"fbx": ""}, "texture_urls": {}, "task_error": {"message": ""},
    });
    if nasty == Nasty::UnknownFields {
        task["mood"] = json!({"deep": [1, null]});
    }
    if nasty == Nasty::UnknownStatus {
        task["status"] = "PONDERING".into();
        return Reply::json(200, task);
    }
    if age < 1.0 && nasty != Nasty::NoQueue {
        return Reply::json(200, task);
    }
    task["status"] = "IN_PROGRESS".into();
    task["progress"] = (25.0 * age).min(99.0).floor().into();
    if age < 4.0 || nasty == Nasty::Stuck {
        return Reply::json(200, task);
    }
    task["progress"] = 100.into();
    match nasty {
        // [A] A failure is 200, too.
        Nasty::Fails | Nasty::FailsOtherwise => {
            let word = if nasty == Nasty::Fails {
                "FAILED"
            } else {
                "CANCELED"
            };
            task["status"] = word.into();
            task["task_error"]["message"] = format!("Image too small {KEY}").into();
        }
        // [A] Kept for three days.
        Nasty::ResultGone => return Reply::json(404, json!({"message": "Task not found"})),
        _ => {
            task["status"] = "SUCCEEDED".into();
            task["model_urls"]["glb"] = result(nasty, files, looks).into();
        }
    }
    Reply::json(200, task)
}

/// The address of a result, signed.
fn result(nasty: Nasty, files: &str, looks: usize) -> String {
    match nasty {
        Nasty::ElsewhereResult => "http://127.0.0.1:9/a.glb?Signature=Zq83ENGINESECRET".into(),
        _ => format!("http://{files}/{looks}/model.glb?Signature=Zq83ENGINESECRET"),
    }
}

/// The file server: another host than that of the jobs, and not one header of CORS.
fn file(request: &Request, nasty: Nasty, state: &mut State) -> Reply {
    state.downloads += 1;
    assert_eq!(request.query, "Signature=Zq83ENGINESECRET");
    match nasty {
        Nasty::ExpiredOnce if state.downloads == 1 => {
            Reply::text(403, "<Error>AccessDenied</Error>")
        }
        Nasty::ExpiredForGood => Reply::text(403, "<Error>AccessDenied</Error>"),
        Nasty::FileFailsOnce if state.downloads == 1 => Reply::text(503, "down"),
        Nasty::Impostor(bytes) => Reply::bytes(bytes.to_vec()),
        Nasty::RedirectedResult => {
            Reply::text(302, "").with("location", "http://169.254.169.254/latest/meta-data/")
        }
        _ => Reply::bytes(model()),
    }
}
