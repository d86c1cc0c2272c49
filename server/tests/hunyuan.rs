//! Hunyuan3D's `api_server.py`, both dialects, emulated with what is nasty about them.
#![allow(missing_docs)]

#[path = "support/emulator.rs"]
mod emulator;
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64_simd::STANDARD;
use emulator::{Clock, Reply, Request, bare_model, gltf, model, picture};
use sandbox::image;
use serde_json::{Value, json};
use support::*;

/// How long a job takes, in seconds of the emulator's clock.
const SHAPE: f64 = 4.0;
const TEXTURE: f64 = 4.0;
const SPEED: f64 = 40.0;

#[derive(Clone, Copy, Default)]
struct Scenario {
    /// [A] 2.1 says how it is, 2.0 has no such route.
    is_21: bool,
    /// [A] A job that dies is never done: `processing` for ever, or with 2.1 `texturing`.
    dies_in_shape: bool,
    dies_in_texture: bool,
    /// [A] 2.0 writes the file in place: `completed` comes with a part of it first.
    in_place: bool,
    /// [A] 2.1 answers 200 with the untextured mesh where texturing fails.
    untextured: bool,
    /// [A] 2.1 answers 500 where the file cannot be read; later it may be.
    unreadable: bool,
    /// [A] 2.1, where no thread can be started.
    cannot_start: bool,
    /// [C] The file is something else.
    impostor: Option<&'static [u8]>,
}

#[derive(Default)]
struct State {
    /// When each job began, and what was sent for it; `None` for a body that is no picture.
    jobs: HashMap<String, (f64, Option<Value>)>,
    sent: usize,
    polls: HashMap<String, usize>,
    running: usize,
    most_at_once: usize,
}

struct Hunyuan {
    host: String,
    state: Arc<Mutex<State>>,
}

impl Hunyuan {
    fn start(scenario: Scenario) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (inner, clock) = (state.clone(), Clock::new(SPEED));
        let host = emulator::serve(move |request| {
            answer(request, scenario, &mut inner.lock().unwrap(), clock.now())
        });
        Self { host, state }
    }

    /// A server that hands everything to it.
    fn server(&self, own: &str) -> (Server, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text = format!(
            "default = \"hunyuan\"\n[engines.hunyuan]\nurl = \"http://{}\"\npoll = 0.03\ntimeout = 3\n{own}",
            self.host
        );
        std::fs::write(&file, text).unwrap();
        let server = Server::start(&["--config", file.to_str().unwrap(), "--speed", "100"]);
        (server, folder)
    }

    fn bodies(&self) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let jobs = state.jobs.values();
        jobs.filter_map(|(_, body)| body.clone()).collect()
    }

    fn sent(&self) -> usize {
        self.state.lock().unwrap().sent
    }
}

fn answer(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    // [A] No key is asked for, and none must be sent.
    assert_eq!(request.header("authorization"), "");
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") if scenario.is_21 => {
            Reply::json(200, json!({"status": "healthy", "worker_id": "a1b2c3"}))
        }
        ("POST", "/send") => send(request, scenario, state, now),
        ("GET", path) if path.starts_with("/status/") => {
            status(&path["/status/".len()..], scenario, state, now)
        }
        _ => Reply::json(404, json!({"detail": "Not Found"})),
    }
}

