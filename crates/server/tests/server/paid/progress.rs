//! The progress that a session reports while its job waits and runs. The emulator's clock stands still
//! between the steps, so that several polls see each of them.

use serde_json::json;

use super::harness::start_gateway;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::wait_until;

/// What a session is expected to show, and the seconds to advance the emulator's clock after it.
struct Step {
    engine_status: &'static str,
    percent_done: u64,
    session_status: &'static str,
    seconds: f64,
}

fn step(
    (engine_status, percent_done): (&'static str, u64),
    session_status: &'static str,
    seconds: f64,
) -> Step {
    Step {
        engine_status,
        percent_done,
        session_status,
        seconds,
    }
}

fn assert_reports(engine: Engine, steps: &[Step]) {
    let emulator = Emulator::with_manual_clock(engine, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    for step in steps {
        wait_until(|| {
            let session = gateway.session(&code);
            session["engine_status"] == step.engine_status
                && session["percent_done"] == step.percent_done
                && session["session_status"] == step.session_status
        });
        emulator.clock.skip(step.seconds);
    }
}

#[test]
fn position_in_the_queue_of_fal_is_reported() {
    assert_reports(
        Engine::Fal,
        &[
            step(("2 jobs ahead in fal's queue", 0), "queued", 0.5),
            step(("1 job ahead in fal's queue", 0), "queued", 1.0),
            step(("next in fal's queue", 0), "queued", 1.0),
            step(("generating the model at fal", 40), "in_progress", 0.0),
        ],
    );
}

#[test]
fn position_in_the_queue_and_percentage_of_meshy_are_reported() {
    assert_percentage(
        Engine::Meshy,
        "2 jobs ahead in Meshy's queue",
        "generating the model at Meshy",
    );
}

#[test]
fn position_in_the_queue_and_percentage_of_tripo_are_reported() {
    assert_percentage(
        Engine::Tripo,
        "2 jobs ahead in Tripo's queue",
        "generating the model at Tripo",
    );
}

fn assert_percentage(engine: Engine, queued: &'static str, running: &'static str) {
    assert_reports(
        engine,
        &[
            step((queued, 0), "queued", 1.2),
            step((running, 30), "in_progress", 0.8),
            step((running, 50), "in_progress", 1.0),
            step((running, 75), "in_progress", 0.8),
            step((running, 95), "in_progress", 0.0),
        ],
    );
}
