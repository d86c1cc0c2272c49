//! Jobs whose session is deleted, and sessions whose job is deleted.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::emulator::{TASKS, send};
use super::harness::{CHARGED, start_gateway};
use crate::emulators::hosted::scenario::Cancel;
use crate::emulators::hosted::{Emulator, Engine, Job, Scenario};
use crate::support::gateway::Gateway;
use crate::support::{SESSIONS, session_code, wait_until};

#[test]
fn job_of_a_deleted_session_is_cancelled() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(response.status, 200);
    assert_eq!(
        response.json()["message"],
        "Deleted. fal is asked to cancel the job; if it runs already, it may be charged."
    );
    assert_eq!(response.json()["data"], json!({"may_be_charged": true}));
    wait_until(|| emulator.billed_models() == 0);
    assert_eq!(emulator.cancels(), 1);
    assert_eq!(gateway.session(&code), Value::Null);
}

#[test]
fn session_of_a_deleted_meshy_task_fails() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::NeverFinishes);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    let task = format!("{TASKS}/0191e7c0-0000-7000-8000-000000000001");
    let (status, _) = send(&emulator, "DELETE", &task, "Bearer", &Value::Null);
    assert_eq!(status, 200);
    let session = gateway.server.wait_for_end(&code);
    let error = "the task no longer exists";
    assert!(
        session["error"].as_str().unwrap().contains(error),
        "{session}"
    );
}

#[test]
fn task_of_a_deleted_session_is_deleted_at_meshy_and_may_be_charged() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::NeverFinishes);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    gateway.wait_until_submitted(&code);
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(response.json()["data"], json!({"may_be_charged": true}));
    wait_until(|| emulator.cancels() == 1);
    assert_eq!(emulator.bill(), 20.0);
}

#[test]
fn session_without_a_job_is_deleted_without_a_message() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let session = gateway.create_and_wait(json!({}));
    let path = format!("{SESSIONS}/{}", session["session_code"].as_str().unwrap());
    assert_eq!(gateway.server.delete(&path).status, 204);
    assert_eq!(emulator.cancels(), 0);
}

#[test]
fn job_is_cancelled_though_the_engine_cannot_be_reached_at_first() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let gateway = start_gateway(&emulator, "poll = 0.2\n", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    gateway.wait_until_submitted(&code);
    emulator.set_scenario(Scenario::Unreachable);
    gateway.server.delete(&format!("{SESSIONS}/{code}"));
    let resets = emulator.resets();
    wait_until(|| emulator.resets() > resets + 1);
    emulator.set_scenario(Scenario::NeverStarts(Cancel::Accepted));
    wait_until(|| emulator.bill() == 0.0);
}

/// The server is killed after it has deleted the session, while the service cannot be reached.
#[test]
fn cancellation_that_a_kill_interrupts_is_repeated_after_the_restart() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let mut gateway = start_gateway(&emulator, "deadline = 60\n", &[]);
    let code = gateway.create(json!({}));
    gateway.wait_until_submitted(&code);
    emulator.set_scenario(Scenario::Unreachable);
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(response.json()["data"], json!({"may_be_charged": true}));
    // One of them may be the last poll.
    let resets = emulator.resets();
    wait_until(|| emulator.resets() > resets + 1);
    gateway.kill_and_restart(|| {
        assert_eq!(emulator.cancels(), 0);
        emulator.set_scenario(Scenario::NeverStarts(Cancel::Accepted));
    });
    wait_until(|| emulator.bill() == 0.0);
    assert_eq!(gateway.session(&code), Value::Null);
}

/// How often the server is killed right after a deletion.
const KILLED_DELETIONS: u64 = 10;

fn deletions_right_before_a_kill_end_the_jobs(engine: Engine) {
    let mut random = fastrand::Rng::with_seed(20_261_129);
    let emulator = Emulator::start(engine, Scenario::NeverFinishes);
    let mut gateway = start_gateway(&emulator, "deadline = 60\n", &[]);
    for _ in 0..KILLED_DELETIONS {
        let code = gateway.create(json!({}));
        gateway.wait_until_submitted(&code);
        gateway.server.delete(&format!("{SESSIONS}/{code}"));
        // The service receives the cancellation before or after the kill, or both times.
        sleep(Duration::from_millis(random.u64(0..15)));
        gateway.kill_and_restart(|| {});
    }
    wait_until(|| emulator.jobs().iter().all(|job| job.cancel_requests > 0));
    assert_eq!(emulator.submits() as u64, KILLED_DELETIONS);
}

#[test]
fn deletions_right_before_a_kill_end_the_jobs_of_fal() {
    deletions_right_before_a_kill_end_the_jobs(Engine::Fal);
}

#[test]
fn deletions_right_before_a_kill_end_the_jobs_of_meshy() {
    deletions_right_before_a_kill_end_the_jobs(Engine::Meshy);
}

#[test]
fn deletions_right_before_a_kill_end_the_jobs_of_comfyui() {
    deletions_right_before_a_kill_end_the_jobs(Engine::ComfyUi);
}

/// The response with the id of the job is lost too. Meshy's list of tasks has the job.
#[test]
fn cancellation_is_repeated_though_a_kill_interrupted_the_request_for_the_model() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::SubmitDelayed(20_000));
    let mut gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    gateway.server.delete(&format!("{SESSIONS}/{code}"));
    gateway.kill_and_restart(|| emulator.set_scenario(Scenario::NeverFinishes));
    wait_until(|| emulator.cancels() == 1);
    assert_eq!(emulator.submits(), 1);
}