fn send(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let body = request.json();
    if scenario.is_21 {
        // [A] What is out of bounds is refused, though nothing but the picture counts.
        let octree = body["octree_resolution"].as_u64().unwrap_or(256);
        if !(64..=512).contains(&octree) || !body["image"].is_string() {
            return Reply::json(
                422,
                json!({"detail": [{"type": "less_than_equal", "loc": ["body", "octree_resolution"],
                    "msg": "Input should be less than or equal to 512", "input": octree}]}),
            );
        }
    }
    if scenario.cannot_start {
        return Reply::json(500, json!({"error": "Failed to start generation"}));
    }
    state.sent += 1;
    let uid = format!("00000000-0000-4000-8000-{:012}", state.sent);
    // [A] Python's decoder drops what is not of its alphabet: a data: prefix becomes rubbish.
    let lenient: String = body["image"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "+/=".contains(*letter))
        .collect();
    let is_picture = STANDARD
        .decode_to_vec(&lenient)
        .is_ok_and(|bytes| image::load_from_memory(&bytes).is_ok());
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
        false if body["texture"] == true => return processing(),
        false => false,
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

fn create(server: &Server, parameters: Value) -> String {
    let mut body = body(&picture());
    for (name, value) in parameters.as_object().unwrap() {
        body[name] = value.clone();
    }
    let created = server.post(SESSIONS, "", &body).unwrap();
    assert_eq!(created.status, 201, "{}", created.json());
    code(&created.json()["data"])
}

fn result(server: &Server, session: &Value) -> Value {
    let file = server.get(&format!("/files/{}/preview.glb", code(session)));
    assert_eq!(file.status, 200);
    assert!(file.head.contains("access-control-allow-origin: *"));
    gltf(&file.body)
}

#[test]
fn a_model_of_20_honours_what_it_can() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let (server, _folder) = hunyuan.server("");
    let low = create(
        &server,
        json!({"resolution": "low_poly", "topology": "quads", "creativity": "highest"}),
    );
    let session = server.end_of(&low);
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["engine"], "hunyuan");
    assert_eq!(session["unsupported"], json!(["creativity", "topology"]));
    let sent = &hunyuan.bodies()[0];
    assert_eq!(
        (&sent["octree_resolution"], &sent["texture"]),
        (&json!(128), &json!(false))
    );
    // Cut out before it is sent, and bare base64.
    let png = STANDARD
        .decode_to_vec(sent["image"].as_str().unwrap())
        .unwrap();
    let sent = image::load_from_memory(&png).unwrap().to_rgba8();
    assert_eq!(
        (sent.get_pixel(1, 1)[3], sent.get_pixel(48, 32)[3]),
        (0, 255)
    );
    let textured = server.end_of(&create(&server, json!({"generate_texture": true})));
    assert_eq!(textured["unsupported"], json!(["generate_texture"]));
}

#[test]
fn a_model_of_21_is_told_by_its_health_and_stripped_where_no_texture_was_asked_for() {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        ..Default::default()
    });
    let (server, _folder) = hunyuan.server("");
    let bare = server.end_of(&create(&server, json!({"resolution": "low_poly"})));
    assert_eq!(bare["status"], "preview_done", "{bare}");
    assert_eq!(bare["unsupported"], json!(["resolution"]));
    assert_eq!(result(&server, &bare)["images"], Value::Null);
    let asked =
        json!({"generate_texture": true, "texture_resolution": 128, "scaled_bbox": [1, 2, 3]});
    let textured = server.end_of(&create(&server, asked));
    assert_eq!(textured["unsupported"], Value::Null, "{textured}");
    let file = result(&server, &textured);
    assert_eq!(file["images"].as_array().unwrap().len(), 1);
    let names = hunyuan.bodies();
    assert!(
        names
            .iter()
            .all(|body| body.as_object().unwrap().len() == 1)
    );
}

#[test]
fn a_failed_texture_of_21_is_said_to_be_missing() {
    let scenario = Scenario {
        is_21: true,
        untextured: true,
        unreadable: true,
        ..Default::default()
    };
    let hunyuan = Hunyuan::start(scenario);
    let (server, _folder) = hunyuan.server("");
    let session = server.end_of(&create(&server, json!({"generate_texture": true})));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], json!(["generate_texture"]));
}

#[test]
fn a_file_that_is_still_being_written_is_waited_for() {
    let hunyuan = Hunyuan::start(Scenario {
        in_place: true,
        ..Default::default()
    });
    let (server, _folder) = hunyuan.server("");
    let session = server.end_of(&create(&server, json!({})));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(
        hunyuan.state.lock().unwrap().polls.values().sum::<usize>(),
        4
    );
}

#[test]
fn a_job_that_died_or_was_forgotten_ends_at_the_deadline() {
    let dies = Scenario {
        dies_in_shape: true,
        ..Default::default()
    };
    let dies_late = Scenario {
        is_21: true,
        dies_in_texture: true,
        ..Default::default()
    };
    for (scenario, words) in [
        (dies, "making the shape"),
        (dies_late, "making the texture"),
    ] {
        let hunyuan = Hunyuan::start(scenario);
        let (server, _folder) = hunyuan.server("deadline = 1\n");
        let session = server.end_of(&create(&server, json!({})));
        assert_eq!(session["status"], "preview_failed");
        let error = session["error"].as_str().unwrap();
        assert!(
            error.contains("no model after 1 s") && error.contains(words),
            "{error}"
        );
        assert!(!error.contains("charged"), "{error}");
    }
}

