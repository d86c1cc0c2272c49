//! The threads that work: how much they take on, and what they refuse to fetch.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::support::*;
use serde_json::json;

#[test]
fn over_the_limit_a_session_is_refused_until_there_is_room() {
    let server = Server::start(&["--queue", "2", "--jobs", "1"]);
    let create = || server.post(SESSIONS, "", &body(&png(1))).unwrap();
    let first = code(&create().json()["data"]);
    assert_eq!(create().status, 201);
    let refused = create();
    assert_eq!(refused.status, 429);
    let mut lines = refused.head.lines();
    let wait = lines.find_map(|line| line.strip_prefix("retry-after: "));
    assert!(matches!(wait, Some("1" | "2")), "{}", refused.head);
    assert_eq!(server.sessions().len(), 2);
    server.end_of(&first);
    assert_eq!(create().status, 201);
}

#[test]
fn work_begins_by_itself_and_nobody_has_to_look() {
    let server = Server::start(&["--speed", "20", "--jobs", "2"]);
    let mut turbo = body(&png(1));
    turbo["preview_mesh"] = json!("turbo");
    let turbo = code(&server.post(SESSIONS, "", &turbo).unwrap().json()["data"]);
    let mut whole = body(&png(2));
    whole["auto_refine"] = json!(true);
    let whole = code(&server.post(SESSIONS, "", &whole).unwrap().json()["data"]);
    // A look wakes nobody.
    let session = |code: &str| server.get(&format!("{SESSIONS}/{code}")).json()["data"].take();
    until(|| session(&turbo)["status"] == "spin_generate_done");
    until(|| session(&whole)["status"] == "refine_done");
    let choose = format!("{SESSIONS}/get-3d/preview/{turbo}");
    let chosen = server.post(&choose, "", &json!({"selected_spin_index": 2}));
    assert_eq!(chosen.unwrap().status, 200);
    assert_eq!(server.end_of(&turbo)["status"], "preview_done");
}

#[test]
fn an_address_that_is_not_public_ends_its_session_with_the_reason() {
    let server = Server::start(&["--speed", "20"]);
    for (address, words) in [
        (
            "http://example.com/a.png".to_owned(),
            "only https: addresses are fetched",
        ),
        (
            format!("https://{}/files/x/image", server.host),
            "not in the public internet",
        ),
        (
            "https://localhost/a.png".to_owned(),
            "not in the public internet",
        ),
        (
            "https://[::ffff:169.254.169.254]/".to_owned(),
            "not in the public internet",
        ),
    ] {
        let created = server
            .post(SESSIONS, "", &json!({"image_url": address}))
            .unwrap();
        let session = server.end_of(&code(&created.json()["data"]));
        assert_eq!(session["status"], "preview_failed");
        assert!(
            session["error"].as_str().unwrap().contains(words),
            "{session}"
        );
        assert_eq!(session["image_url"], address);
    }
}

#[test]
fn the_server_ends_when_it_is_told_to() {
    let mut server = Server::start(&[]);
    server.post(SESSIONS, "", &body(&png(1))).unwrap();
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(10));
    let mut said = String::new();
    let mut stderr = server.child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(!said.contains("work that does not end"), "{said}");
}
