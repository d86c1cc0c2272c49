//! Requests that another HTTP implementation may read differently, and requests that are too large.

use std::io::{ErrorKind, Read, Write};

use crate::support::*;

/// A request behind another one, which a proxy may take for the body of the first.
const SECOND: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Sends bytes, and returns everything that comes back until the server closes the connection.
fn exchange_raw(server: &Server, request: &[u8]) -> String {
    let mut stream = server.connect();
    // The server may respond and close the connection before it has read everything.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Sends a create request with these header lines and this body, and another request behind it. Checks
/// the start of the response, and that the second request is not answered.
fn assert_second_request_is_not_read(lines: &str, body: &str, expected: &str) {
    let server = Server::start(&[]);
    let head = format!("POST {SESSIONS} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n");
    let received = exchange_raw(&server, format!("{head}\r\n{body}{SECOND}").as_bytes());
    assert!(received.starts_with(expected), "{received}");
    let responses = received.matches("HTTP/1.1 ").count();
    assert!(responses <= 1, "{received}");
    assert!(!received.contains("200 OK"), "{received}");
    assert_eq!(server.get("/health").status, 200);
}

const BAD_REQUEST: &str = "HTTP/1.1 400 ";

cases! {
    assert_second_request_is_not_read:
    // The chunked body is read, which is empty and no JSON; the connection is closed after it.
    content_length_before_chunked: "content-length: 5\r\ntransfer-encoding: chunked", "0\r\n\r\n", BAD_REQUEST;
    content_length_after_chunked: "transfer-encoding: chunked\r\ncontent-length: 5", "0\r\n\r\n", BAD_REQUEST;
    chunked_before_another_encoding: "transfer-encoding: chunked\r\ntransfer-encoding: identity", "0\r\n\r\n", BAD_REQUEST;
    encoding_that_only_ends_like_chunked: "transfer-encoding: xchunked", "0\r\n\r\n", BAD_REQUEST;
    space_before_the_colon: "transfer-encoding : chunked", "0\r\n\r\n", BAD_REQUEST;
    two_content_lengths: "content-length: 2\r\ncontent-length: 50", "{}", BAD_REQUEST;
    content_length_with_a_sign: "content-length: +2", "{}", BAD_REQUEST;
    negative_content_length: "content-length: -2", "{}", BAD_REQUEST;
    hexadecimal_content_length: "content-length: 0x2", "{}", BAD_REQUEST;
    content_length_beyond_64_bits: "content-length: 99999999999999999999", "{}", BAD_REQUEST;
    chunk_size_beyond_64_bits: "transfer-encoding: chunked", "ffffffffffffffffff\r\n{}", "";
    header_that_continues_on_the_next_line: "x: a\r\n b", "", BAD_REQUEST;
    header_with_a_null_byte: "x: a\0b", "", BAD_REQUEST;
}

/// The same header twice has only one meaning: the body ends where both say, and the next request
/// follows.
fn assert_repetition_is_harmless(line: &str, body: &str) {
    let server = Server::start(&[]);
    let head = format!("POST {SESSIONS} HTTP/1.1\r\nhost: localhost\r\n{line}\r\n{line}\r\n\r\n");
    let received = exchange_raw(&server, format!("{head}{body}{SECOND}").as_bytes());
    assert_eq!(received.matches("HTTP/1.1 ").count(), 2, "{received}");
    assert!(received.starts_with(BAD_REQUEST), "{received}");
    assert!(received.ends_with("{\"status\":\"ok\"}"), "{received}");
}

cases! {
    assert_repetition_is_harmless:
    chunked_twice: "transfer-encoding: chunked", "0\r\n\r\n";
    same_content_length_twice: "content-length: 2", "{}";
}

/// Sends a request with this start, and checks the start of the response. The server still works.
fn assert_rejected(request: &[u8], expected: &str) {
    let server = Server::start(&[]);
    let received = exchange_raw(&server, request);
    assert!(received.starts_with(expected), "{received}");
    assert!(!received.contains("canary"), "{received}");
    assert_eq!(server.get("/health").status, 200);
}

/// Returns a GET request with these header lines.
fn with_lines(lines: &str) -> Vec<u8> {
    let end = "connection: close\r\n\r\n";
    format!("GET {SESSIONS} HTTP/1.1\r\nhost: localhost\r\n{lines}{end}").into()
}

fn many_headers() -> Vec<u8> {
    let lines = (0..200).map(|number| format!("x{number}: 1\r\n"));
    with_lines(&lines.collect::<String>())
}

cases! {
    assert_rejected:
    path_of_70_kb: &get(&format!("/{}", "a".repeat(70_000))), "HTTP/1.1 414 ";
    two_hundred_headers: &many_headers(), "HTTP/1.1 431 ";
    header_of_1_mb: &with_lines(&format!("x: {}\r\n", "a".repeat(1_000_000))), "HTTP/1.1 431 ";
    start_of_tls: &b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".repeat(10), BAD_REQUEST;
    http_2_without_tls: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "";
    chunked_in_http_1_0: format!("POST {SESSIONS} HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}").as_bytes(), BAD_REQUEST;
    tunnel_to_another_host: b"CONNECT example.com:443 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "HTTP/1.1 421 ";
    url_of_another_host: b"GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "HTTP/1.1 421 ";
    second_host_header: &with_lines("host: evil.example\r\n"), "HTTP/1.1 421 ";
    // TRACE would return the request's key.
    trace: format!("TRACE {SESSIONS} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {CANARY}\r\nconnection: close\r\n\r\n").as_bytes(), "HTTP/1.1 404 ";
}

#[test]
fn encoded_line_break_in_the_path_adds_no_header() {
    let server = Server::start(&[]);
    let response = server.get("/files/%0d%0aset-cookie:a");
    assert!(!response.head.contains("\nset-cookie"), "{}", response.head);
}
