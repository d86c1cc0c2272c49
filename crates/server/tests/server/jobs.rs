//! The worker threads: the limit of their queue, when they start, and what they do not fetch.

use std::time::{Duration, Instant};

use crate::support::*;
use serde_json::json;

#[test]
fn full_queue_rejects_sessions_until_one_ends() {
    let server = Server::start(&["--queue", "2", "--jobs", "1"]);
    let create = || {
        server
            .post(SESSIONS, "", &create_body(&solid_png(1)))
            .unwrap()
    };
    let first = session_code(&create().json()["data"]);
    assert_eq!(create().status, 201);
    let rejected = create();
    assert_eq!(rejected.status, 429);
    let mut lines = rejected.head.lines();
    let retry_after = lines.find_map(|line| line.strip_prefix("retry-after: "));
    assert!(matches!(retry_after, Some("1" | "2")), "{}", rejected.head);
    assert_eq!(server.sessions().len(), 2);
    server.wait_for_end(&first);
    assert_eq!(create().status, 201);
}

#[test]
fn jobs_start_without_a_poll() {
    let server = Server::start(&["--speed", "20", "--jobs", "2"]);
    let mut turbo = create_body(&solid_png(1));
    turbo["preview_mesh"] = json!("turbo");
    let turbo = session_code(&server.post(SESSIONS, "", &turbo).unwrap().json()["data"]);
    let mut refined = create_body(&solid_png(2));
    refined["auto_refine"] = json!(true);
    let refined = session_code(&server.post(SESSIONS, "", &refined).unwrap().json()["data"]);
    wait_until(|| server.session(&turbo)["status"] == "spin_generate_done");
    wait_until(|| server.session(&refined)["status"] == "refine_done");
    let choose = format!("{SESSIONS}/get-3d/preview/{turbo}");
    let chosen = server.post(&choose, "", &json!({"selected_spin_index": 2}));
    assert_eq!(chosen.unwrap().status, 200);
    assert_eq!(server.wait_for_end(&turbo)["status"], "preview_done");
}

/// Checks that a session whose image is at `url` fails with this error.
fn assert_not_fetched(server: &Server, url: &str, error: &str) {
    let created = server.post(SESSIONS, "", &json!({"image_url": url}));
    let code = session_code(&created.unwrap().json()["data"]);
    let session = server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_failed");
    assert!(
        session["error"].as_str().unwrap().contains(error),
        "{session}"
    );
    assert_eq!(session["image_url"], url);
}

#[test]
fn image_at_an_http_url_is_not_fetched() {
    let server = Server::start(&["--speed", "20"]);
    let error = "only https: URLs are fetched";
    assert_not_fetched(&server, "http://example.com/a.png", error);
}

#[test]
fn image_at_the_servers_own_address_is_not_fetched() {
    let server = Server::start(&["--speed", "20"]);
    let url = format!("https://{}/files/x/image", server.host);
    assert_not_fetched(&server, &url, "does not lead to a public address");
}

#[test]
fn image_at_localhost_is_not_fetched() {
    let server = Server::start(&["--speed", "20"]);
    let error = "does not lead to a public address";
    assert_not_fetched(&server, "https://localhost/a.png", error);
}

#[test]
fn image_at_a_link_local_address_is_not_fetched() {
    let server = Server::start(&["--speed", "20"]);
    let error = "does not lead to a public address";
    assert_not_fetched(&server, "https://[::ffff:169.254.169.254]/", error);
}

#[test]
fn sigint_stops_the_server_within_10_s() {
    let mut server = Server::start(&[]);
    server
        .post(SESSIONS, "", &create_body(&solid_png(1)))
        .unwrap();
    let start = Instant::now();
    server.stop(Signal::Interrupt);
    assert!(start.elapsed() < Duration::from_secs(10));
    let stderr = std::io::read_to_string(server.child.stderr.take().unwrap()).unwrap();
    assert_eq!(stderr, "");
}