#[test]
fn what_is_no_model_is_named() {
    for (file, words) in [
        (&b"PK\x03\x04 and so on"[..], "a ZIP archive"),
        (b"Kaydara FBX Binary  \x00", "an FBX file"),
        (b"# Blender\nv 1 2 3\nf 1 1 1\n", "an OBJ"),
        (b"<html>", "HTML"),
    ] {
        let hunyuan = Hunyuan::start(Scenario {
            impostor: Some(file),
            ..Default::default()
        });
        let (server, _folder) = hunyuan.server("");
        let session = server.end_of(&create(&server, json!({})));
        assert_eq!(session["status"], "preview_failed");
        assert!(
            session["error"].as_str().unwrap().contains(words),
            "{session}"
        );
    }
}

#[test]
fn one_job_comes_after_the_other() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let (server, _folder) = hunyuan.server("");
    let codes: Vec<_> = (0..4).map(|_| create(&server, json!({}))).collect();
    for code in codes {
        assert_eq!(server.end_of(&code)["status"], "preview_done");
    }
    let state = hunyuan.state.lock().unwrap();
    assert_eq!((state.sent, state.most_at_once), (4, 1));
}

#[test]
fn the_refinement_asks_for_no_second_model() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let (server, _folder) = hunyuan.server("");
    let session = server.end_of(&create(&server, json!({"auto_refine": true})));
    assert_eq!(session["status"], "refine_done", "{session}");
    assert_eq!(session["unsupported"], json!(["auto_refine"]));
    assert_eq!(hunyuan.sent(), 1);
}

#[test]
fn a_server_that_cannot_begin_ends_the_session() {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        cannot_start: true,
        ..Default::default()
    });
    let (server, _folder) = hunyuan.server("");
    let session = server.end_of(&create(&server, json!({})));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(error.contains("Failed to start generation"), "{error}");
}

#[test]
fn a_caller_chooses_among_the_engines() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let (server, _folder) = hunyuan.server("");
    let session = server.end_of(&create(&server, json!({"engine": "sculpt"})));
    assert_eq!((&session["engine"], hunyuan.sent()), (&json!("sculpt"), 0));
    let mut other = body(&picture());
    other["engine"] = json!("magic");
    let refused = server.post(SESSIONS, "", &other).unwrap();
    assert_eq!(refused.status, 400);
    let words = refused.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(words, "engine: came \"magic\", allowed: hunyuan, sculpt");
}

#[test]
fn a_server_that_is_away_is_waited_for_and_then_given_up() {
    let hunyuan = Hunyuan {
        // Nobody listens there.
        host: "127.0.0.1:9".into(),
        state: Arc::default(),
    };
    let (server, _folder) = hunyuan.server("deadline = 0.5\n");
    let session = server.end_of(&create(&server, json!({})));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(error.contains("took no job"), "{error}");
}

#[test]
fn a_restart_goes_on_with_the_job() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let data = tempfile::tempdir().unwrap();
    let flags = [
        "--engine",
        &format!("hunyuan=http://{}", hunyuan.host),
        "--data",
        data.path().to_str().unwrap(),
        "--speed",
        "100",
    ];
    let mut server = Server::start(&flags);
    let code = create(&server, json!({}));
    while hunyuan.sent() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The uid arrives meanwhile, and the next look is three seconds away.
    std::thread::sleep(Duration::from_millis(500));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = Server::start(&flags);
    assert_eq!(server.end_of(&code)["status"], "preview_done");
    assert_eq!(hunyuan.sent(), 1);
}

#[test]
fn a_check_spends_nothing_and_says_what_is_missing() {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        ..Default::default()
    });
    let check = |engine: &str| {
        let output = command()
            .args(["--check", "--engine", engine])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.success(),
            said + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (fine, said) = check(&format!("hunyuan=http://{}", hunyuan.host));
    assert!(fine && said.contains("Hunyuan3D-2.1 answers"), "{said}");
    assert_eq!(hunyuan.sent(), 0);
    let (fine, said) = check("hunyuan=http://127.0.0.1:9");
    assert!(!fine && said.contains("MISSING  hunyuan"), "{said}");
    let (fine, said) = check("magic");
    assert!(
        !fine && said.contains("there is no engine \"magic\""),
        "{said}"
    );
}
