//! A disk that is full for a while. The tests limit the size of the server's files instead.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::emulators::hosted::scenario::Cancel;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::paid::harness::start_gateway;
use crate::support::*;

#[test]
fn server_works_again_after_a_full_disk_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let child = command_with_file_size_limit()
        .args(["--port", "0", "--speed", "50", "--data", data])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let server = Server::from_child(child);
    let create = |number: u32| {
        let body = create_body(&solid_png(number));
        server.post(SESSIONS, "", &body).unwrap()
    };
    let first = session_code(&create(1).json()["data"]);
    server.wait_for_end(&first);
    assert_eq!(server.get("/health").status, 200);

    server.fill_disk();
    for number in 2..4 {
        let response = create(number);
        assert_eq!(response.status, 500);
        assert!(
            response
                .message()
                .starts_with("Sessions cannot be read or stored: ")
        );
    }
    let health = server.get("/health");
    assert_eq!(health.status, 503);
    let message = health.json()["message"].to_string();
    assert!(message.contains("Sessions cannot be stored: "), "{message}");
    assert_eq!(server.session(&first)["status"], "preview_done");

    server.empty_disk();
    assert_eq!(server.get("/health").status, 200);
    let after = session_code(&create(20).json()["data"]);
    assert_eq!(server.wait_for_end(&after)["status"], "preview_done");
    assert_eq!(
        server.get(&format!("/files/{first}/image")).body,
        solid_png(1)
    );
    assert_eq!(server.sessions().len(), 2);
}

#[test]
fn health_flag_reports_whether_the_server_can_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let child = command_with_file_size_limit()
        .args(["--port", "0", "--data", data])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Server::from_child(child);
    let host = server.host.clone();
    let port = host.rsplit(':').next().unwrap();
    // Checks the exit code and the start of the standard error of a health check.
    let assert_health = |code: i32, message: &str| {
        let flags = ["--health", "--bind", "0.0.0.0", "--port", port];
        let output = command().args(flags).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with(message), "{stderr}");
        assert_eq!(stderr.is_empty(), message.is_empty(), "{stderr}");
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(code), &b""[..])
        );
    };
    assert_health(0, "");
    server.fill_disk();
    let body = create_body(&solid_png(1));
    assert_eq!(server.post(SESSIONS, "", &body).unwrap().status, 500);
    let unhealthy = format!("error: The server at {host} is not healthy: ");
    assert_health(1, &format!("{unhealthy}Sessions cannot be stored: "));
    server.empty_disk();
    assert_health(0, "");
    server.kill();
    assert_health(1, &format!("{unhealthy}io: Connection refused"));
}

#[test]
fn paid_model_is_neither_lost_nor_downloaded_again_and_again() {
    let emulator = Emulator::start(Engine::Fal, Scenario::NeverStarts(Cancel::Accepted));
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    gateway.wait_until_submitted(&code);
    gateway.server.fill_disk();
    emulator.set_scenario(Scenario::Normal);
    wait_until(|| gateway.server.get("/health").status == 503);
    // Longer than the first pauses.
    sleep(Duration::from_secs(4));
    assert_eq!(emulator.downloads(), 1);
    gateway.server.empty_disk();
    let session = gateway.server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(emulator.downloads(), 2);
    assert_eq!(emulator.billed_models(), 1);
}
