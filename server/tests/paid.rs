//! fal and Meshy, emulated with what is nasty about them: whatever happens, a session costs at most
//! one model.
#![allow(missing_docs)]

#[path = "support/emulator.rs"]
mod emulator;
#[path = "support/hosted.rs"]
mod hosted;
mod support;

use std::process::Stdio;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use emulator::picture;
use hosted::{Emulator, Engine, KEY, Nasty};
use serde_json::{Value, json};
use support::*;

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
