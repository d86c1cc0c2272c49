//! The progress that a session reports while its job waits and runs.

use serde_json::json;

use super::harness::start_gateway;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::wait_until;

/// `steps`: the expected `engine_status`, and the seconds to advance the emulator's clock after it.
fn assert_reports(engine: Engine, steps: &[(&str, f64)]) {
    let emulator = Emulator::with_manual_clock(engine, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    for (status, seconds) in steps {
        wait_until(|| gateway.session(&code)["engine_status"] == *status);
        assert!(gateway.session(&code)["percent_done"].as_u64().unwrap() < 100);
        emulator.clock.skip(*seconds);
    }
}

#[test]
fn position_in_the_queue_of_fal_is_reported() {
    assert_reports(
        Engine::Fal,
        &[
            ("2 jobs ahead in fal's queue", 0.5),
            ("1 job ahead in fal's queue", 1.0),
            ("next in fal's queue", 1.0),
            ("generating the model at fal", 0.0),
        ],
    );
}

#[test]
fn position_in_the_queue_of_meshy_is_reported() {
    assert_reports(
        Engine::Meshy,
        &[
            ("2 jobs ahead in Meshy's queue", 1.5),
            ("generating the model at Meshy", 0.0),
        ],
    );
}
