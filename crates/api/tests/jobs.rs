//! The work behind the sessions: when it is due, who gets it, and what becomes of it.
//!
//! A panic in an engine is caught, that of an assertion too: what an engine sees is told after it.

mod support;

use std::sync::Mutex;

use api::{Config, Job, Millis, ModelError, Progress, Retention, Source};
use serde_json::{Value, json};
use support::*;

fn idle() -> TestApi {
    TestApi::idle(&Config::default())
}

/// Works a job that has nothing to fetch.
fn work(api: &TestApi, job: Job) {
    assert_eq!(job.image_url(), None);
    api.inner.run_job(job, None, &quick()).unwrap();
}

/// The session at a time, even while `api` is lent to an engine.
fn session_at(api: &TestApi, code: &str, now: Millis) -> Value {
    let poll = request("GET", &format!("{SESSIONS}/{code}"), &[], "");
    data(&api.inner.handle(&poll, now))
}

#[test]
fn each_piece_is_handed_out_once_and_the_oldest_session_first() {
    let mut api = idle();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(code(&api.create(json!({"generate_preview_mesh": true}))));
        api.now += 10;
    }
    let jobs: Vec<_> = (0..3)
        .map(|_| api.inner.next_job(api.now).unwrap())
        .collect();
    assert!(api.inner.next_job(api.now).is_none());
    let worked = Mutex::new(Vec::new());
    let engine = Stub(|source: &Source, _: &mut Progress| {
        worked.lock().unwrap().push(source.code.to_owned());
        Ok(())
    });
    for job in jobs {
        api.inner.run_job(job, None, &engine).unwrap();
    }
    assert_eq!(worked.into_inner().unwrap(), codes);
    assert!(api.inner.next_job(api.now + 10_000).is_none());
}

#[test]
fn work_is_due_when_its_stage_begins() {
    let mut api = idle();
    let due = |api: &TestApi| api.inner.next_due(api.now).map(|at| at - START);
    assert_eq!(due(&api), None);
    let code = code(&api.create(json!({"auto_refine": true})));
    assert_eq!(due(&api), Some(1000));
    api.now = START + 999;
    assert!(api.inner.next_job(api.now).is_none());
    api.now = START + 1200;
    assert_eq!(due(&api), Some(1200));
    let job = api.inner.next_job(api.now).unwrap();
    assert_eq!(due(&api), None);
    work(&api, job);
    // It has the result, and its time is not over.
    assert_eq!(api.session(&code)["status"], "training_preview");
    assert_eq!(due(&api), Some(2000));
    assert!(api.inner.next_job(api.now).is_none());
    api.now = START + 2000;
    assert_eq!(api.session(&code)["status"], "training_refine");
    work(&api, api.inner.next_job(api.now).unwrap());
    api.now = START + 4000;
    assert_eq!(api.session(&code)["status"], "refine_done");
    assert_eq!(due(&api), None);
}

#[test]
fn nothing_is_made_inside_a_request() {
    let mut api = idle();
    let code = code(&api.create(json!({})));
    api.now += 60_000;
    for _ in 0..2 {
        let session = api.session(&code);
        assert_eq!(session["status"], "training_preview");
        assert_eq!(session["percent_done"], 50);
    }
}

#[test]
fn what_is_to_fail_needs_no_work() {
    let mut api = idle();
    for key in ["fault_spin-failed", "fault_preview-failed"] {
        api.create_with(&[("x-api-key", key)], json!({"preview_mesh": "turbo"}));
        api.create_with(&[("x-api-key", key)], json!({"auto_refine": true}));
    }
    // The spins of the one that fails later.
    work(&api, api.inner.next_job(api.now).unwrap());
    api.now += 10_000;
    assert!(api.inner.next_job(api.now).is_none());
    assert_eq!(api.inner.next_due(api.now), None);
}

#[test]
fn a_job_that_nobody_works_is_due_again() {
    let mut api = idle();
    api.create(json!({}));
    api.now += 1000;
    let job = api.inner.next_job(api.now).unwrap();
    assert!(api.inner.next_job(api.now).is_none());
    drop(job);
    work(&api, api.inner.next_job(api.now).unwrap());
}

#[test]
fn what_was_under_way_is_due_again_in_the_next_process() {
    let store = Shared::default();
    let mut api = store.open(&Config::default(), START);
    api.engine = None;
    let code = code(&api.create(json!({"auto_refine": true})));
    api.now += 5000;
    let lost = api.inner.next_job(api.now).unwrap();
    let next = store.open(&Config::default(), api.now);
    assert_eq!(next.session(&code)["status"], "refine_done");
    // As if it had never been handed out.
    std::mem::forget(lost);
}

