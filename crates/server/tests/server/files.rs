//! How files are sent: compressed, in ranges, and so that browsers keep them.

use std::fs;
use std::io::{Read, Write};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{Response, SESSIONS, Server, create_body, session_code, solid_png};

const GZIP: &str = "accept-encoding: gzip, br\r\n";

fn unzipped(response: &Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(&*response.body)
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// Sends a request without a body, in HTTP/1.0, whose responses are not chunked.
fn send(server: &Server, method: &str, path: &str, headers: &str) -> Response {
    let mut stream = server.connect();
    let request = format!("{method} {path} HTTP/1.0\r\nhost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    Response {
        status: head[9..12].parse().unwrap(),
        head: head.replace("\r\n", "\n"),
        body: bytes[end + 4..].to_vec(),
    }
}

/// Creates a session with these headers, and returns it once it is complete.
fn complete_session(server: &Server, headers: &str) -> Value {
    let created = server.post(SESSIONS, headers, &create_body(&solid_png(1)));
    server.wait_for_end(&session_code(&created.unwrap().json()["data"]))
}

fn path(session: &Value, field: &str) -> String {
    let url = session[field].as_str().unwrap();
    url[url.find("/files/").unwrap()..].to_owned()
}

#[test]
fn models_and_sessions_are_compressed() {
    let server = Server::start(&["--speed", "50"]);
    let session = complete_session(&server, "");
    let session_path = format!("{SESSIONS}/{}", session_code(&session));
    for path in [
        path(&session, "preview_mesh_url_glb"),
        path(&session, "preview_mesh_url_obj"),
        session_path,
    ] {
        let plain = send(&server, "GET", &path, "");
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(
            plain.header("content-length"),
            Some(&*plain.body.len().to_string())
        );
        let zipped = send(&server, "GET", &path, GZIP);
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{path}");
        assert!(
            zipped.body.len() < plain.body.len() * 3 / 4,
            "{}",
            zipped.body.len()
        );
        assert!(unzipped(&zipped) == plain.body, "{path}");
        for response in [plain, zipped] {
            assert_eq!(response.header("vary"), Some("accept-encoding"));
        }
    }
}

/// A caller must not join a part of the compressed file and a part of the other one.
#[test]
fn compressed_file_has_a_weak_etag() {
    let server = Server::start(&["--speed", "50"]);
    let path = path(&complete_session(&server, ""), "preview_mesh_url_glb");
    let strong = send(&server, "GET", &path, "")
        .header("etag")
        .unwrap()
        .to_owned();
    let weak = send(&server, "GET", &path, GZIP)
        .header("etag")
        .unwrap()
        .to_owned();
    assert_eq!(weak, format!("w/{strong}"));
    let weak = weak.replace("w/", "W/");
    let known = send(
        &server,
        "GET",
        &path,
        &format!("{GZIP}if-none-match: {weak}\r\n"),
    );
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(known.header("content-length"), None);
    let range = format!("{GZIP}range: bytes=0-1999\r\n");
    let part = send(&server, "GET", &path, &range);
    assert_eq!((part.status, part.body.len()), (206, 2000));
    assert_eq!(part.header("content-encoding"), None);
    let joined = send(
        &server,
        "GET",
        &path,
        &format!("{range}if-range: {weak}\r\n"),
    );
    assert_eq!(joined.status, 200);
}

#[test]
fn images_and_archives_are_not_compressed_again() {
    let server = Server::start(&["--speed", "50"]);
    let session = complete_session(&server, "");
    for field in ["image_url", "preview_mesh_url_zip"] {
        let response = send(&server, "GET", &path(&session, field), GZIP);
        assert_eq!(response.header("content-encoding"), None, "{field}");
    }
}

#[test]
fn head_has_the_length_of_the_file() {
    let server = Server::start(&["--speed", "50"]);
    let path = path(&complete_session(&server, ""), "preview_mesh_url_glb");
    let size = send(&server, "GET", &path, "").body.len();
    let head = send(&server, "HEAD", &path, GZIP);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(&*size.to_string()));
}

/// Its length and its chunks are part of the simulated fault.
#[test]
fn throttled_result_is_not_compressed() {
    let server = Server::start(&["--speed", "50"]);
    let session = complete_session(&server, "x-api-key: fault_result-trickle\r\n");
    let response = send(
        &server,
        "GET",
        &path(&session, "preview_mesh_url_glb"),
        GZIP,
    );
    assert_eq!(response.header("content-encoding"), None);
    assert_eq!(
        response.header("content-length"),
        Some(&*response.body.len().to_string())
    );
}

/// The session exists already, and may have been paid for.
#[test]
fn create_succeeds_although_its_caller_accepts_no_encoding() {
    let server = Server::start(&[]);
    let headers = "accept-encoding: identity;q=0\r\n";
    let body = json!(create_body(&solid_png(1)));
    assert_eq!(server.post(SESSIONS, headers, &body).unwrap().status, 201);
}

#[test]
fn site_is_compressed_and_its_hashed_files_never_change() {
    let site = tempfile::tempdir().unwrap();
    let text = "let hello = 1;\n".repeat(200);
    for name in [
        "app.js",
        "app-5f786a93d773374f.js",
        "date-20240101.js",
        "filename-abcdefgh.js",
        "network-5f786a93d773374f.onnx",
    ] {
        fs::write(site.path().join(name), &text).unwrap();
    }
    let server = Server::start(&["--site", site.path().to_str().unwrap()]);
    for (path, expected) in [
        (
            "/app-5f786a93d773374f.js",
            "public, max-age=31536000, immutable",
        ),
        (
            "/network-5f786a93d773374f.onnx",
            "public, max-age=31536000, immutable",
        ),
        ("/app.js", "no-cache"),
        ("/date-20240101.js", "no-cache"),
        ("/filename-abcdefgh.js", "no-cache"),
        ("/missing-5f786a93d773374f.js", "no-cache"),
    ] {
        let response = send(&server, "GET", path, GZIP);
        assert_eq!(response.header("cache-control"), Some(expected), "{path}");
    }
    let network = send(&server, "GET", "/network-5f786a93d773374f.onnx", "");
    assert_eq!(
        network.header("content-type"),
        Some("application/octet-stream")
    );
    let zipped = send(&server, "GET", "/app.js", GZIP);
    assert_eq!(unzipped(&zipped), text.as_bytes());
    assert!(zipped.header("last-modified").is_some(), "{}", zipped.head);
    let etag = send(&server, "GET", "/app.js", "")
        .header("etag")
        .unwrap()
        .to_owned();
    let known = send(
        &server,
        "GET",
        "/app.js",
        &format!("if-none-match: {etag}\r\n"),
    );
    assert_eq!(known.status, 304);
}

/// As with `urllib`, which shows nothing else of an error response.
#[test]
fn status_line_of_a_refused_format_names_the_available_ones() {
    let server = Server::start(&["--speed", "100"]);
    let session = complete_session(&server, "");
    let code = session_code(&session);
    let agent = "user-agent: python-requests/2.32.3\r\n";
    let polled = send(&server, "GET", &format!("{SESSIONS}/{code}"), agent);
    let polled: Value = serde_json::from_slice(&polled.body).unwrap();
    let refused = send(&server, "GET", &path(&polled["data"], "mesh_url_fbx"), "");
    let status_line = refused.head.lines().next().unwrap();
    let text = "has no fbx model. available: glb, obj, zip, stl, 3mf, usdz";
    assert!(
        status_line.starts_with("http/1.0 404 session ") && status_line.ends_with(text),
        "{status_line}"
    );
}
