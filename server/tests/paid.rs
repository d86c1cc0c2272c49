//! fal and Meshy, emulated with what is nasty about them: whatever happens, a session costs at most
//! one model.
#![allow(missing_docs)]

#[path = "support/emulator.rs"]
mod emulator;
mod support;

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use emulator::{Clock, Reply, Request, model, picture};
use serde_json::{Value, json};
use support::*;

/// Marked, so that it is found wherever it gets to.
const KEY: &str = "key-id-Zq81ENGINESECRET:Zq82ENGINESECRET";

/// How fast the emulators' clocks run.
const SPEED: f64 = 20.0;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Engine {
    Fal,
    Meshy,
}

/// What goes wrong, and how sure it is that it does.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Nasty {
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
struct State {
    /// When each job was begun, by the emulator's clock and by the calendar's.
    jobs: Vec<(String, f64, u64)>,
    /// Requests that ask for a model, whether or not one was begun.
    asked: usize,
    looks: HashMap<String, usize>,
    bodies: Vec<Value>,
    downloads: usize,
}

#[derive(Clone)]
struct Emulator {
    engine: Engine,
    host: String,
    files: String,
    state: Arc<Mutex<State>>,
}

impl Emulator {
    fn start(engine: Engine, nasty: Nasty) -> Self {
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

    fn billed(&self) -> usize {
        self.state.lock().unwrap().jobs.len()
    }

    fn config(&self, own: &str) -> String {
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

/// A server with the engine's key in its environment, and all that it ever wrote.
struct Gateway {
    server: Server,
    folder: tempfile::TempDir,
    key: &'static str,
    flags: Vec<String>,
}

impl Gateway {
    fn start(emulator: &Emulator, own: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, emulator.config(own)).unwrap();
        let data = folder.path().join("data");
        let mut flags: Vec<String> = [
            "--speed",
            "100",
            "--config",
            file.to_str().unwrap(),
            "--data",
        ]
        .map(str::to_owned)
        .into();
        flags.push(data.to_str().unwrap().to_owned());
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        let key = match emulator.engine {
            Engine::Fal => "FAL_KEY",
            Engine::Meshy => "MESHY_API_KEY",
        };
        let server = Self::launch(&flags, key, folder.path());
        Self {
            server,
            folder,
            key,
            flags,
        }
    }

    fn launch(flags: &[String], key: &str, folder: &std::path::Path) -> Server {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .unwrap();
        let child = command()
            .args(["--port", "0"])
            .args(flags)
            .env(key, KEY)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        Server::of(child)
    }

    /// Ended without notice, and started again.
    fn again(&mut self) {
        self.server.child.kill().unwrap();
        self.server.child.wait().unwrap();
        self.server = Self::launch(&self.flags, self.key, self.folder.path());
    }

    fn create(&self, parameters: Value) -> String {
        let mut body = body(&picture());
        for (name, value) in parameters.as_object().unwrap() {
            body[name] = value.clone();
        }
        let created = self.server.post(SESSIONS, "", &body).unwrap();
        assert_eq!(created.status, 201, "{}", created.json());
        code(&created.json()["data"])
    }
}

impl Drop for Gateway {
    /// Whatever a test was about: the secrets are nowhere.
    fn drop(&mut self) {
        let _ = self.server.child.kill();
        let _ = self.server.child.wait();
        if std::thread::panicking() {
            return;
        }
        for file in ["log", "data/sessions.redb"] {
            let bytes = std::fs::read(self.folder.path().join(file)).unwrap();
            let found = bytes.windows(12).any(|bytes| bytes == b"ENGINESECRET");
            assert!(!found, "a secret is in {file}");
        }
    }
}

/// Who has which trouble, and how many models it costs; where the session fails, with the words that
/// it fails with.
type Case = (Engine, Nasty, Result<usize, (usize, &'static str)>);

/// How a session ends under each of the scenarios, for both engines.
#[test]
fn whatever_goes_wrong_a_session_costs_at_most_one_model() {
    use Engine::{Fal, Meshy};
    let impostor = Nasty::Impostor(b"PK\x03\x04 zipped");
    let cases: &[Case] = &[
        (Fal, Nasty::Nothing, Ok(1)),
        (Fal, Nasty::NoQueue, Ok(1)),
        (Fal, Nasty::UnknownFields, Ok(1)),
        (Fal, Nasty::LockedInBetween, Ok(1)),
        (Fal, Nasty::EarlyResult, Ok(1)),
        (Fal, Nasty::ExpiredOnce, Ok(1)),
        (Fal, Nasty::FileFailsOnce, Ok(1)),
        (Fal, Nasty::BusyAtFirst(429, false), Ok(1)),
        (Fal, Nasty::BusyAtFirst(503, true), Ok(1)),
        (
            Fal,
            Nasty::SubmitTimesOut,
            Err((1, "it may have been charged")),
        ),
        (
            Fal,
            Nasty::SubmitResets,
            Err((1, "it may have been charged")),
        ),
        (
            Fal,
            Nasty::SubmitAnswers(500),
            Err((1, "it may have been charged")),
        ),
        (
            Fal,
            Nasty::SubmitAnswers(502),
            Err((1, "it may have been charged")),
        ),
        (
            Fal,
            Nasty::SubmitAnswers(504),
            Err((1, "it may have been charged")),
        ),
        (
            Fal,
            Nasty::NeverArrives,
            Err((0, "it may have been charged")),
        ),
        (
            Fal,
            Nasty::Refused(401),
            Err((0, "it answered 401: so it is")),
        ),
        (
            Fal,
            Nasty::Refused(403),
            Err((0, "it answered 403: so it is")),
        ),
        (
            Fal,
            Nasty::Refused(422),
            Err((0, "it answered 422: so it is")),
        ),
        (
            Fal,
            Nasty::Fails,
            Err((1, "it answered 422: Image too small")),
        ),
        (
            Fal,
            Nasty::FailsOtherwise,
            Err((1, "it answered 504: Request timed out")),
        ),
        (Fal, Nasty::ResultGone, Err((1, "the result is gone"))),
        (Fal, Nasty::ExpiredForGood, Err((1, "gone already"))),
        (Fal, impostor, Err((1, "a ZIP archive and no GLB"))),
        (
            Fal,
            Nasty::Impostor(b"# obj\nv 1 2 3\n"),
            Err((1, "an OBJ and no GLB")),
        ),
        (
            Fal,
            Nasty::Impostor(b"Kaydara FBX"),
            Err((1, "an FBX file and no GLB")),
        ),
        (Fal, Nasty::ElsewhereResult, Err((1, "none of the hosts"))),
        (Fal, Nasty::RedirectedResult, Err((1, "none of the hosts"))),
        (Fal, Nasty::UnknownStatus, Err((1, "PONDERING"))),
        (Fal, Nasty::Stuck, Err((1, "no model after 6 s"))),
        (Meshy, Nasty::Nothing, Ok(1)),
        (Meshy, Nasty::UnknownFields, Ok(1)),
        (Meshy, Nasty::LockedInBetween, Ok(1)),
        (Meshy, Nasty::ExpiredOnce, Ok(1)),
        (Meshy, Nasty::BusyAtFirst(429, false), Ok(1)),
        (Meshy, Nasty::BusyAtFirst(429, true), Ok(1)),
        // The list knows them.
        (Meshy, Nasty::SubmitTimesOut, Ok(1)),
        (Meshy, Nasty::SubmitResets, Ok(1)),
        (Meshy, Nasty::SubmitAnswers(500), Ok(1)),
        (Meshy, Nasty::SubmitAnswers(502), Ok(1)),
        (Meshy, Nasty::SubmitAnswers(504), Ok(1)),
        (
            Meshy,
            Nasty::NeverArrives,
            Err((0, "it may have been charged")),
        ),
        (
            Meshy,
            Nasty::Refused(402),
            Err((0, "it answered 402: so it is")),
        ),
        (
            Meshy,
            Nasty::Refused(400),
            Err((0, "it answered 400: so it is")),
        ),
        (
            Meshy,
            Nasty::Fails,
            Err((1, "the task is FAILED: Image too small")),
        ),
        (
            Meshy,
            Nasty::FailsOtherwise,
            Err((1, "the task is CANCELED")),
        ),
        (
            Meshy,
            Nasty::ResultGone,
            Err((1, "it knows the task no more")),
        ),
        (Meshy, Nasty::ExpiredForGood, Err((1, "gone already"))),
        (Meshy, impostor, Err((1, "a ZIP archive and no GLB"))),
        (Meshy, Nasty::Stuck, Err((1, "no model after 6 s"))),
    ];
    // A few at once: most of the time they wait.
    let next = Mutex::new(cases.iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().unwrap().next() else {
                        break;
                    };
                    ends_as(case);
                }
            });
        }
    });
}

