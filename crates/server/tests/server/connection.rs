//! Behaviour that only a real connection shows: dropped, slow and reused connections.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::*;

/// Returns the bytes of a request that creates a session with these headers.
fn create_request(headers: &str) -> Vec<u8> {
    let body = create_body(&solid_png(1)).to_string();
    post(SESSIONS, headers, body.as_bytes())
}

/// Returns all bytes until the connection is closed or reset.
fn read_all(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => bytes,
    }
}

#[test]
fn creates_polls_and_downloads_a_session() {
    let server = Server::start(&["--speed", "20"]);
    let request = create_request("x-api-key: any\r\n");
    let created = exchange(&server.host, &request).unwrap();
    assert_eq!(created.status, 201);
    let code = session_code(&created.json()["data"]);
    let session = server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_done");
    let url = format!("http://localhost/files/{code}/preview.glb");
    assert_eq!(session["mesh_url_glb"], url);
    let result = server.get(&format!("/files/{code}/preview.glb"));
    assert!(result.head.contains("content-type: model/gltf-binary"));
    // Pages with `Cross-Origin-Embedder-Policy: require-corp` can show it.
    let policy = "cross-origin-resource-policy: cross-origin";
    assert!(result.head.contains(policy), "{}", result.head);
    assert!(result.body.starts_with(b"glTF"));
}

#[test]
fn fault_drop_before_closes_without_reading_the_body() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let head = format!(
        "POST {SESSIONS} HTTP/1.1\r\nhost: localhost\r\nx-api-key: fault_drop-before\r\ncontent-length: 1000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let start = Instant::now();
    assert_eq!(read_all(&mut stream), b"");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(server.sessions().len(), 0);
    let log = server.get("/sandbox/requests").json();
    assert_eq!(log["data"]["results"][0]["delivery"], "drop");
}

#[test]
fn fault_drop_after_closes_once_the_session_exists() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let key = "x-api-key: fault_drop-after_1\r\nidempotency-key: 1\r\n";
    let request = create_request(key);
    stream.write_all(&request).unwrap();
    assert_eq!(read_all(&mut stream), b"");
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 1);
    let replay = exchange(&server.host, &request).unwrap();
    assert_eq!(replay.status, 201);
    assert_eq!(
        session_code(&replay.json()["data"]),
        session_code(&sessions[0])
    );
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn fault_drop_middle_truncates_the_response() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let request = create_request("x-api-key: fault_drop-middle\r\n");
    stream.write_all(&request).unwrap();
    let response = read_all(&mut stream);
    assert!(response.starts_with(b"HTTP/1.1 201 Created\r\n"));
    let text = String::from_utf8_lossy(&response);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: "), "{head}");
    assert!(body.starts_with("{\"error\"") && body.len() > 100, "{body}");
    assert!(parse(&response).is_none());
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn fault_stall_never_responds_and_blocks_no_other_request() {
    let mut server = Server::start(&[]);
    let mut stream = server.connect();
    let request = create_request("x-api-key: fault_stall\r\n");
    stream.write_all(&request).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(700)))
        .unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    assert_eq!(server.sessions().len(), 0);
    assert!(server.child.try_wait().unwrap().is_none());
}

#[test]
fn fault_trickle_takes_seconds_and_is_complete() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let request = create_request("x-api-key: fault_trickle\r\n");
    stream.write_all(&request).unwrap();
    let start = Instant::now();
    let (mut bytes, mut reads, mut first) = (Vec::new(), 0, None);
    let mut buffer = [0; 4096];
    loop {
        let size = stream.read(&mut buffer).unwrap();
        if size == 0 {
            break;
        }
        first.get_or_insert(start.elapsed());
        reads += 1;
        bytes.extend(&buffer[..size]);
    }
    assert!(first.unwrap() < Duration::from_secs(2));
    assert!(reads >= 10, "{reads}");
    let seconds = start.elapsed().as_secs_f64();
    assert!((2.0..8.0).contains(&seconds), "{seconds}");
    assert_eq!(parse(&bytes).unwrap().status, 201);
}

#[test]
fn body_over_the_default_limit_is_rejected_as_by_the_javascript_server() {
    let server = Server::start(&[]);
    let large = vec![b'x'; 64 * 1024 * 1024 + 1];
    let response = exchange(&server.host, &post(SESSIONS, "", &large)).unwrap();
    assert_eq!(response.status, 413);
    let expected = repository_file("tests/support/payload-too-large.json");
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(response.json(), expected);
}

#[test]
fn body_over_the_limit_is_read_and_rejected() {
    let server = Server::start(&["--body-limit", "1"]);
    let large = vec![b'x'; 20 * 1024 * 1024];
    let response = exchange(&server.host, &post(SESSIONS, "", &large)).unwrap();
    assert_eq!(response.status, 413);
    let message = response.message();
    assert!(message.contains("1 MiB"), "{message}");
    assert!(response.head.contains("access-control-allow-origin: *"));
    let allowed = exchange(&server.host, &post(SESSIONS, "", &large[..1024 * 1024]));
    assert_eq!(allowed.unwrap().status, 400);
}

#[test]
fn connection_is_reused_except_after_a_preflight() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let keep_alive = format!("GET {SESSIONS} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let close = String::from_utf8(get(SESSIONS)).unwrap();
    stream
        .write_all((keep_alive.clone() + &close).as_bytes())
        .unwrap();
    let both = String::from_utf8(read_all(&mut stream)).unwrap();
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2);

    let mut stream = server.connect();
    let preflight = format!("OPTIONS {SESSIONS} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream
        .write_all((preflight + &keep_alive).as_bytes())
        .unwrap();
    let only = String::from_utf8(read_all(&mut stream)).unwrap();
    assert!(only.starts_with("HTTP/1.1 204 No Content"), "{only}");
    assert_eq!(only.matches("HTTP/1.1").count(), 1);
}

#[test]
fn site_is_served_beside_the_api() {
    let site = tempfile::tempdir().unwrap();
    std::fs::write(site.path().join("index.html"), "<title>Hello</title>").unwrap();
    let server = Server::start(&["--site", site.path().to_str().unwrap()]);
    let page = server.get("/");
    assert_eq!(
        (page.status, &page.body[..]),
        (200, &b"<title>Hello</title>"[..])
    );
    assert!(page.head.contains("content-type: text/html"));
    for header in [
        "cache-control: no-cache",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
    ] {
        assert!(page.head.contains(header), "{}", page.head);
    }
    // A click in an invisible frame of another page could pay for a model.
    let document = repository_file("docs/deploy.md").to_ascii_lowercase();
    let policy = document
        .lines()
        .find(|line| line.starts_with("default-src "));
    let policy = format!(
        "content-security-policy: {}; frame-ancestors 'none'\r\n",
        policy.unwrap()
    );
    assert!(page.head.contains(&policy), "{}", page.head);
    let mut stream = server.connect();
    stream.write_all(&get("/nothing.html")).unwrap();
    assert!(read_all(&mut stream).starts_with(b"HTTP/1.1 404"));
    assert_eq!(server.get("/sandbox/faults").status, 200);
    assert_eq!(server.sessions().len(), 0);
}
