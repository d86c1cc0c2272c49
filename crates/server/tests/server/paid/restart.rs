//! Jobs of a server that ends, is killed, or cannot reach the engine.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::harness::{CHARGED, start_gateway};
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::{Signal, wait_until};

const KILLS: u64 = 25;

tests_of_all_engines! {
    server_killed_at_any_moment_never_pays_twice,
    job_survives_an_unreachable_engine_past_its_deadline,
    result_not_fetched_in_time_is_lost,
}

fn server_killed_at_any_moment_never_pays_twice(engine: Engine) {
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let emulator = Emulator::start(engine, Scenario::SubmitDelayed(120));
    let mut gateway = start_gateway(&emulator, "", &[]);
    let (mut completed, mut failed) = (0, 0);
    for kill in 0..KILLS {
        let (billed, submits) = (emulator.billed_models(), emulator.submits());
        let code = gateway.create(json!({}));
        // Half of the kills happen between the submit and its response, the others anywhere from
        // before the submit until after the result.
        let most = match kill % 2 {
            0 => 450,
            _ => {
                wait_until(|| emulator.submits() > submits);
                100
            }
        };
        sleep(Duration::from_millis(random.u64(0..most)));
        gateway.kill_and_restart(|| {});
        let session = gateway.server.wait_for_end(&code);
        match session["status"].as_str() {
            Some("preview_done") => completed += 1,
            Some("preview_failed") => {
                let error = session["error"].as_str().unwrap();
                assert!(error.contains(CHARGED), "kill {kill}: {session}");
                // A list tells whether the task was started.
                if engine != Engine::Fal {
                    assert_eq!(emulator.billed_models(), billed, "kill {kill}: {session}");
                }
                failed += 1;
            }
            _ => panic!("kill {kill}: {session}"),
        }
    }
    assert!(completed >= 3, "only {completed} sessions completed");
    assert!(
        failed > 0 || engine != Engine::Fal,
        "no kill happened between a submit and its response"
    );
}

/// For example after the machine slept, or before its network is up.
fn job_survives_an_unreachable_engine_past_its_deadline(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::NeverFinishes);
    let mut gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    gateway.wait_until_submitted(&code);
    gateway.kill_and_restart(|| {
        emulator.set_scenario(Scenario::Unreachable);
        // The deadline of this scenario.
        sleep(Duration::from_secs(2));
    });
    wait_until(|| emulator.resets() >= 5);
    emulator.set_scenario(Scenario::Normal);
    let session = gateway.server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
}

/// [B] fal keeps a result for an hour, [A] Meshy a task for three days.
fn result_not_fetched_in_time_is_lost(engine: Engine) {
    let (hours, error) = match engine {
        Engine::Fal => (2.0, "the result has expired"),
        Engine::Meshy | Engine::Tripo | Engine::ComfyUi => (80.0, "the task no longer exists"),
    };
    let emulator = Emulator::start(engine, Scenario::NeverFinishes);
    let mut gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    gateway.wait_until_submitted(&code);
    gateway.kill_and_restart(|| {
        emulator.set_scenario(Scenario::Normal);
        emulator.clock.skip(3600.0 * hours);
    });
    let session = gateway.server.wait_for_end(&code);
    assert!(
        session["error"].as_str().unwrap().contains(error),
        "{session}"
    );
}

#[test]
fn meshy_job_is_found_once_the_list_can_be_read() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::SubmitTimesOut);
    let mut gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    gateway.kill_and_restart(|| emulator.set_scenario(Scenario::Unreachable));
    wait_until(|| emulator.resets() >= 5);
    emulator.set_scenario(Scenario::Normal);
    let session = gateway.server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
}

#[test]
fn meshy_job_of_another_session_is_not_adopted() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::Normal);
    let mut gateway = start_gateway(&emulator, "", &[]);
    let first = gateway.create_and_wait(json!({}));
    assert_eq!(first["status"], "preview_done", "{first}");
    emulator.set_scenario(Scenario::SubmitLost);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.submits() == 2);
    gateway.kill_and_restart(|| emulator.set_scenario(Scenario::Normal));
    // The list has only the job of the first session.
    let session = gateway.server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_failed", "{session}");
    assert!(
        session["error"].as_str().unwrap().contains(CHARGED),
        "{session}"
    );
}

#[test]
fn sigint_waits_for_the_response_to_a_submit() {
    assert_waits_for_the_response_to_a_submit(Signal::Interrupt);
}

#[test]
fn sigterm_waits_for_the_response_to_a_submit() {
    assert_waits_for_the_response_to_a_submit(Signal::Terminate);
}

fn assert_waits_for_the_response_to_a_submit(signal: Signal) {
    let emulator = Emulator::start(Engine::Fal, Scenario::SubmitDelayed(4_000));
    let mut gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    gateway.server.stop(signal);
    gateway.kill_and_restart(|| emulator.set_scenario(Scenario::Normal));
    let session = gateway.server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
}

#[test]
fn stopping_the_server_cancels_no_job() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let mut gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    gateway.server.stop(Signal::Interrupt);
    gateway.kill_and_restart(|| {});
    assert_eq!(gateway.server.wait_for_end(&code)["status"], "preview_done");
    assert_eq!(emulator.cancels(), 0);
}