fn ends_as((engine, nasty, expected): &Case) {
    let emulator = Emulator::start(*engine, *nasty);
    let gateway = Gateway::start(&emulator, "", &[]);
    let session = gateway
        .server
        .end_of(&gateway.create(json!({"generate_texture": true})));
    let case = format!("{engine:?} {nasty:?}: {session}");
    let text = session.to_string();
    assert!(
        !text.contains("ENGINESECRET") && !text.contains("base64"),
        "{case}"
    );
    match expected {
        Ok(billed) => {
            assert_eq!(session["status"], "preview_done", "{case}");
            assert_eq!(emulator.billed(), *billed, "{case}");
            let file = gateway
                .server
                .get(&format!("/files/{}/preview.glb", code(&session)));
            assert!(file.body.starts_with(b"glTF"), "{case}");
            assert!(
                file.head.contains("access-control-allow-origin: *"),
                "{case}"
            );
        }
        Err((billed, words)) => {
            assert_eq!(session["status"], "preview_failed", "{case}");
            assert!(session["error"].as_str().unwrap().contains(words), "{case}");
            assert_eq!(emulator.billed(), *billed, "{case}");
        }
    }
}

#[test]
fn a_server_that_is_killed_at_any_moment_pays_no_model_twice() {
    let mut random = fastrand::Rng::with_seed(20_261_123);
    for engine in [Engine::Fal, Engine::Meshy] {
        let emulator = Emulator::start(engine, Nasty::Nothing);
        let mut gateway = Gateway::start(&emulator, "", &[]);
        let mut done = 0;
        for kill in 0..25 {
            let before = emulator.billed();
            let code = gateway.create(json!({}));
            // From before the request to after the result.
            sleep(Duration::from_millis(random.u64(0..450)));
            gateway.again();
            let session = gateway.server.end_of(&code);
            let billed = emulator.billed() - before;
            let case = format!("{engine:?} {kill}: {session}");
            match session["status"].as_str() {
                Some("preview_done") => {
                    assert_eq!(billed, 1, "{case}");
                    done += 1;
                }
                Some("preview_failed") => {
                    assert!(billed <= 1, "{case}");
                    let words = session["error"].as_str().unwrap();
                    assert!(words.contains("may have been charged"), "{case}");
                }
                _ => panic!("{case}"),
            }
        }
        assert!(done >= 15, "{engine:?}: only {done} ended well");
    }
}

