//! The bodies of requests: those of rejected requests are discarded, and all have a size limit.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::harness::{Folder, SHOP, key_header};
use crate::support::{Response, SESSIONS, Server, create_body, exchange, parse, post, solid_png};

const MIB: usize = 1024 * 1024;

/// Opens a connection and sends the head of a create with a body of this size.
fn send_head(server: &Server, headers: &str, size: usize) -> TcpStream {
    let host = &server.host;
    let head = format!(
        "POST {SESSIONS} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {size}\r\n\r\n"
    );
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Reads the next response of a connection that stays open.
fn read_response(stream: &mut TcpStream) -> Response {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let size = stream.read(&mut buffer).expect("a response in time");
        assert_ne!(size, 0, "the connection was closed");
        bytes.extend(&buffer[..size]);
        if let Some(response) = parse(&bytes) {
            return response;
        }
    }
}

/// Checks that a create is rejected before its body arrives, and that the connection can be used
/// after the body was sent.
fn assert_rejected_by_head(folder: &Folder, headers: &str, status: u16, expected: &str) {
    let server = folder.start_server(&[]);
    let mut stream = send_head(&server, headers, 20 * MIB);
    stream.write_all(&[b' '; 1000]).unwrap();
    let response = read_response(&mut stream);
    assert_eq!(response.status, status);
    assert_eq!(response.json()["statusCode"], status);
    assert_eq!(response.message(), expected);
    // Web pages can read why.
    assert!(
        response.head.contains("access-control-allow-origin: "),
        "{}",
        response.head
    );
    stream.write_all(&vec![b' '; 20 * MIB - 1000]).unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    assert_eq!(read_response(&mut stream).status, 200);
}

#[test]
fn missing_key_is_rejected_by_the_head() {
    let message = "Missing x-api-key: expected an API key of this server";
    assert_rejected_by_head(&Folder::new(""), "", 401, message);
}

#[test]
fn unknown_key_is_rejected_by_the_head() {
    let headers = key_header("guess");
    assert_rejected_by_head(
        &Folder::new(""),
        &headers,
        401,
        "x-api-key: unknown API key",
    );
}

#[test]
fn denied_origin_is_rejected_by_the_head() {
    let folder = Folder::without_clients("origins = [\"https://shop.example\"]\n");
    let headers = "origin: https://evil.example\r\n";
    let message = "Requests from pages of https://evil.example are not allowed. Start the server with \
                   --origin https://evil.example";
    assert_rejected_by_head(&folder, headers, 403, message);
}

#[test]
fn rejected_body_over_the_limit_closes_the_connection() {
    let folder = Folder::new("");
    let server = folder.start_server(&["--body-limit", "1"]);
    let mut stream = send_head(&server, "", 200 * MIB);
    let mib = vec![b' '; MIB];
    let sent = (0..200).take_while(|_| stream.write_all(&mib).is_ok());
    let sent = sent.count();
    assert!((1..100).contains(&sent), "{sent}");
}

#[test]
fn body_up_to_the_limit_is_accepted() {
    let folder = Folder::new("");
    let server = folder.start_server(&["--body-limit", "30"]);
    let create = |mib: usize| {
        let mut body = create_body(&solid_png(1)).to_string().into_bytes();
        body.resize(mib * MIB, b' ');
        exchange(&server.host, &post(SESSIONS, &key_header(SHOP), &body)).unwrap()
    };
    assert_eq!(create(30).status, 201);
    assert_eq!(create(31).status, 413);
}
