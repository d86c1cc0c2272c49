//! The metrics of paid engines.

use serde_json::json;

use super::harness::start_gateway;
use crate::emulators::hosted::scenario::RetryAfter;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::gateway::Gateway;
use crate::support::wait_until;

fn metrics(gateway: &Gateway) -> String {
    String::from_utf8(gateway.server.get("/metrics").body).unwrap()
}

/// `lines` are without the prefix `image_to_3d_`.
#[track_caller]
fn assert_has_lines(metrics: &str, lines: &[&str]) {
    for line in lines {
        assert!(has_line(metrics, line), "{line}: {metrics}");
    }
}

fn has_line(metrics: &str, line: &str) -> bool {
    metrics.contains(&format!("\nimage_to_3d_{line}\n"))
}

/// Waits until the metrics have a line. A session is visible as done before it is counted.
fn wait_for_line(gateway: &Gateway, line: &str) {
    wait_until(|| has_line(&metrics(gateway), line));
}

#[test]
fn sessions_and_requests_of_an_engine_are_counted() {
    let scenario = Scenario::BusyAtFirst(429, "too many", RetryAfter::Absent);
    let emulator = Emulator::start(Engine::Fal, scenario);
    let gateway = start_gateway(&emulator, "", &["--daily-limit", "3"]);
    assert_has_lines(
        &metrics(&gateway),
        &[
            "paid_today 0",
            "paid_daily_limit 3",
            r#"jobs{engine="fal",state="running"} 0"#,
            r#"sessions_ended_total{engine="fal",end="done"} 0"#,
            r#"model_requests_total{engine="fal",outcome="taken"} 0"#,
        ],
    );
    gateway.create_and_wait(json!({}));
    gateway.create_and_wait(json!({"auto_refine": true}));
    gateway.create_and_wait(json!({"engine": "sculpt"}));
    wait_for_line(
        &gateway,
        r#"sessions_ended_total{engine="sculpt",end="done"} 1"#,
    );
    wait_for_line(
        &gateway,
        r#"sessions_ended_total{engine="fal",end="done"} 2"#,
    );
    assert_has_lines(
        &metrics(&gateway),
        &[
            "paid_today 2",
            r#"model_requests_total{engine="fal",outcome="later"} 2"#,
            r#"model_requests_total{engine="fal",outcome="taken"} 2"#,
            r#"model_requests_total{engine="fal",outcome="unknown"} 0"#,
            r#"sessions_ended_total{engine="fal",end="failed"} 0"#,
        ],
    );
}

#[test]
fn possibly_charged_request_is_counted_as_unknown() {
    let emulator = Emulator::start(Engine::Fal, Scenario::SubmitResets);
    let gateway = start_gateway(&emulator, "", &[]);
    gateway.create_and_wait(json!({}));
    wait_for_line(
        &gateway,
        r#"sessions_ended_total{engine="fal",end="failed"} 1"#,
    );
    let metrics = metrics(&gateway);
    assert_has_lines(
        &metrics,
        &[r#"model_requests_total{engine="fal",outcome="unknown"} 1"#],
    );
    assert!(!metrics.contains("paid_daily_limit"), "{metrics}");
}

#[test]
fn running_and_waiting_jobs_are_counted() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverFinishes);
    let gateway = start_gateway(&emulator, "max_concurrent = 1\n", &[]);
    gateway.create(json!({}));
    gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    assert_has_lines(
        &metrics(&gateway),
        &[
            r#"jobs{engine="fal",state="running"} 1"#,
            r#"jobs{engine="fal",state="waiting"} 1"#,
            r#"queue_age_seconds{engine="sculpt"} 0.0"#,
        ],
    );
    let age = || -> f64 {
        let metrics = metrics(&gateway);
        let start = r#"image_to_3d_queue_age_seconds{engine="fal"} "#;
        let line = metrics.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap().parse().unwrap()
    };
    let first = age();
    wait_until(|| age() > first);
}