#[test]
fn the_place_in_the_queue_is_said_in_words() {
    let emulator = Emulator::start(Engine::Fal, Nasty::Stuck);
    let gateway = Gateway::start(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    let start = Instant::now();
    let mut said = Vec::new();
    while start.elapsed() < Duration::from_millis(1500) {
        let session = gateway.server.get(&format!("{SESSIONS}/{code}")).json()["data"].take();
        said.extend(session["engine_status"].as_str().map(str::to_owned));
        assert!(session["percent_done"].as_u64().unwrap() < 100);
        sleep(Duration::from_millis(5));
    }
    said.dedup();
    let expected = [
        "one job before it in fal's queue",
        "next in fal's queue",
        "fal is making the model",
    ];
    assert_eq!(said, expected);
}

#[test]
fn fal_is_asked_for_the_model_that_fits() {
    let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
    let gateway = Gateway::start(&emulator, "", &[]);
    let textured =
        json!({"generate_texture": true, "texture_resolution": 512, "resolution": "low_poly"});
    for (parameters, field, unsupported) in [
        (textured, ("texture_size", json!(1024)), Value::Null),
        (json!({}), ("textured_mesh", json!(false)), Value::Null),
        (
            json!({"topology": "quads"}),
            ("topology", json!("quad")),
            json!(["topology"]),
        ),
    ] {
        let session = gateway.server.end_of(&gateway.create(parameters));
        assert_eq!(session["status"], "preview_done", "{session}");
        assert_eq!(session["unsupported"], unsupported);
        let body = emulator
            .state
            .lock()
            .unwrap()
            .bodies
            .last()
            .unwrap()
            .clone();
        assert_eq!(body[field.0], field.1, "{}", body.to_string().len());
    }
    // And for one of one's own.
    let own = "[engines.fal.model]\nid = \"me/mine/v9\"\nimage_field = \"image_url\"\n\
               glb = [\"/nothing/url\", \"/model_glb/url\"]\ninput = { steps = 7 }\n";
    let gateway = Gateway::start(&emulator, own, &[]);
    let session = gateway
        .server
        .end_of(&gateway.create(json!({"resolution": "low_poly"})));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], json!(["resolution"]));
    assert_eq!(
        emulator.state.lock().unwrap().bodies.last().unwrap()["steps"],
        7
    );
}

#[test]
fn meshy_is_told_to_remesh_where_faces_count() {
    let emulator = Emulator::start(Engine::Meshy, Nasty::Nothing);
    let gateway = Gateway::start(&emulator, "", &[]);
    gateway.server.end_of(&gateway.create(json!({})));
    gateway
        .server
        .end_of(&gateway.create(json!({"resolution": "low_poly", "topology": "quads"})));
    let state = emulator.state.lock().unwrap();
    let [plain, low] = state.bodies.as_slice() else {
        panic!("{}", state.bodies.len());
    };
    // [A] Without it, neither of the two has an effect.
    assert_eq!(
        (&plain["should_remesh"], &plain["should_texture"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(
        (&low["should_remesh"], &low["topology"]),
        (&json!(true), &json!("quad"))
    );
    assert_eq!(low["target_formats"], json!(["glb"]));
}
