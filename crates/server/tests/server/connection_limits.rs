//! Limits on the number of connections: strangers cannot keep clients out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

use crate::access::harness::{Folder, SHOP, get as get_with_headers, key_header};
use crate::support::*;

/// More connections than the server of [`start_with_few_files`] can open.
const STRANGERS: usize = 100;

/// Starts a server that may open 96 files, and at first only 48. It is left 64 for other purposes.
fn start_with_few_files(flags: &[&str]) -> Server {
    let child = Command::new("prlimit")
        .args(["--nofile=48:96", command().get_program().to_str().unwrap()])
        .args(["--port", "0", "--jobs", "1"])
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Server::from_child(child)
}

/// Opens a connection that receives little before the server's writes block.
fn connect_with_small_buffer(server: &Server) -> TcpStream {
    let address: SocketAddr = server.host.parse().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// Checks that a client with a key is served while strangers have sent `bytes` and keep their
/// connections open.
fn assert_client_is_served_despite(bytes: &[u8], flags: &[&str]) {
    let folder = Folder::new("");
    let config = folder.config();
    let mut server = start_with_few_files(&[&["--config", &config], flags].concat());
    let strangers: Vec<_> = (0..STRANGERS)
        .map(|_| {
            let mut stream = connect_with_small_buffer(&server);
            // The server may have closed the connection for another already.
            let _ = stream.write_all(bytes);
            stream
        })
        .collect();
    let response = get_with_headers(&server, SESSIONS, &key_header(SHOP));
    assert_eq!(response.status, 200);
    drop(strangers);
    let log = server.kill_and_read_stderr();
    // One line, although many connections were closed. A website needs a file for each connection.
    let limit = if flags.is_empty() { 30 } else { 15 };
    let line = format!(
        "All {limit} connections are in use: see --max-connections (1 since the last such message)\n"
    );
    assert_eq!(log, line);
}

#[test]
fn serves_clients_despite_silent_connections() {
    assert_client_is_served_despite(b"", &[]);
}

#[test]
fn serves_clients_despite_unfinished_heads() {
    assert_client_is_served_despite(b"GET / HTTP/1.1\r\nhost: local", &[]);
}

#[test]
fn serves_clients_despite_missing_bodies() {
    let head = format!("POST {SESSIONS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n");
    assert_client_is_served_despite(head.as_bytes(), &[]);
}

#[test]
fn serves_clients_despite_unread_pipelined_responses() {
    let requests = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(300);
    assert_client_is_served_despite(requests.as_bytes(), &[]);
}

#[test]
fn serves_clients_despite_unread_files() {
    let site = tempfile::tempdir().unwrap();
    std::fs::write(site.path().join("large"), vec![b'x'; 8 << 20]).unwrap();
    let flags = ["--site", site.path().to_str().unwrap()];
    let request = b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_client_is_served_despite(request, &flags);
}

#[test]
fn rejects_connections_above_the_limit_of_their_address() {
    let server = Server::start(&["--max-connections-each", "2"]);
    let busy = ["1", "2"].map(|number| {
        let mut stream = server.connect();
        let key = format!("x-api-key: fault_trickle_{number}\r\n");
        let body = create_body(&solid_png(1)).to_string();
        let request = post(SESSIONS, &key, body.as_bytes());
        stream.write_all(&request).unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        stream
    });
    // The response can be read although the request is long.
    let request = post(SESSIONS, "", &vec![b' '; 8 << 20]);
    let response = exchange(&server.host, &request).unwrap();
    assert_eq!(response.status, 503);
    assert!(
        response.head.contains("retry-after: 1"),
        "{}",
        response.head
    );
    let message = "The server has too many connections: try again later";
    assert_eq!(response.message(), message);
    drop(busy);
    wait_until(|| exchange(&server.host, &get("/health")).unwrap().status == 200);
}

#[test]
fn rejects_more_connections_than_files() {
    let output = Command::new("prlimit")
        .args(["--nofile=96", command().get_program().to_str().unwrap()])
        .args(["--jobs", "1", "--max-connections", "31"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: Invalid --max-connections 31: expected at most 30, because the process may open 96 \
         files. Raise that limit with LimitNOFILE in the systemd unit, or with ulimit -Hn\n"
    );
}
