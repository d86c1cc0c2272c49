//! The data folder: acknowledged sessions survive any end of the process.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::*;
use serde_json::json;

const SEED: u64 = 20_240_718;

#[test]
fn sessions_files_and_idempotency_keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("created/as/needed");
    let flags = ["--speed", "20", "--data", data.to_str().unwrap()];
    let image = solid_png(7);
    let idempotency_key = "idempotency-key: k\r\n";
    let server = Server::start(&flags);
    let created = server
        .post(SESSIONS, idempotency_key, &create_body(&image))
        .unwrap();
    let code = session_code(&created.json()["data"]);
    server.wait_for_end(&code);
    let path = format!("{SESSIONS}/{code}");
    let before = server.get(&path).json();
    let result = server.get(&format!("/files/{code}/preview.glb")).body;
    drop(server);

    let server = Server::start(&flags);
    assert_eq!(before["data"]["status"], "preview_done");
    assert_eq!(server.get(&path).json(), before);
    assert_eq!(server.get(&format!("/files/{code}/image")).body, image);
    assert_eq!(
        server.get(&format!("/files/{code}/preview.glb")).body,
        result
    );
    let replay = server
        .post(SESSIONS, idempotency_key, &create_body(&image))
        .unwrap();
    assert_eq!(replay.json()["data"]["session_code"], code);
    let other = server
        .post(SESSIONS, idempotency_key, &create_body(&solid_png(8)))
        .unwrap();
    assert_eq!(other.status, 409);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Returns the modes of the folder and of its file after a start of the server.
fn modes_after_start(folder: &Path) -> (u32, u32) {
    drop(Server::start(&["--data", folder.to_str().unwrap()]));
    (mode(folder), mode(&folder.join("sessions.redb")))
}

#[test]
fn created_folder_and_file_are_accessible_to_their_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    assert_eq!(modes_after_start(&folder), (0o700, 0o600));
    assert_eq!(mode(&parent.path().join("a")), 0o700);
}

#[test]
fn existing_folder_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(modes_after_start(folder.path()), (0o755, 0o600));
}

#[test]
fn existing_file_becomes_accessible_to_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    modes_after_start(folder.path());
    let file = folder.path().join("sessions.redb");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(modes_after_start(folder.path()).1, 0o600);
}

#[test]
fn folder_in_use_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--data", folder.path().to_str().unwrap()];
    let _first = Server::start(&flags);
    let second = spawn(&flags).wait_with_output().unwrap();
    assert!(!second.status.success());
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert!(
        stderr.contains("Cannot open") && stderr.contains("already open"),
        "{stderr}"
    );
}

#[test]
fn sessions_end_with_a_server_without_a_folder() {
    let server = Server::start(&[]);
    server
        .post(SESSIONS, "", &create_body(&solid_png(1)))
        .unwrap();
    assert_eq!(server.sessions().len(), 1);
    drop(server);
    assert_eq!(Server::start(&[]).sessions().len(), 0);
}

/// The image of every session whose create returned 201.
type Acknowledged = Mutex<HashMap<String, Vec<u8>>>;

#[test]
fn sigkill_loses_no_acknowledged_session_and_leaves_none_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let flags = [
        "--speed", "50", "--data", data, "--jobs", "2", "--queue", "100000",
    ];
    let mut random = fastrand::Rng::with_seed(SEED);
    let kills = if is_full_run() { 100 } else { 20 };
    let acknowledged = Acknowledged::default();
    let images = AtomicU32::default();
    for kill in 0..kills {
        if kill % 10 == 9 {
            // During the start.
            let mut child = spawn(&flags);
            std::thread::sleep(Duration::from_millis(random.u64(0..40)));
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        let mut server = Server::start(&flags);
        assert_all_listed(&server, &acknowledged);
        let host = server.host.clone();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| while create(&host, &images, &acknowledged) {});
            }
            scope.spawn(|| while poll(&host, &acknowledged) {});
            std::thread::sleep(Duration::from_millis(random.u64(0..150)));
            server.kill();
        });
    }

    let server = Server::start(&flags);
    assert_all_listed(&server, &acknowledged);
    for session in server.sessions() {
        server.wait_for_end(&session_code(&session));
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(
        acknowledged.len() > kills / 5,
        "too little load: {}",
        acknowledged.len()
    );
    let mut unacknowledged = 0;
    for session in server.sessions() {
        let code = session_code(&session);
        assert_eq!(session["status"], "preview_done", "{session}");
        let stored = server.get(&format!("/files/{code}/image"));
        match acknowledged.get(&code) {
            Some(sent) => assert_eq!(stored.body, *sent),
            // The server was killed before the response, but after the commit.
            None => {
                unacknowledged += 1;
                assert!(image::load_from_memory(&stored.body).is_ok());
            }
        }
        let result = server.get(&format!("/files/{code}/preview.glb")).body;
        let length = u32::from_le_bytes(result[8..12].try_into().unwrap());
        assert_eq!(
            (&result[..4], length as usize),
            (&b"glTF"[..], result.len())
        );
    }
    println!(
        "{kills} kills: {} sessions acknowledged, {unacknowledged} more stored",
        acknowledged.len()
    );
}

fn assert_all_listed(server: &Server, acknowledged: &Acknowledged) {
    let listed: HashSet<_> = server.sessions().iter().map(session_code).collect();
    for code in acknowledged.lock().unwrap().keys() {
        assert!(listed.contains(code), "{code} is lost");
    }
}

/// Creates a session. Returns whether the server responded.
fn create(host: &str, images: &AtomicU32, acknowledged: &Acknowledged) -> bool {
    let png = solid_png(images.fetch_add(1, Ordering::Relaxed));
    let mut body = create_body(&png);
    body["generate_texture"] = json!(true);
    body["resolution"] = json!("low_poly");
    let body = body.to_string();
    let Some(response) = exchange(host, &post(SESSIONS, "", body.as_bytes())) else {
        return false;
    };
    assert_eq!(response.status, 201);
    let code = session_code(&response.json()["data"]);
    let previous = acknowledged.lock().unwrap().insert(code, png);
    assert!(previous.is_none());
    // Limits the number of sessions, whose jobs would dominate the run time.
    std::thread::sleep(Duration::from_millis(10));
    true
}

/// Polls three sessions and the list. Returns whether the server responded.
fn poll(host: &str, acknowledged: &Acknowledged) -> bool {
    let codes: Vec<_> = {
        let acknowledged = acknowledged.lock().unwrap();
        acknowledged.keys().take(3).cloned().collect()
    };
    let paths = codes.iter().map(|code| format!("{SESSIONS}/{code}"));
    let mut paths = paths.chain([format!("{SESSIONS}?limit=5")]);
    paths.all(|path| {
        let response = exchange(host, &get(&path));
        response.is_some_and(|response| {
            assert_eq!(response.status, 200);
            true
        })
    })
}
