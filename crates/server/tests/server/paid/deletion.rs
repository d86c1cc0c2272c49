//! Jobs whose session is deleted, and sessions whose job is deleted.

use serde_json::{Value, json};

use super::emulator::{TASKS, send};
use super::harness::start_gateway;
use crate::emulators::hosted::scenario::Cancel;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::{SESSIONS, wait_until};

#[test]
fn job_of_a_deleted_session_is_cancelled() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(response.status, 204);
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
