//! What the tests share: a real server process, and requests to it.
#![allow(dead_code, missing_docs)]

pub mod gateway;

use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

pub const SESSIONS: &str = "/image-to-3d-sessions";

/// The server's program.
pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_csm-image-to-3d-server"))
}

/// A server that ends with this value.
pub struct Server {
    pub child: Child,
    /// `127.0.0.1:<port>`
    pub host: String,
}

impl Server {
    pub fn start(flags: &[&str]) -> Self {
        Self::of(spawn(flags))
    }

    /// A process that was started, as soon as it listens.
    pub fn of(mut child: Child) -> Self {
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://");
        let host = host.expect("the server did not start").to_owned();
        Self { child, host }
    }

    /// Tells it to end, as a system does, and waits until it has.
    pub fn stop(&mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status();
        assert!(told.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    pub fn connect(&self) -> TcpStream {
        connect(&self.host)
    }

    pub fn get(&self, path: &str) -> Answer {
        exchange(&self.host, &get(path)).expect("no answer")
    }

    pub fn post(&self, path: &str, headers: &str, body: &Value) -> Option<Answer> {
        exchange(
            &self.host,
            &post(path, headers, body.to_string().as_bytes()),
        )
    }

    /// The session once nothing more happens to it.
    pub fn end_of(&self, code: &str) -> Value {
        let start = Instant::now();
        loop {
            let session = self.get(&format!("{SESSIONS}/{code}")).json()["data"].take();
            if ["complete", "failed"]
                .iter()
                .any(|end| session["session_status"] == *end)
            {
                return session;
            }
            assert!(
                start.elapsed() < Duration::from_secs(90),
                "it does not end: {session}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn sessions(&self) -> Vec<Value> {
        let listed = self.get(&format!("{SESSIONS}?limit=1000000")).json();
        listed["data"]["results"].as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn spawn(flags: &[&str]) -> Child {
    command()
        .args(["--port", "0"])
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub struct Answer {
    pub status: u16,
    /// The head, in small letters.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream
}

pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").into()
}

/// `headers`: lines that end with `\r\n`.
pub fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let size = body.len();
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{headers}content-length: {size}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend(body);
    bytes
}

/// The answer to the bytes of a request, or `None` where the connection ends without a whole one.
pub fn exchange(host: &str, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(host).ok()?;
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).ok()?;
    stream.write_all(request).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    parse(&bytes)
}

/// A whole answer; each of the server's has a length.
pub fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.get(9..12)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(Some(0), |length| length.parse().ok())?;
    let body = bytes[end + 4..].to_vec();
    (body.len() == length).then_some(Answer { status, head, body })
}

/// Waits until it is so.
pub fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "it does not come to that"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A picture unlike those of other numbers.
pub fn png(number: u32) -> Vec<u8> {
    let [_, red, green, blue] = number.to_be_bytes();
    let picture = RgbImage::from_pixel(8, 8, Rgb([red, green, blue]));
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

pub fn body(png: &[u8]) -> Value {
    let base64 = base64_simd::STANDARD.encode_to_string(png);
    json!({"image_url": format!("data:image/png;base64,{base64}")})
}

pub fn code(session: &Value) -> String {
    session["session_code"].as_str().unwrap().to_owned()
}
