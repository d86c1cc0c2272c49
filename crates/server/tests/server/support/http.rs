//! Raw HTTP/1.1 requests, so that a test decides on every byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::openapi;
use super::response::Response;

/// The longest time that a read waits for bytes.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

pub fn connect(host: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    Ok(stream)
}

/// Returns the bytes of a GET request.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").into()
}

/// Returns the bytes of a POST request. `headers` are lines that end with `\r\n`.
pub fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let size = body.len();
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {size}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend(body);
    bytes
}

/// Sends the bytes of a request. Returns `None` if the connection ends before a complete response. Panics if
/// the response of a server is not as `openapi.json` describes it.
pub fn exchange(host: &str, request: &[u8]) -> Option<Response> {
    let mut stream = connect(host).ok()?;
    stream.write_all(request).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let response = parse(&bytes)?;
    openapi::check(host, request, &response);
    Some(response)
}

/// Parses a response with `Content-Length`. Returns `None` if it is incomplete.
pub fn parse(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.get(9..12)?.parse().ok()?;
    let body = bytes[end + 4..].to_vec();
    let response = Response { status, head, body };
    let length = response.header("content-length");
    let length: usize = length.map_or(Some(0), |length| length.parse().ok())?;
    (response.body.len() == length).then_some(response)
}
