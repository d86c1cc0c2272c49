//! Jobs whose session is deleted, and sessions whose job is deleted.

use std::io::Cursor;

use api::image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::emulator::{TASKS, send};
use super::harness::start_gateway;
use crate::emulators::hosted::scenario::Cancel;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::{SESSIONS, create_body, wait_until};

/// Returns a PNG of more than 1 MiB.
fn large_png() -> Vec<u8> {
    let noise = RgbImage::from_fn(800, 800, |x, y| {
        let noise = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
        Rgb([(noise >> 8) as u8, (noise >> 16) as u8, (noise >> 24) as u8])
    });
    let mut png = Cursor::new(Vec::new());
    noise.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

#[test]
fn job_of_a_deleted_session_is_cancelled() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let gateway = start_gateway(&emulator, "", &["--keep-mib", "1"]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    // The limit is exceeded, and the session above is the oldest.
    let mut other = create_body(&large_png());
    other["engine"] = json!("sculpt");
    assert_eq!(
        gateway.server.post(SESSIONS, "", &other).unwrap().status,
        201
    );
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
