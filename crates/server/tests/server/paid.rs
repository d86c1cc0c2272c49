//! fal and Meshy, emulated with what is nasty about them: whatever happens, a session costs at most
//! one model.

use std::io::Read;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use crate::emulators::hosted::{Cancel, Emulator, Engine, KEY, Nasty};
use crate::support::gateway::Gateway;
use crate::support::*;
use serde_json::{Value, json};

/// A server with the engine's key in its environment.
fn in_front_of(emulator: &Emulator, own: &str, more: &[&str]) -> Gateway {
    let name = match emulator.engine {
        Engine::Fal => "FAL_KEY",
        Engine::Meshy => "MESHY_API_KEY",
    };
    let inner = emulator.clone();
    let billed = move || inner.billed_pictures();
    Gateway::start(
        &emulator.config(own),
        vec![(name, KEY.into())],
        more,
        billed,
    )
}

/// Who has which trouble, and how it ends: well, or with how many models billed, and in which words.
type Case = (Engine, Nasty, Result<(), (usize, &'static str)>);

const LOCKED: &str = "User is locked. Reason: Exhausted balance. Top up your balance.";
const CHARGED: &str = "it may have been charged";
const ZIP: Nasty = Nasty::Impostor(b"PK\x03\x04 zipped");
const OBJ: Nasty = Nasty::Impostor(b"# obj\nv 1 2 3\n");
/// Says that it is longer than it is.
const SHORT: Nasty = Nasty::Impostor(b"glTF\x02\0\0\0\xff\xff\0\0\x10\0\0\0JSON{}");
const FBX: Nasty = Nasty::Impostor(b"Kaydara FBX Binary");

/// How a session ends under each of the scenarios.
#[rustfmt::skip]
fn cases() -> Vec<Case> {
    use Cancel::*;
    use Engine::{Fal, Meshy};
    use Nasty::*;
    vec![
        (Fal, Nothing, Ok(())),
        (Fal, NoQueue, Ok(())),
        (Fal, UnknownFields, Ok(())),
        (Fal, LooksFail(403, LOCKED), Ok(())),
        (Fal, LooksFail(401, "No user found"), Ok(())),
        (Fal, LooksFail(429, "too many"), Ok(())),
        (Fal, LooksFail(500, "Internal Server Error"), Ok(())),
        (Fal, LooksBreak, Ok(())),
        (Fal, EarlyResult, Ok(())),
        (Fal, ElsewhereAddresses, Ok(())),
        (Fal, ExpiredOnce, Ok(())),
        (Fal, FileFails(1), Ok(())),
        (Fal, FileFails(20), Ok(())),
        (Fal, FileFailsAndExpires, Ok(())),
        (Fal, ResultFails, Ok(())),
        (Fal, RedirectedOnce, Ok(())),
        (Fal, BusyAtFirst(429, "concurrent_requests_limit", false), Ok(())),
        (Fal, BusyAtFirst(503, "runner_scheduling_failure", true), Ok(())),
        (Fal, SubmitTimesOut, Err((1, CHARGED))),
        (Fal, SubmitResets, Err((1, CHARGED))),
        (Fal, SubmitAnswers(500), Err((1, CHARGED))),
        (Fal, SubmitAnswers(502), Err((1, CHARGED))),
        (Fal, SubmitAnswers(503), Err((1, CHARGED))),
        (Fal, SubmitAnswers(504), Err((1, CHARGED))),
        (Fal, NeverArrives, Err((0, CHARGED))),
        (Fal, Refused(401, "No user found"), Err((0, "it answered 401: No user found"))),
        (Fal, Refused(403, LOCKED), Err((0, "it answered 403: User is locked"))),
        (Fal, Refused(422, "so it is"), Err((0, "it answered 422: so it is"))),
        (Fal, Fails, Err((1, "it answered 422: Image too small"))),
        (Fal, FailsOtherwise, Err((1, "it answered 504: Request timed out"))),
        (Fal, Forgotten, Err((1, "it knows the job no more"))),
        (Fal, ExpiredForGood, Err((1, "gone already"))),
        (Fal, ZIP, Err((1, "a ZIP archive and no GLB"))),
        (Fal, OBJ, Err((1, "an OBJ and no GLB"))),
        (Fal, FBX, Err((1, "an FBX file and no GLB"))),
        (Fal, SHORT, Err((1, "the model's file is not whole"))),
        (Fal, ElsewhereResult, Err((1, "none of the hosts"))),
        (Fal, RedirectedResult, Err((1, "none of the hosts"))),
        (Fal, RedirectedForEver, Err((1, "more than 3 redirects"))),
        (Fal, EndlessFile, Err((1, "larger than 268435456 bytes"))),
        (Fal, UnknownStatus, Err((1, "PONDERING"))),
        (Fal, Stuck, Err((1, "no model after 2 s, and so it was cancelled"))),
        (Fal, NeverStarts(Accepted), Err((0, "no model after 2 s, and so it was cancelled"))),
        (Fal, NeverStarts(AcceptedWith200), Err((0, "no model after 2 s, and so it was cancelled"))),
        (Fal, NeverStarts(MadeAllTheSame), Ok(())),
        (Fal, NeverStarts(MadeByStatus), Ok(())),
        (Fal, NeverStarts(MadeByDetail), Ok(())),
        (Fal, NeverStarts(Unknown), Err((1, "it knows the job no more"))),
        (Meshy, Nothing, Ok(())),
        (Meshy, NoQueue, Ok(())),
        (Meshy, UnknownFields, Ok(())),
        (Meshy, LooksFail(401, "Invalid API key"), Ok(())),
        (Meshy, LooksFail(402, "Insufficient funds"), Ok(())),
        (Meshy, LooksFail(429, "RateLimitExceeded"), Ok(())),
        (Meshy, LooksFail(503, "down"), Ok(())),
        (Meshy, LooksBreak, Ok(())),
        (Meshy, ExpiredOnce, Ok(())),
        (Meshy, FileFails(1), Ok(())),
        (Meshy, FileFails(20), Ok(())),
        (Meshy, FileFailsAndExpires, Ok(())),
        (Meshy, RedirectedOnce, Ok(())),
        (Meshy, BusyAtFirst(429, "RateLimitExceeded", true), Ok(())),
        (Meshy, BusyAtFirst(429, "RateLimitExceeded", false), Ok(())),
        (Meshy, BusyAtFirst(429, "NoMoreConcurrentTasks", false), Ok(())),
        (Meshy, BusyAtFirst(429, "NoMorePendingTasks", false), Ok(())),
        // The list knows them.
        (Meshy, SubmitTimesOut, Ok(())),
        (Meshy, SubmitResets, Ok(())),
        (Meshy, SubmitAnswers(500), Ok(())),
        (Meshy, SubmitAnswers(502), Ok(())),
        (Meshy, SubmitAnswers(503), Ok(())),
        (Meshy, SubmitAnswers(504), Ok(())),
        (Meshy, NeverArrives, Err((0, CHARGED))),
        (Meshy, Refused(400, "so it is"), Err((0, "it answered 400: so it is"))),
        (Meshy, Refused(401, "Invalid API key"), Err((0, "it answered 401: Invalid API key"))),
        (Meshy, Refused(402, "Insufficient funds"), Err((0, "it answered 402: Insufficient"))),
        (Meshy, Fails, Err((1, "the task is FAILED: Image too small"))),
        (Meshy, FailsOtherwise, Err((1, "the task is CANCELED"))),
        (Meshy, Forgotten, Err((1, "it knows the task no more"))),
        (Meshy, ExpiredForGood, Err((1, "gone already"))),
        (Meshy, ZIP, Err((1, "a ZIP archive and no GLB"))),
        (Meshy, ElsewhereResult, Err((1, "none of the hosts"))),
        (Meshy, UnknownStatus, Err((1, "for 6 s nothing could be learnt of the model"))),
        (Meshy, Stuck, Err((1, "no model after 2 s; last: Meshy is making"))),
    ]
}

#[test]
fn whatever_goes_wrong_a_session_costs_at_most_one_model() {
    let cases = cases();
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

/// What it cost is settled when the server ends.
fn ends_as((engine, nasty, expected): &Case) {
    let emulator = Emulator::start(*engine, *nasty);
    let gateway = in_front_of(&emulator, "", &[]);
    // Without a texture fal's model is one whose id is longer than what its jobs' addresses hold.
    let textured = *nasty != Nasty::ElsewhereAddresses;
    let session = gateway
        .server
        .end_of(&gateway.create(json!({"generate_texture": textured})));
    let case = format!("{engine:?} {nasty:?}: {session}");
    match expected {
        Ok(()) => {
            assert_eq!(session["status"], "preview_done", "{case}");
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
    let state = emulator.state.lock().unwrap();
    let (cancels, downloads) = (state.cancels, state.downloads);
    drop(state);
    let cancelled =
        matches!(nasty, Nasty::NeverStarts(_)) || (*engine, *nasty) == (Engine::Fal, Nasty::Stuck);
    assert_eq!(cancels, usize::from(cancelled), "{case}");
    if matches!(nasty, Nasty::ExpiredOnce | Nasty::ExpiredForGood) {
        assert_eq!(downloads, 2, "{case}");
    }
}

#[test]
fn a_server_that_is_killed_at_any_moment_pays_no_model_twice() {
    std::thread::scope(|scope| {
        for engine in [Engine::Fal, Engine::Meshy] {
            scope.spawn(move || is_killed_at_any_moment(engine));
        }
    });
}

fn is_killed_at_any_moment(engine: Engine) {
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let emulator = Emulator::start(engine, Nasty::SubmitTakes(120));
    let mut gateway = in_front_of(&emulator, "", &[]);
    let asked = || emulator.state.lock().unwrap().asked;
    let (mut done, mut lost) = (0, 0);
    for kill in 0..25 {
        let (billed, before) = (emulator.billed(), asked());
        let code = gateway.create(json!({}));
        // From before the request to after the result; half of the moments are between the request
        // and its answer.
        let most = match kill % 2 {
            0 => 450,
            _ => {
                until(|| asked() > before);
                100
            }
        };
        sleep(Duration::from_millis(random.u64(0..most)));
        gateway.again(|| {});
        let session = gateway.server.end_of(&code);
        let case = format!("{engine:?} {kill}: {session}");
        match session["status"].as_str() {
            Some("preview_done") => done += 1,
            Some("preview_failed") => {
                let words = session["error"].as_str().unwrap();
                assert!(words.contains(CHARGED), "{case}");
                // Meshy can be asked for what it has begun.
                if engine == Engine::Meshy {
                    assert_eq!(emulator.billed(), billed, "{case}");
                }
                lost += 1;
            }
            _ => panic!("{case}"),
        }
    }
    assert!(done >= 3, "{engine:?}: only {done} ended well");
    assert!(
        lost > 0 || engine == Engine::Meshy,
        "no moment was the worst"
    );
}

/// As after a night, or before the network is there.
#[test]
fn silence_is_no_end_of_a_job_even_after_its_deadline() {
    for engine in [Engine::Fal, Engine::Meshy] {
        let emulator = Emulator::start(engine, Nasty::Stuck);
        let mut gateway = in_front_of(&emulator, "", &[]);
        let code = gateway.create(json!({}));
        gateway.until_followed(&code);
        gateway.again(|| {
            emulator.turns(Nasty::Away);
            sleep(Duration::from_secs(2));
        });
        until(|| emulator.state.lock().unwrap().unanswered >= 5);
        emulator.turns(Nasty::Nothing);
        let session = gateway.server.end_of(&code);
        assert_eq!(session["status"], "preview_done", "{session}");
    }
}

#[test]
fn a_list_that_cannot_be_had_loses_no_job() {
    let emulator = Emulator::start(Engine::Meshy, Nasty::SubmitTimesOut);
    let mut gateway = in_front_of(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    until(|| emulator.billed() == 1);
    gateway.again(|| emulator.turns(Nasty::Away));
    until(|| emulator.state.lock().unwrap().unanswered >= 5);
    emulator.turns(Nasty::Nothing);
    let session = gateway.server.end_of(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
}

#[test]
fn a_server_that_is_told_to_end_waits_for_the_answer_that_was_paid_for() {
    let emulator = Emulator::start(Engine::Fal, Nasty::SubmitTakes(4_000));
    let mut gateway = in_front_of(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    until(|| emulator.billed() == 1);
    gateway.server.stop();
    gateway.again(|| emulator.turns(Nasty::Nothing));
    let session = gateway.server.end_of(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
}

#[test]
fn the_place_in_the_queue_is_said_in_words() {
    // And how many seconds pass then.
    let fal = [
        ("2 jobs before it in fal's queue", 0.5),
        ("one job before it in fal's queue", 1.0),
        ("next in fal's queue", 1.0),
        ("fal is making the model", 0.0),
    ];
    let meshy = [
        ("2 jobs before it in Meshy's queue", 1.5),
        ("Meshy is making the model", 0.0),
    ];
    for (engine, expected) in [(Engine::Fal, &fal[..]), (Engine::Meshy, &meshy)] {
        let emulator = Emulator::standing(engine, Nasty::Nothing);
        let gateway = in_front_of(&emulator, "", &[]);
        let code = gateway.create(json!({}));
        for (words, passes) in expected {
            until(|| gateway.session(&code)["engine_status"] == *words);
            assert!(gateway.session(&code)["percent_done"].as_u64().unwrap() < 100);
            emulator.clock.skip(*passes);
        }
    }
}

/// [B] fal keeps a result for an hour, [A] Meshy a task for three days.
#[test]
fn what_nobody_fetched_in_time_is_gone() {
    for (engine, hours, words) in [
        (Engine::Fal, 2.0, "the result is gone already"),
        (Engine::Meshy, 80.0, "it knows the task no more"),
    ] {
        let emulator = Emulator::start(engine, Nasty::Stuck);
        let mut gateway = in_front_of(&emulator, "", &[]);
        let code = gateway.create(json!({}));
        gateway.until_followed(&code);
        gateway.again(|| {
            emulator.turns(Nasty::Nothing);
            emulator.clock.skip(3600.0 * hours);
        });
        let session = gateway.server.end_of(&code);
        assert!(
            session["error"].as_str().unwrap().contains(words),
            "{session}"
        );
    }
}

#[test]
fn no_session_takes_anothers_job_for_its_own() {
    let emulator = Emulator::start(Engine::Meshy, Nasty::Nothing);
    let mut gateway = in_front_of(&emulator, "", &[]);
    let first = gateway.server.end_of(&gateway.create(json!({})));
    assert_eq!(first["status"], "preview_done", "{first}");
    emulator.turns(Nasty::NeverArrives);
    let code = gateway.create(json!({}));
    until(|| emulator.state.lock().unwrap().asked == 2);
    gateway.again(|| emulator.turns(Nasty::Nothing));
    // The only job that Meshy lists is that of the first.
    let session = gateway.server.end_of(&code);
    assert_eq!(session["status"], "preview_failed", "{session}");
    assert!(session["error"].as_str().unwrap().contains(CHARGED));
}

#[test]
fn a_session_that_is_deleted_has_its_job_cancelled() {
    let emulator = Emulator::start(Engine::Fal, Nasty::NeverStarts(Cancel::Accepted));
    let gateway = in_front_of(&emulator, "", &["--keep-mib", "1"]);
    let code = gateway.create(json!({}));
    until(|| emulator.billed() == 1);
    // It is the older one, and there is no room for both.
    let large = api::image::RgbImage::from_fn(800, 800, |x, y| {
        let noise = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
        api::image::Rgb([(noise >> 8) as u8, (noise >> 16) as u8, (noise >> 24) as u8])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    large
        .write_to(&mut png, api::image::ImageFormat::Png)
        .unwrap();
    let mut other = body(png.get_ref());
    other["engine"] = json!("sculpt");
    assert_eq!(
        gateway.server.post(SESSIONS, "", &other).unwrap().status,
        201
    );
    until(|| emulator.billed() == 0);
    assert_eq!(emulator.state.lock().unwrap().cancels, 1);
    assert_eq!(gateway.session(&code), Value::Null);
}

#[test]
fn a_server_that_ends_cancels_nothing() {
    let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
    let mut gateway = in_front_of(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    until(|| emulator.billed() == 1);
    gateway.server.stop();
    gateway.again(|| {});
    assert_eq!(gateway.server.end_of(&code)["status"], "preview_done");
    assert_eq!(emulator.state.lock().unwrap().cancels, 0);
}

/// [A] As its own client does it: only where the connection failed, so that nothing was sent.
#[test]
fn fal_is_asked_at_its_backup_where_it_cannot_be_reached() {
    let backup = |emulator: &Emulator| format!("backup_url = \"http://{}\"\n", emulator.host);
    // Nobody listens there, and there is no such name.
    for host in ["127.0.0.1:9", "nobody.invalid"] {
        let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
        let mut away = emulator.clone();
        away.host = host.into();
        let gateway = in_front_of(&away, &backup(&emulator), &[]);
        let session = gateway.server.end_of(&gateway.create(json!({})));
        assert_eq!(session["status"], "preview_done", "{session}");
    }
    let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
    let lossy = Emulator::start(Engine::Fal, Nasty::SubmitResets);
    let gateway = in_front_of(&lossy, &backup(&emulator), &[]);
    let session = gateway.server.end_of(&gateway.create(json!({})));
    assert!(
        session["error"].as_str().unwrap().contains(CHARGED),
        "{session}"
    );
    assert_eq!((lossy.billed(), emulator.billed()), (1, 0));
}

#[test]
fn an_engine_without_a_key_says_so_and_is_asked_for_nothing() {
    for (engine, variable) in [(Engine::Fal, "FAL_KEY"), (Engine::Meshy, "MESHY_API_KEY")] {
        let emulator = Emulator::start(engine, Nasty::Nothing);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, emulator.config("")).unwrap();
        let mut server = Server::start(&["--config", file.to_str().unwrap()]);
        let created = server.post(SESSIONS, "", &body(&png(1))).unwrap().json();
        let session = server.end_of(&code(&created["data"]));
        assert_eq!(session["status"], "preview_failed", "{session}");
        let words = format!("no key; put it into the environment as {variable}");
        assert!(
            session["error"].as_str().unwrap().contains(&words),
            "{session}"
        );
        assert_eq!(emulator.state.lock().unwrap().asked, 0);
        server.child.kill().unwrap();
        let mut said = String::new();
        let mut stderr = server.child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert!(said.contains(&words), "{said}");
    }
}

#[test]
fn a_check_spends_nothing_and_finds_a_key_in_a_private_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("config.toml"), folder.path().join("key"));
    std::fs::write(&key, format!("{KEY}\n")).unwrap();
    for (engine, ready) in [
        (Engine::Fal, "answers, and a key is there"),
        (Engine::Meshy, "takes the key; 70 credits are left"),
    ] {
        let emulator = Emulator::start(engine, Nasty::Nothing);
        let check = |mode: u32, own: &str, flags: &[&str]| {
            std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
            std::fs::write(&file, emulator.config(own)).unwrap();
            let output = command()
                .args(["--check", "--config", file.to_str().unwrap()])
                .args(flags)
                .output()
                .unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(!said.contains("canary7d1f93"), "{said}");
            (output.status.success(), said)
        };
        let private = format!("key_file = {key:?}\n");
        let (fine, said) = check(0o600, &private, &["--daily-limit", "7"]);
        assert!(fine && said.contains(ready), "{said}");
        assert!(said.contains("money: at most 7 models a day\n"), "{said}");
        let (fine, said) = check(0o644, &private, &[]);
        assert!(!fine && said.contains("can be read by others"), "{said}");
        let (fine, said) = check(0o600, "", &[]);
        assert!(!fine && said.contains("no key; put it"), "{said}");
        assert!(said.contains("money: no daily limit"), "{said}");
        let (fine, said) = check(0o600, &private, &["--bind", "0.0.0.0"]);
        assert!(!fine && said.contains("needs client keys"), "{said}");
        assert_eq!(emulator.state.lock().unwrap().asked, 0);
    }
}

#[test]
fn the_figures_say_what_the_engines_do_and_cost() {
    let metrics = |gateway: &Gateway| {
        let text = gateway.server.get("/metrics").body;
        String::from_utf8(text).unwrap()
    };
    let emulator = Emulator::start(Engine::Fal, Nasty::BusyAtFirst(429, "too many", false));
    let gateway = in_front_of(&emulator, "", &["--daily-limit", "3"]);
    let before = metrics(&gateway);
    gateway.server.end_of(&gateway.create(json!({})));
    gateway
        .server
        .end_of(&gateway.create(json!({"auto_refine": true})));
    gateway
        .server
        .end_of(&gateway.create(json!({"engine": "sculpt"})));
    let after = metrics(&gateway);
    let lossy = Emulator::start(Engine::Fal, Nasty::SubmitResets);
    let gateway = in_front_of(&lossy, "", &[]);
    gateway.server.end_of(&gateway.create(json!({})));
    let lost = metrics(&gateway);
    let stuck = Emulator::start(Engine::Fal, Nasty::Stuck);
    let gateway = in_front_of(&stuck, "at_once = 1\n", &[]);
    gateway.create(json!({}));
    gateway.create(json!({}));
    until(|| stuck.billed() == 1);
    let busy = metrics(&gateway);
    for (text, lines) in [
        (
            &before,
            &[
                "paid_today 0",
                "paid_daily_limit 3",
                r#"jobs{engine="fal",state="running"} 0"#,
                r#"sessions_ended_total{engine="fal",end="done"} 0"#,
                r#"model_requests_total{engine="fal",outcome="taken"} 0"#,
            ][..],
        ),
        (
            &after,
            &[
                "paid_today 2",
                r#"model_requests_total{engine="fal",outcome="later"} 2"#,
                r#"model_requests_total{engine="fal",outcome="taken"} 2"#,
                r#"model_requests_total{engine="fal",outcome="unknown"} 0"#,
                r#"sessions_ended_total{engine="fal",end="done"} 2"#,
                r#"sessions_ended_total{engine="fal",end="failed"} 0"#,
                r#"sessions_ended_total{engine="sculpt",end="done"} 1"#,
            ],
        ),
        (
            &lost,
            &[
                r#"model_requests_total{engine="fal",outcome="unknown"} 1"#,
                r#"sessions_ended_total{engine="fal",end="failed"} 1"#,
            ],
        ),
        (
            &busy,
            &[
                r#"jobs{engine="fal",state="running"} 1"#,
                r#"jobs{engine="fal",state="waiting"} 1"#,
            ],
        ),
    ] {
        for line in lines {
            assert!(
                text.contains(&format!("\nimage_to_3d_{line}\n")),
                "{line}: {text}"
            );
        }
    }
    assert!(!lost.contains("paid_daily_limit"), "{lost}");
}

#[test]
fn a_task_that_its_owner_deletes_ends_the_session() {
    let emulator = Emulator::start(Engine::Meshy, Nasty::Stuck);
    let gateway = in_front_of(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    until(|| emulator.billed() == 1);
    let task = format!("{TASKS}/0191e7c0-0000-7000-8000-000000000001");
    assert_eq!(
        tell(&emulator, "DELETE", &task, "Bearer", &Value::Null).0,
        200
    );
    let session = gateway.server.end_of(&code);
    let words = "it knows the task no more";
    assert!(
        session["error"].as_str().unwrap().contains(words),
        "{session}"
    );
}

#[test]
fn fal_is_asked_for_the_model_that_fits() {
    let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
    let gateway = in_front_of(&emulator, "", &[]);
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
}

/// [A] As fal's own types have it.
#[test]
fn a_model_of_fal_whose_names_are_known_takes_its_id_alone() {
    let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
    let own = "[engines.fal.model]\nid = \"fal-ai/trellis\"\ninput = { mesh_simplify = 0.9 }\n";
    let gateway = in_front_of(&emulator, own, &[]);
    let parameters = json!({"generate_texture": true, "texture_resolution": 512});
    let session = gateway.server.end_of(&gateway.create(parameters));
    assert_eq!(session["status"], "preview_done", "{session}");
    let state = emulator.state.lock().unwrap();
    let body = &state.bodies[0];
    assert!(body["image_url"].is_string());
    assert_eq!(
        (&body["texture_size"], &body["mesh_simplify"]),
        (&json!(512), &json!(0.9))
    );
    drop(state);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "[engines.fal.model]\nid = \"me/mine\"\n").unwrap();
    let output = command().arg("--config").arg(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("\"me/mine\" is not known, and needs image_field and glb"),
        "{said}"
    );
}

/// [A] Each has its own names for what goes in and comes out, and a file that is none beside it.
#[test]
fn any_other_model_of_fal_is_a_matter_of_names() {
    for (id, image_field, glb, expected) in [
        (
            "me/mine/v9",
            "image_url",
            r#""/nothing/url", "/model_glb/url""#,
            Ok(()),
        ),
        (
            "fal-ai/hyper3d/rodin",
            "input_image_urls[]",
            r#""/model_mesh/url""#,
            Ok(()),
        ),
        (
            "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d",
            "input_image_url",
            r#""/model_urls/glb/url", "/model_glb/url""#,
            Ok(()),
        ),
        (
            "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d",
            "input_image_url",
            r#""/model_glb/url""#,
            Err("an OBJ and no GLB"),
        ),
        (
            "fal-ai/hunyuan3d-v21",
            "input_image_url",
            r#""/model_glb/url""#,
            Ok(()),
        ),
        (
            "fal-ai/hunyuan3d-v21",
            "input_image_url",
            r#""/model_mesh/url""#,
            Err("a ZIP archive and no GLB"),
        ),
        (
            "me/mine",
            "image_url",
            r#""/file/url""#,
            Err("the result has nothing at /file/url; it has model_glb, seed"),
        ),
    ] {
        let emulator = Emulator::start(Engine::Fal, Nasty::Nothing);
        let own = format!(
            "[engines.fal.model]\nid = \"{id}\"\nimage_field = \"{image_field}\"\nglb = [{glb}]\n\
             input = {{ steps = 7 }}\n"
        );
        let gateway = in_front_of(&emulator, &own, &[]);
        let session = gateway
            .server
            .end_of(&gateway.create(json!({"resolution": "low_poly"})));
        match expected {
            Ok(()) => {
                assert_eq!(session["status"], "preview_done", "{session}");
                assert_eq!(session["unsupported"], Value::Null);
            }
            Err(words) => {
                let error = session["error"].as_str().unwrap();
                assert!(error.contains(words), "{session}");
            }
        }
        let state = emulator.state.lock().unwrap();
        let body = &state.bodies[0];
        assert_eq!(body["steps"], 7);
        match image_field.strip_suffix("[]") {
            Some(list) => assert_eq!(body[list].as_array().unwrap().len(), 1),
            None => assert!(body[image_field].is_string()),
        }
    }
}

#[test]
fn meshy_is_told_to_remesh_where_faces_count() {
    let emulator = Emulator::start(Engine::Meshy, Nasty::Nothing);
    let gateway = in_front_of(&emulator, "", &[]);
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

const TASKS: &str = "/openapi/v1/image-to-3d";

/// What an emulator itself answers to such a request, with the key after this word.
fn tell(emulator: &Emulator, method: &str, path: &str, word: &str, body: &Value) -> (u16, Value) {
    tell_with(
        emulator,
        method,
        path,
        &format!("authorization: {word} {KEY}\r\n"),
        body,
    )
}

fn tell_with(
    emulator: &Emulator,
    method: &str,
    path: &str,
    headers: &str,
    body: &Value,
) -> (u16, Value) {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\n\r\n{body}",
        emulator.host,
        body.len()
    );
    let answer = exchange(&emulator.host, request.as_bytes()).unwrap();
    let json = serde_json::from_slice(&answer.body);
    (answer.status, json.unwrap_or_default())
}

/// What the server takes care never to meet, the emulator has nevertheless.
#[test]
fn the_emulated_queue_of_fal_is_as_strict_as_the_real_one() {
    let emulator = Emulator::standing(Engine::Fal, Nasty::Nothing);
    let ask = |method: &str, path: &str, body: Value| tell(&emulator, method, path, "Key", &body);
    let picture = body(&crate::emulators::picture());
    let (status, said) = tell(&emulator, "POST", "/fal-ai/trellis-2", "Bearer", &picture);
    assert_eq!(
        (status, &said["detail"]),
        (401, &json!("No user found for Key ID and Secret"))
    );
    for address in [
        "http://127.0.0.1/a.png",
        "http://10.0.0.1/a.png",
        "https://localhost/a.png",
    ] {
        let (status, said) = ask("POST", "/fal-ai/trellis-2", json!({"image_url": address}));
        assert_eq!(
            (status, &said["detail"][0]["type"]),
            (422, &json!("file_download_error"))
        );
    }
    assert_eq!(emulator.billed(), 0);
    let (_, job) = ask("POST", "/fal-ai/hunyuan3d/v2/mini", picture);
    let address = job["response_url"].as_str().unwrap();
    let path = address.split_once(&emulator.host).unwrap().1;
    assert!(path.starts_with("/fal-ai/hunyuan3d/requests/"));
    let id = job["request_id"].as_str().unwrap();
    let full = format!("/fal-ai/hunyuan3d/v2/mini/requests/{id}/status");
    assert_eq!(ask("GET", &full, Value::Null).0, 404);
    let (status, said) = ask("GET", path, Value::Null);
    assert_eq!(
        (status, &said["detail"]),
        (400, &json!("Request is still in progress"))
    );
    emulator.clock.skip(2.5);
    let looked = format!("{path}/status");
    let (status, said) = ask("GET", &looked, Value::Null);
    assert_eq!((status, &said["logs"]), (202, &Value::Null));
    let (_, said) = ask("GET", &format!("{looked}?logs=1"), Value::Null);
    assert!(said["logs"].is_array());
    emulator.clock.skip(2.0);
    assert_eq!(ask("GET", &looked, Value::Null).0, 200);
    let (status, said) = ask("PUT", &format!("{path}/cancel"), Value::Null);
    assert_eq!(
        (status, &said["status"]),
        (400, &json!("ALREADY_COMPLETED"))
    );
    assert_eq!(ask("GET", path, Value::Null).0, 200);
    emulator.clock.skip(4000.0);
    assert_eq!(ask("GET", path, Value::Null).0, 404);
}

#[test]
fn the_emulated_meshy_is_as_strict_as_the_real_one() {
    let emulator = Emulator::standing(Engine::Meshy, Nasty::Nothing);
    let ask =
        |method: &str, path: &str, body: Value| tell(&emulator, method, path, "Bearer", &body);
    let picture = body(&crate::emulators::picture());
    assert_eq!(tell(&emulator, "POST", TASKS, "Key", &picture).0, 401);
    let page = format!("authorization: Bearer {KEY}\r\norigin: https://shop.example\r\n");
    assert_eq!(tell_with(&emulator, "POST", TASKS, &page, &picture).0, 403);
    let mut retired = picture.clone();
    retired["model_type"] = json!("lowpoly");
    assert_eq!(ask("POST", TASKS, retired).0, 400);
    assert_eq!(emulator.billed(), 0);
    let (_, created) = ask("POST", TASKS, picture);
    let task = format!("{TASKS}/{}", created["result"].as_str().unwrap());
    let (_, waits) = ask("GET", &task, Value::Null);
    assert_eq!(
        (&waits["started_at"], &waits["finished_at"]),
        (&json!(0), &Value::Null)
    );
    emulator.clock.skip(5.0);
    let fresh = || ask("GET", &task, Value::Null).1["model_urls"]["glb"].clone();
    assert_ne!(fresh(), fresh());
    emulator.clock.skip(3.0 * 86_400.0);
    assert_eq!(ask("GET", &task, Value::Null).0, 404);
    let (_, created) = ask("POST", TASKS, body(&crate::emulators::picture()));
    let task = format!("{TASKS}/{}", created["result"].as_str().unwrap());
    assert_eq!(ask("DELETE", &task, Value::Null).0, 200);
    assert_eq!(ask("GET", &task, Value::Null).0, 404);
}
