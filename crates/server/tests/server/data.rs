//! The data folder: what was answered is there after any end of the process.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::*;
use serde_json::json;

const KILLS: usize = 100;
const SEED: u64 = 20_240_718;

#[test]
fn sessions_pictures_results_and_keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("made/as/needed");
    let flags = ["--speed", "20", "--data", data.to_str().unwrap()];
    let picture = png(7);
    let once = "idempotency-key: k\r\n";
    let server = Server::start(&flags);
    let created = server.post(SESSIONS, once, &body(&picture)).unwrap();
    let code = code(&created.json()["data"]);
    server.end_of(&code);
    let path = format!("{SESSIONS}/{code}");
    let before = server.get(&path).json();
    let result = server.get(&format!("/files/{code}/preview.glb")).body;
    drop(server);

    let server = Server::start(&flags);
    assert_eq!(before["data"]["status"], "preview_done");
    assert_eq!(server.get(&path).json(), before);
    assert_eq!(server.get(&format!("/files/{code}/image")).body, picture);
    assert_eq!(
        server.get(&format!("/files/{code}/preview.glb")).body,
        result
    );
    let again = server.post(SESSIONS, once, &body(&picture)).unwrap();
    assert_eq!(again.json()["data"]["session_code"], code);
    let other = server.post(SESSIONS, once, &body(&png(8))).unwrap();
    assert_eq!(other.status, 409);
}

#[test]
fn a_folder_is_for_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--data", folder.path().to_str().unwrap()];
    let _first = Server::start(&flags);
    let second = spawn(&flags).wait_with_output().unwrap();
    assert!(!second.status.success());
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(
        words.contains("cannot open") && words.contains("already open"),
        "{words}"
    );
}

#[test]
fn without_a_folder_nothing_is_left() {
    let server = Server::start(&[]);
    server.post(SESSIONS, "", &body(&png(1))).unwrap();
    assert_eq!(server.sessions().len(), 1);
    drop(server);
    assert_eq!(Server::start(&[]).sessions().len(), 0);
}

/// Every session that was answered with 201, and its picture.
type Answered = Mutex<HashMap<String, Vec<u8>>>;

#[test]
fn no_kill_loses_an_answered_session_or_leaves_half_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let flags = [
        "--speed", "50", "--data", data, "--jobs", "2", "--queue", "100000",
    ];
    let mut random = fastrand::Rng::with_seed(SEED);
    let answered = Answered::default();
    let pictures = AtomicU32::default();
    for kill in 0..KILLS {
        if kill % 10 == 9 {
            // While it starts.
            let mut child = spawn(&flags);
            std::thread::sleep(Duration::from_millis(random.u64(0..40)));
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        let mut server = Server::start(&flags);
        assert_all_there(&server, &answered);
        let host = server.host.clone();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| while create(&host, &pictures, &answered) {});
            }
            scope.spawn(|| while poll(&host, &answered) {});
            std::thread::sleep(Duration::from_millis(random.u64(0..150)));
            // SIGKILL.
            server.child.kill().unwrap();
            server.child.wait().unwrap();
        });
    }

    let server = Server::start(&flags);
    assert_all_there(&server, &answered);
    for session in server.sessions() {
        server.end_of(&code(&session));
    }
    let answered = answered.into_inner().unwrap();
    assert!(
        answered.len() > KILLS / 5,
        "too little load: {}",
        answered.len()
    );
    let mut unanswered = 0;
    for session in server.sessions() {
        let code = code(&session);
        assert_eq!(session["status"], "preview_done", "{session}");
        let picture = server.get(&format!("/files/{code}/image"));
        match answered.get(&code) {
            Some(sent) => assert_eq!(picture.body, *sent),
            // Its answer was not out yet. It is whole all the same.
            None => {
                unanswered += 1;
                assert!(image::load_from_memory(&picture.body).is_ok());
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
        "{KILLS} kills: {} sessions answered, {unanswered} more stored",
        answered.len()
    );
}

fn assert_all_there(server: &Server, answered: &Answered) {
    let there: HashSet<_> = server.sessions().iter().map(code).collect();
    for code in answered.lock().unwrap().keys() {
        assert!(there.contains(code), "{code} is lost");
    }
}

/// Whether there was an answer.
fn create(host: &str, pictures: &AtomicU32, answered: &Answered) -> bool {
    let png = png(pictures.fetch_add(1, Ordering::Relaxed));
    let mut body = body(&png);
    body["generate_texture"] = json!(true);
    body["resolution"] = json!("low_poly");
    let text = body.to_string();
    let Some(answer) = exchange(host, &post(SESSIONS, "", text.as_bytes())) else {
        return false;
    };
    assert_eq!(answer.status, 201);
    let code = code(&answer.json()["data"]);
    let before = answered.lock().unwrap().insert(code, png);
    assert!(before.is_none());
    // So that the number of kills, and not of sessions, is what takes the time.
    std::thread::sleep(Duration::from_millis(10));
    true
}

/// Whether there was an answer.
fn poll(host: &str, answered: &Answered) -> bool {
    let codes: Vec<_> = {
        let answered = answered.lock().unwrap();
        answered.keys().take(3).cloned().collect()
    };
    let paths = codes.iter().map(|code| format!("{SESSIONS}/{code}"));
    let mut paths = paths.chain([format!("{SESSIONS}?limit=5")]);
    paths.all(|path| {
        let answer = exchange(host, &get(&path));
        answer.is_some_and(|answer| {
            assert_eq!(answer.status, 200);
            true
        })
    })
}
