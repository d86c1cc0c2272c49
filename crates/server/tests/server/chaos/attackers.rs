//! Callers who send images that are dangerous to decode, and who hold connections open.

use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use super::run::Run;
use crate::support::bombs::{TILED_PLANAR, ZERO_WIDTH_FRAME, png_with_profile, small_webp};
use crate::support::{MIB, SESSIONS, exchange, get, image_body, post, session_code, solid_png};

/// Name and key of the client that attacks.
pub const KEY: (&str, &str) = ("mallory", "mallory-key-Zq94canary7d1f93");

/// The number of connections that are held open.
const MAX_CONNECTIONS: usize = 40;
/// The number of requests on a connection whose responses are not read.
const UNREAD_REQUESTS: usize = 200;
const PAUSE_MILLIS: std::ops::Range<u64> = 5..150;

/// Sends images that are dangerous to decode, and deletes the sessions of those that are valid.
pub fn send_bombs(run: &Run, random: &mut fastrand::Rng) {
    let files = [
        ("image/webp", small_webp(8000)),
        // As much as the server decodes at the same time.
        ("image/webp", small_webp(4000)),
        ("image/webp", small_webp(1500)),
        ("image/png", png_with_profile(&solid_png(1), 256 * MIB)),
        ("image/tiff", TILED_PLANAR.to_vec()),
        ("image/webp", ZERO_WIDTH_FRAME.to_vec()),
    ];
    let requests = files.map(|(media_type, file)| {
        let mut body = image_body(media_type, &file);
        body["engine"] = "sculpt".into();
        let headers = format!("x-api-key: {}\r\n", KEY.1);
        post(SESSIONS, &headers, body.to_string().as_bytes())
    });
    while run.is_chaotic() {
        let index = random.usize(0..requests.len());
        let host = run.host();
        if let Some(response) = exchange(&host, &requests[index]) {
            let is_expected = match response.status {
                201 | 400 | 429 | 503 => true,
                500 => response.message().starts_with("Sessions cannot be "),
                _ => false,
            };
            if response.status == 201 {
                delete(&host, &session_code(&response.json()["data"]));
            }
            run.check(is_expected, || {
                let (status, message) = (response.status, response.message());
                format!("dangerous image {index} got a {status}: {message}")
            });
        }
        sleep(Duration::from_millis(random.u64(PAUSE_MILLIS)));
    }
}

/// Deletes a session, unless the server ends or its disk is full meanwhile.
fn delete(host: &str, code: &str) {
    let key = KEY.1;
    let request = format!(
        "DELETE {SESSIONS}/{code} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n"
    );
    let _ = exchange(host, request.as_bytes());
}

/// Holds connections open: silent ones, some with a part of a request, and some whose responses are
/// not read. Breaks some of them.
pub fn hold_connections(run: &Run, random: &mut fastrand::Rng) {
    let mut connections = Vec::new();
    while run.is_chaotic() {
        connections.extend(open(&run.host(), random));
        if connections.len() > MAX_CONNECTIONS {
            connections.swap_remove(random.usize(0..connections.len()));
        }
        for connection in &mut connections {
            // One byte at a time. The server may have closed the connection.
            let _ = connection.write(b"x");
        }
        sleep(Duration::from_millis(random.u64(PAUSE_MILLIS)));
    }
}

fn open(host: &str, random: &mut fastrand::Rng) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_nonblocking(true)?;
    let head = format!(
        "POST {SESSIONS} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {}\r\n",
        KEY.1
    );
    let bytes = match random.u32(0..4) {
        0 => Vec::new(),
        1 => head.into_bytes(),
        2 => format!("{head}content-length: 1000000\r\n\r\n{{").into_bytes(),
        _ => {
            let request = String::from_utf8_lossy(&get("/health")).into_owned();
            let request = request.replace("connection: close", "connection: keep-alive");
            request.repeat(UNREAD_REQUESTS).into_bytes()
        }
    };
    stream.write_all(&bytes)?;
    Ok(stream)
}