#[test]
fn the_percentage_is_never_ahead_of_the_work() {
    let mut api = idle();
    let code = code(&api.create(json!({"auto_refine": true})));
    // One second of four is over, and then nobody begins.
    assert_eq!(session_at(&api, &code, START + 1000)["percent_done"], 25);
    assert_eq!(session_at(&api, &code, START + 1900)["percent_done"], 25);
    api.now += 1100;
    let job = api.inner.next_job(api.now).unwrap();
    // How much is done, after how many milliseconds, and the percentage then.
    let expected = [
        (0.0, 1500, 25),
        // Quicker than it has to be: by time.
        (0.8, 1500, 37),
        // Slower.
        (0.8, 2000, 45),
        (0.8, 9000, 45),
        // It never goes back.
        (0.2, 9000, 45),
        // All is done, and not stored.
        (1.0, 9000, 50),
    ];
    let seen = Mutex::new(Vec::new());
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        for (part, after, _) in expected {
            let goes_on = progress(part).is_continue();
            let session = session_at(&api, &code, START + after);
            let shown = (
                goes_on,
                session["status"].clone(),
                session["percent_done"].clone(),
            );
            seen.lock().unwrap().push(shown);
        }
        Ok(())
    });
    api.inner.run_job(job, None, &engine).unwrap();
    let expected =
        expected.map(|(_, _, percent)| (true, json!("training_preview"), json!(percent)));
    assert_eq!(seen.into_inner().unwrap(), expected);
    let session = session_at(&api, &code, START + 9000);
    assert_eq!(session["status"], "training_refine");
    assert_eq!(session["percent_done"], 50);
    let job = api.inner.next_job(START + 9000).unwrap();
    let seen = Mutex::new(Value::Null);
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        let _ = progress(1.0);
        *seen.lock().unwrap() = session_at(&api, &code, START + 9000);
        Ok(())
    });
    api.inner.run_job(job, None, &engine).unwrap();
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen["percent_done"], 99);
    assert_eq!(seen["session_status"], "in_progress");
    let session = session_at(&api, &code, START + 9000);
    assert_eq!(session["percent_done"], 100);
}

#[test]
fn the_work_for_a_session_that_is_gone_is_cancelled_and_leaves_nothing() {
    let retention = Retention {
        max_age: 5000,
        max_bytes: u64::MAX,
    };
    let config = Config {
        retention,
        ..Config::default()
    };
    for obeys in [true, false] {
        let store = Shared::default();
        let mut api = store.open(&config, START);
        api.engine = None;
        let turbo = json!({"preview_mesh": "turbo"});
        let gone = code(&api.create(turbo));
        let job = api.inner.next_job(api.now).unwrap();
        let told = Mutex::new(Vec::new());
        let engine = Stub(|_: &Source, progress: &mut Progress| {
            told.lock().unwrap().push(progress(0.1).is_break());
            let body = with_picture(json!({})).to_string();
            let create = request("POST", SESSIONS, &[], &body);
            api.inner.handle(&create, START + 5001);
            told.lock().unwrap().push(progress(0.2).is_break());
            if obeys {
                Err(ModelError::Cancelled)
            } else {
                Ok(())
            }
        });
        api.inner.run_job(job, None, &engine).unwrap();
        assert_eq!(told.into_inner().unwrap(), [false, true]);
        assert_eq!(api.get(&format!("{SESSIONS}/{gone}")).status(), 404);
        // The other's record and picture.
        assert_eq!(store.len(), 2);
    }
}

#[test]
fn a_closed_sandbox_cancels_its_work_and_hands_out_no_more() {
    let store = Shared::default();
    let mut api = store.open(&Config::default(), START);
    api.engine = None;
    let code = code(&api.create(json!({"generate_preview_mesh": true})));
    api.create(json!({"generate_preview_mesh": true}));
    let job = api.inner.next_job(api.now).unwrap();
    let told = Mutex::new(Vec::new());
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        told.lock().unwrap().push(progress(0.1).is_break());
        api.inner.close();
        told.lock().unwrap().push(progress(0.2).is_break());
        Err(ModelError::Cancelled)
    });
    api.inner.run_job(job, None, &engine).unwrap();
    assert_eq!(told.into_inner().unwrap(), [false, true]);
    api.now += 1000;
    assert_eq!(api.session(&code)["status"], "training_preview");
    assert!(api.inner.next_job(api.now).is_none());
    assert_eq!(api.inner.next_due(api.now), None);
    let next = store.open(&Config::default(), api.now);
    assert_eq!(next.session(&code)["status"], "preview_done");
}

#[test]
fn a_session_fails_where_its_engine_does() {
    for (panics, words) in [
        (false, "the picture is too odd"),
        (true, "the engine broke down"),
    ] {
        for (body, status) in [
            (json!({"auto_refine": true}), "preview_failed"),
            (json!({"preview_mesh": "turbo"}), "spin_generate_failed"),
        ] {
            let mut api = idle();
            let code = code(&api.create(body));
            api.now += 1000;
            let job = api.inner.next_job(api.now).unwrap();
            let engine = Stub(|_: &Source, _: &mut Progress| {
                assert!(!panics, "a fault in an engine, as a test wants it");
                Err(ModelError::Failed("the picture is too odd".into()))
            });
            api.inner.run_job(job, None, &engine).unwrap();
            api.now += 1000;
            let session = api.session(&code);
            assert_eq!(session["status"], status);
            assert_eq!(session["session_status"], "failed");
            assert!(
                session["error"].as_str().unwrap().contains(words),
                "{session}"
            );
            assert!(session.get("preview_mesh_url_glb").is_none());
            assert!(api.inner.next_job(api.now + 10_000).is_none());
            // The sandbox goes on.
            api.engine = Some(Box::new(quick()));
            let other = support::code(&api.create(json!({})));
            api.now += 2000;
            assert_eq!(api.session(&other)["status"], "preview_done");
        }
    }
}

#[test]
fn a_refinement_that_failed_is_worked_again() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({})));
    api.now += 2000;
    api.session(&code);
    api.engine = None;
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    let engine = Stub(|_: &Source, _: &mut Progress| Err(ModelError::Failed("not today".into())));
    let job = api.inner.next_job(api.now).unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    api.now += 2000;
    assert_eq!(api.session(&code)["status"], "refine_failed");
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    work(&api, api.inner.next_job(api.now).unwrap());
    api.now += 2000;
    assert_eq!(api.session(&code)["status"], "refine_done");
}
