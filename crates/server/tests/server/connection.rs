//! What only shows on a real connection.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::support::*;

fn create(server: &Server, key: &str) -> Option<Answer> {
    let headers = format!("x-api-key: {key}\r\n");
    server.post(SESSIONS, &headers, &body(&png(1)))
}

/// All bytes until the connection ends, however it ends.
fn read_all(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => bytes,
    }
}

#[test]
fn a_session_is_created_followed_and_downloaded() {
    let server = Server::start(&["--speed", "20"]);
    let created = create(&server, "any").unwrap();
    assert_eq!(created.status, 201);
    let code = code(&created.json()["data"]);
    let session = server.end_of(&code);
    assert_eq!(session["status"], "preview_done");
    let address = format!("http://here/files/{code}/preview.glb");
    assert_eq!(session["mesh_url_glb"], address);
    let result = server.get(&format!("/files/{code}/preview.glb"));
    assert!(result.head.contains("content-type: model/gltf-binary"));
    assert!(result.body.starts_with(b"glTF"));
}

#[test]
fn a_connection_is_dropped_before_the_body_is_read() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let head = format!(
        "POST {SESSIONS} HTTP/1.1\r\nhost: a\r\nx-api-key: fault_drop-before\r\ncontent-length: 1000000\r\n\r\n"
    );
    // The body does not even begin.
    stream.write_all(head.as_bytes()).unwrap();
    let start = Instant::now();
    assert_eq!(read_all(&mut stream), b"");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(server.sessions().len(), 0);
    let log = server.get("/sandbox/requests").json();
    assert_eq!(log["data"]["results"][0]["delivery"], "drop");
}

#[test]
fn a_connection_is_dropped_after_the_session_was_created() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let key = "x-api-key: fault_drop-after_1\r\nidempotency-key: 1\r\n";
    let text = body(&png(1)).to_string();
    let request = post(SESSIONS, key, text.as_bytes());
    stream.write_all(&request).unwrap();
    assert_eq!(read_all(&mut stream), b"");
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 1);
    // With its key the request can be sent again.
    let again = exchange(&server.host, &request).unwrap();
    assert_eq!(again.status, 201);
    assert_eq!(code(&again.json()["data"]), code(&sessions[0]));
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn a_connection_is_dropped_in_the_middle_of_the_answer() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let text = body(&png(1)).to_string();
    let key = "x-api-key: fault_drop-middle\r\n";
    stream
        .write_all(&post(SESSIONS, key, text.as_bytes()))
        .unwrap();
    let answer = read_all(&mut stream);
    assert!(answer.starts_with(b"HTTP/1.1 201 Created\r\n"));
    let text = String::from_utf8_lossy(&answer);
    let (head, part) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: "), "{head}");
    assert!(part.starts_with("{\"error\"") && part.len() > 100, "{part}");
    assert!(parse(&answer).is_none());
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn a_stalled_request_is_never_answered_and_stops_nobody_else() {
    let mut server = Server::start(&[]);
    let mut stream = server.connect();
    let text = body(&png(1)).to_string();
    let key = "x-api-key: fault_stall\r\n";
    stream
        .write_all(&post(SESSIONS, key, text.as_bytes()))
        .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(700)))
        .unwrap();
    let waited = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(
        waited.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    assert_eq!(server.sessions().len(), 0);
    assert!(server.child.try_wait().unwrap().is_none());
}

#[test]
fn a_trickle_takes_seconds_and_is_whole() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let text = body(&png(1)).to_string();
    let key = "x-api-key: fault_trickle\r\n";
    stream
        .write_all(&post(SESSIONS, key, text.as_bytes()))
        .unwrap();
    let start = Instant::now();
    let (mut bytes, mut pieces, mut first) = (Vec::new(), 0, None);
    let mut buffer = [0; 4096];
    loop {
        let size = stream.read(&mut buffer).unwrap();
        if size == 0 {
            break;
        }
        first.get_or_insert(start.elapsed());
        pieces += 1;
        bytes.extend(&buffer[..size]);
    }
    assert!(first.unwrap() < Duration::from_secs(2));
    assert!(pieces >= 10, "{pieces}");
    let took = start.elapsed().as_secs_f64();
    assert!((2.0..8.0).contains(&took), "{took}");
    assert_eq!(parse(&bytes).unwrap().status, 201);
}

#[test]
fn a_body_that_is_too_large_is_read_and_refused() {
    let server = Server::start(&["--body-limit", "1"]);
    let large = vec![b'x'; 20 * 1024 * 1024];
    let answer = exchange(&server.host, &post(SESSIONS, "", &large)).unwrap();
    assert_eq!(answer.status, 413);
    let words = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("1 MiB"), "{words}");
    assert!(answer.head.contains("access-control-allow-origin: *"));
    let fits = exchange(&server.host, &post(SESSIONS, "", &large[..1024 * 1024]));
    assert_eq!(fits.unwrap().status, 400);
}

#[test]
fn a_connection_is_used_again_but_not_after_a_preflight() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let keep = format!("GET {SESSIONS} HTTP/1.1\r\nhost: a\r\n\r\n");
    let close = String::from_utf8(get(SESSIONS)).unwrap();
    stream
        .write_all((keep.clone() + &close).as_bytes())
        .unwrap();
    let both = String::from_utf8(read_all(&mut stream)).unwrap();
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2);

    let mut stream = server.connect();
    let preflight = format!("OPTIONS {SESSIONS} HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all((preflight + &keep).as_bytes()).unwrap();
    let only = String::from_utf8(read_all(&mut stream)).unwrap();
    assert!(only.starts_with("HTTP/1.1 204 No Content"), "{only}");
    assert_eq!(only.matches("HTTP/1.1").count(), 1);
}

#[test]
fn a_site_is_served_beside_the_api() {
    let site = tempfile::tempdir().unwrap();
    std::fs::write(site.path().join("index.html"), "<title>Hello</title>").unwrap();
    let server = Server::start(&["--site", site.path().to_str().unwrap()]);
    let page = server.get("/");
    assert_eq!(
        (page.status, &page.body[..]),
        (200, &b"<title>Hello</title>"[..])
    );
    assert!(page.head.contains("content-type: text/html"));
    assert!(page.head.contains("cache-control: no-cache"));
    let mut stream = server.connect();
    stream.write_all(&get("/nothing.html")).unwrap();
    assert!(read_all(&mut stream).starts_with(b"HTTP/1.1 404"));
    assert_eq!(server.get("/sandbox/faults").status, 200);
    assert_eq!(server.sessions().len(), 0);
}