/// After a restart with fewer jobs at the same time, no worker polls the second job.
#[test]
fn job_that_no_worker_polls_is_cancelled() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let mut gateway = start_gateway(&emulator, "deadline = 60\nmax_concurrent = 2\n", &[]);
    let codes = [gateway.create(json!({})), gateway.create(json!({}))];
    for code in &codes {
        gateway.wait_until_submitted(code);
    }
    gateway.edit_config(|config| config.replace("max_concurrent = 2", "max_concurrent = 1"));
    gateway.kill_and_restart(|| {});
    let is_polled = |code: &&String| gateway.session(code)["engine_status"].is_string();
    wait_until(|| codes.iter().any(|code| is_polled(&code)));
    let waiting: Vec<_> = codes.iter().filter(|code| !is_polled(code)).collect();
    let [waiting] = waiting.as_slice() else {
        panic!("both jobs are polled");
    };
    let response = gateway.server.delete(&format!("{SESSIONS}/{waiting}"));
    assert_eq!(response.json()["data"], json!({"may_be_charged": true}));
    wait_until(|| emulator.billed_models() == 1);
    assert_eq!(emulator.cancels(), 1);
}

/// Meshy's list of tasks has the job.
#[test]
fn job_of_a_deleted_session_is_cancelled_though_the_response_to_its_submit_was_lost() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::SubmitTimesOut);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(response.status, 200);
    wait_until(|| emulator.cancels() == 1);
}

/// The list of tasks has the job of the deleted session, and not the one that never arrived.
fn assert_job_is_not_taken_for_a_lost_one(delete: impl FnOnce(&Emulator, &Gateway)) {
    let emulator = Emulator::start(Engine::Tripo, Scenario::Normal);
    let gateway = start_gateway(&emulator, "timeout = 1\n", &[]);
    delete(&emulator, &gateway);
    emulator.set_scenario(Scenario::SubmitLost);
    let session = gateway.create_and_wait(json!({}));
    let error = session["error"].as_str();
    assert!(
        error.is_some_and(|error| error.contains(CHARGED)),
        "{session}"
    );
}

#[test]
fn unfinished_job_of_a_deleted_session_is_not_taken_for_a_lost_one() {
    assert_job_is_not_taken_for_a_lost_one(|emulator, gateway| {
        emulator.set_scenario(Scenario::NeverFinishes);
        let code = gateway.create(json!({}));
        gateway.wait_until_submitted(&code);
        gateway.server.delete(&format!("{SESSIONS}/{code}"));
    });
}

#[test]
fn finished_job_of_a_deleted_session_is_not_taken_for_a_lost_one() {
    assert_job_is_not_taken_for_a_lost_one(|_, gateway| {
        let session = gateway.create_and_wait(json!({}));
        let code = session_code(&session);
        gateway.server.delete(&format!("{SESSIONS}/{code}"));
    });
}

/// How many sessions are deleted.
const DELETIONS: u64 = 25;
/// Seconds of the emulator's clock until a job is done.
const JOB_SECONDS: f64 = 4.0;

/// Returns what the rules of the emulated service charge for a job.
fn charge(engine: Engine, job: &Job) -> f64 {
    match (engine, job.cancelled) {
        // A job that has not left the queue is free.
        (Engine::Fal, Some(cancelled)) if cancelled - job.started < 2.0 => 0.0,
        (Engine::Fal, _) => 1.0,
        // Whether a deleted task is refunded is not documented.
        // A job that was removed or interrupted has made no model.
        (Engine::ComfyUi, Some(_)) => 0.0,
        (Engine::ComfyUi, None) => 1.0,
        (Engine::Meshy, _) => 20.0,
        // It cannot be cancelled.
        (Engine::Tripo, _) => 20.0,
    }
}

fn job_of(emulator: &Emulator, image: u32) -> Option<Job> {
    let mut jobs = emulator.jobs().into_iter();
    jobs.find(|job| job.image == image)
}

fn deletions_at_any_moment_cost_what_the_service_says(engine: Engine) {
    let mut random = fastrand::Rng::with_seed(20_261_128);
    let emulator = Emulator::with_speed(4.0, engine, Scenario::SubmitDelayed(100));
    let gateway = start_gateway(&emulator, "max_concurrent = 4\n", &[]);
    let mut cancelled = Vec::new();
    for _ in 0..DELETIONS {
        let code = gateway.create(json!({}));
        let image = gateway.image_of(&code);
        // A job takes a second.
        sleep(Duration::from_millis(random.u64(0..1300)));
        let (job, now) = (job_of(&emulator, image), emulator.clock.now());
        let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
        assert!([200, 204].contains(&response.status));
        // Later, the worker may have received the result already.
        if job.is_some_and(|job| now < job.started + JOB_SECONDS - 1.0) {
            assert_eq!(response.status, 200);
            let may_be_charged = engine != Engine::ComfyUi;
            let data = json!({"may_be_charged": may_be_charged});
            assert_eq!(response.json()["data"], data);
            cancelled.push(image);
        }
    }
    let requested = usize::from(engine != Engine::Tripo);
    wait_until(|| {
        let jobs = cancelled
            .iter()
            .map(|image| job_of(&emulator, *image).unwrap());
        jobs.map(|job| job.cancel_requests)
            .all(|requests| requests == requested)
    });
    let jobs = emulator.jobs();
    let expected: f64 = jobs.iter().map(|job| charge(engine, job)).sum();
    assert_eq!(emulator.bill(), expected);
    let cancelled = cancelled.len();
    println!(
        "{engine:?}: {} jobs, {cancelled} cancelled, bill {expected}",
        jobs.len()
    );
    assert!(cancelled > 5, "only {cancelled} jobs were cancelled");
}

#[test]
fn deletions_at_any_moment_end_the_jobs_of_comfyui() {
    deletions_at_any_moment_cost_what_the_service_says(Engine::ComfyUi);
}

tests_of_all_engines! {
    deletions_at_any_moment_cost_what_the_service_says,
}
