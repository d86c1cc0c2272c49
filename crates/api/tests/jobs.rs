//! The jobs of the sessions: when they are due, who leases them, and how they end.
//!
//! A panic of an engine is caught, also that of an assertion: the tests assert what an engine saw
//! after it returns.

mod support;

use std::sync::Mutex;

use api::{Config, Job, Millis, ModelError, Progress, Source};
use serde_json::{Value, json};
use support::*;

fn without_engine() -> TestApi {
    TestApi::without_engine(&Config::default())
}

/// Runs a job that has nothing to download.
fn run(api: &TestApi, job: Job) {
    assert_eq!(job.image_url(), None);
    api.inner.run_job(job, None, &instant_engine()).unwrap();
}

/// Returns the session at a time, also while an engine borrows `api`.
fn session_at(api: &TestApi, code: &str, now: Millis) -> Value {
    let poll = request("GET", &format!("{SESSIONS}/{code}"), &[], "");
    data(&api.inner.handle(&poll, now))
}

#[test]
fn leases_each_job_once_and_the_oldest_session_first() {
    let mut api = without_engine();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(code(&api.create(json!({"generate_preview_mesh": true}))));
        api.now += 10;
    }
    let jobs: Vec<_> = (0..3)
        .map(|_| api.inner.next_job(api.now).unwrap().unwrap())
        .collect();
    assert!(api.inner.next_job(api.now).unwrap().is_none());
    let codes_seen = Mutex::new(Vec::new());
    let engine = Stub(|source: &Source, _: &mut Progress| {
        codes_seen.lock().unwrap().push(source.code.to_owned());
        Ok(())
    });
    for job in jobs {
        api.inner.run_job(job, None, &engine).unwrap();
    }
    assert_eq!(codes_seen.into_inner().unwrap(), codes);
    assert!(api.inner.next_job(api.now + 10_000).unwrap().is_none());
}

#[test]
fn leases_a_job_when_its_stage_starts() {
    let mut api = without_engine();
    let due = |api: &TestApi| api.inner.next_due(api.now).unwrap().map(|at| at - START);
    assert_eq!(due(&api), None);
    let code = code(&api.create(json!({"auto_refine": true})));
    assert_eq!(due(&api), Some(1000));
    api.now = START + 999;
    assert!(api.inner.next_job(api.now).unwrap().is_none());
    api.now = START + 1200;
    assert_eq!(due(&api), Some(1200));
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    assert_eq!(due(&api), None);
    run(&api, job);
    // The result is stored, but the stage is not over.
    assert_eq!(api.session(&code)["status"], "training_preview");
    assert_eq!(due(&api), Some(2000));
    assert!(api.inner.next_job(api.now).unwrap().is_none());
    api.now = START + 2000;
    assert_eq!(api.session(&code)["status"], "training_refine");
    run(&api, api.inner.next_job(api.now).unwrap().unwrap());
    api.now = START + 4000;
    assert_eq!(api.session(&code)["status"], "refine_done");
    assert_eq!(due(&api), None);
}

#[test]
fn runs_no_job_inside_a_request() {
    let mut api = without_engine();
    let code = code(&api.create(json!({})));
    api.now += 60_000;
    for _ in 0..2 {
        let session = api.session(&code);
        assert_eq!(session["status"], "training_preview");
        assert_eq!(session["percent_done"], 50);
    }
}

#[test]
fn plans_no_job_for_a_stage_that_is_to_fail() {
    let mut api = without_engine();
    for key in ["fault_spin-failed", "fault_preview-failed"] {
        api.create_with(&[("x-api-key", key)], json!({"preview_mesh": "turbo"}));
        api.create_with(&[("x-api-key", key)], json!({"auto_refine": true}));
    }
    // The spins of the session that fails at its preview.
    run(&api, api.inner.next_job(api.now).unwrap().unwrap());
    api.now += 10_000;
    assert!(api.inner.next_job(api.now).unwrap().is_none());
    assert_eq!(api.inner.next_due(api.now).unwrap(), None);
}

#[test]
fn leases_a_dropped_job_again() {
    let mut api = without_engine();
    api.create(json!({}));
    api.now += 1000;
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    assert!(api.inner.next_job(api.now).unwrap().is_none());
    drop(job);
    run(&api, api.inner.next_job(api.now).unwrap().unwrap());
}

#[test]
fn leases_a_running_job_again_in_the_next_process() {
    let store = SharedStore::default();
    let mut api = store.open(&Config::default(), START);
    api.engine = None;
    let code = code(&api.create(json!({"auto_refine": true})));
    api.now += 5000;
    let lost = api.inner.next_job(api.now).unwrap().unwrap();
    let next = store.open(&Config::default(), api.now);
    assert_eq!(next.session(&code)["status"], "refine_done");
    // A killed process drops no lease.
    std::mem::forget(lost);
}

#[test]
fn limits_the_percentage_to_the_progress_of_the_job() {
    let mut api = without_engine();
    let code = code(&api.create(json!({"auto_refine": true})));
    // One second of four is over, and no worker runs the next job.
    assert_eq!(session_at(&api, &code, START + 1000)["percent_done"], 25);
    assert_eq!(session_at(&api, &code, START + 1900)["percent_done"], 25);
    api.now += 1100;
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    // The reported progress, milliseconds after the start, and the percentage then.
    let expected = [
        (0.0, 1500, 25),
        // The job is ahead of the time.
        (0.8, 1500, 37),
        // The time is ahead of the job.
        (0.8, 2000, 45),
        (0.8, 9000, 45),
        // Progress never decreases.
        (0.2, 9000, 45),
        // The job is complete, but its result is not stored.
        (1.0, 9000, 50),
    ];
    let seen = Mutex::new(Vec::new());
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        for (part, after, _) in expected {
            let is_wanted = progress(part).is_continue();
            let session = session_at(&api, &code, START + after);
            let observed = (
                is_wanted,
                session["status"].clone(),
                session["percent_done"].clone(),
            );
            seen.lock().unwrap().push(observed);
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
    let job = api.inner.next_job(START + 9000).unwrap().unwrap();
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
fn cancels_the_job_of_a_deleted_session_and_stores_nothing() {
    for stops_on_break in [true, false] {
        let store = SharedStore::default();
        let mut api = store.open(&Config::default(), START);
        api.engine = None;
        let turbo = json!({"preview_mesh": "turbo"});
        let deleted = code(&api.create(turbo));
        let job = api.inner.next_job(api.now).unwrap().unwrap();
        let breaks = Mutex::new(Vec::new());
        let engine = Stub(|_: &Source, progress: &mut Progress| {
            breaks.lock().unwrap().push(progress(0.1).is_break());
            let path = format!("{SESSIONS}/{deleted}");
            let delete = request("DELETE", &path, &[], "");
            assert_eq!(api.inner.handle(&delete, START).status(), 204);
            breaks.lock().unwrap().push(progress(0.2).is_break());
            if stops_on_break {
                Err(ModelError::Cancelled)
            } else {
                Ok(())
            }
        });
        api.inner.run_job(job, None, &engine).unwrap();
        assert_eq!(breaks.into_inner().unwrap(), [false, true]);
        assert_eq!(api.get(&format!("{SESSIONS}/{deleted}")).status(), 404);
        assert_eq!(store.len(), 0);
    }
}

#[test]
fn cancels_running_jobs_and_leases_no_more_after_close() {
    let store = SharedStore::default();
    let mut api = store.open(&Config::default(), START);
    api.engine = None;
    let code = code(&api.create(json!({"generate_preview_mesh": true})));
    api.create(json!({"generate_preview_mesh": true}));
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    let breaks = Mutex::new(Vec::new());
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        breaks.lock().unwrap().push(progress(0.1).is_break());
        api.inner.close();
        breaks.lock().unwrap().push(progress(0.2).is_break());
        Err(ModelError::Cancelled)
    });
    api.inner.run_job(job, None, &engine).unwrap();
    assert_eq!(breaks.into_inner().unwrap(), [false, true]);
    api.now += 1000;
    assert_eq!(api.session(&code)["status"], "training_preview");
    assert!(api.inner.next_job(api.now).unwrap().is_none());
    assert_eq!(api.inner.next_due(api.now).unwrap(), None);
    let next = store.open(&Config::default(), api.now);
    assert_eq!(next.session(&code)["status"], "preview_done");
}

#[test]
fn fails_a_session_when_its_engine_fails_or_panics() {
    for (panics, message) in [
        (false, "the image is unsuitable"),
        (
            true,
            "The engine crashed on this image; this is a bug in the engine",
        ),
    ] {
        for (body, status) in [
            (json!({"auto_refine": true}), "preview_failed"),
            (json!({"preview_mesh": "turbo"}), "spin_generate_failed"),
        ] {
            let mut api = without_engine();
            let code = code(&api.create(body));
            api.now += 1000;
            let job = api.inner.next_job(api.now).unwrap().unwrap();
            let engine = Stub(|_: &Source, _: &mut Progress| {
                assert!(!panics, "a panic for this test");
                Err(ModelError::Failed("the image is unsuitable".into()))
            });
            api.inner.run_job(job, None, &engine).unwrap();
            api.now += 1000;
            let session = api.session(&code);
            assert_eq!(session["status"], status);
            assert_eq!(session["session_status"], "failed");
            assert_eq!(session["error"], message);
            assert!(session.get("preview_mesh_url_glb").is_none());
            assert!(api.inner.next_job(api.now + 10_000).unwrap().is_none());
            // Other sessions are not affected.
            api.engine = Some(Box::new(instant_engine()));
            let other = support::code(&api.create(json!({})));
            api.now += 2000;
            assert_eq!(api.session(&other)["status"], "preview_done");
        }
    }
}

#[test]
fn runs_a_failed_refinement_again() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({})));
    api.now += 2000;
    api.session(&code);
    api.engine = None;
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    let engine = Stub(|_: &Source, _: &mut Progress| Err(ModelError::Failed("not today".into())));
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    api.now += 2000;
    assert_eq!(api.session(&code)["status"], "refine_failed");
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    run(&api, api.inner.next_job(api.now).unwrap().unwrap());
    api.now += 2000;
    assert_eq!(api.session(&code)["status"], "refine_done");
}
