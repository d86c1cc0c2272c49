//! The server as a process.

use std::fs;
use std::io::{BufRead, BufReader, Cursor};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::http::{self, exchange, get, post};
use super::openapi;
use super::response::Response;

pub const SESSIONS: &str = "/image-to-3d-sessions";

/// A part of every secret in the tests.
pub const CANARY: &str = "canary7d1f93";

/// Returns the command of the server's program.
pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_csm-image-to-3d-server"))
}

/// Returns the command of the server's program for tests that limit the size of its files. Without
/// the shell, a write beyond the limit would end the process.
pub fn command_with_file_size_limit() -> Command {
    let mut shell = Command::new("sh");
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_csm-image-to-3d-server")]);
    shell
}

/// Starts the program on a free port.
pub fn spawn(flags: &[&str]) -> Child {
    command()
        .args(["--port", "0"])
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A signal that asks a process to end.
pub enum Signal {
    /// SIGINT: Ctrl+C in a terminal.
    Interrupt,
    /// SIGTERM: what `kill`, containers and service managers send.
    Terminate,
}

/// A running server, killed on drop.
pub struct Server {
    pub child: Child,
    /// `127.0.0.1:<port>`
    pub host: String,
    /// The line that says which web pages may use the server.
    pub web_pages: String,
}

impl Server {
    pub fn start(flags: &[&str]) -> Self {
        Self::from_child(spawn(flags))
    }

    /// Waits until a started process listens. Its standard output must be piped.
    pub fn from_child(mut child: Child) -> Self {
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://");
        let host = host.expect("the server did not start").to_owned();
        let mut web_pages = String::new();
        stdout.read_line(&mut web_pages).unwrap();
        let web_pages = web_pages.trim().to_owned();
        openapi::add_server(&host);
        Self {
            child,
            host,
            web_pages,
        }
    }

    /// Sends the signal and waits for a successful exit.
    pub fn stop(&mut self, signal: Signal) {
        let id = self.child.id().to_string();
        let name = match signal {
            Signal::Interrupt => "-INT",
            Signal::Terminate => "-TERM",
        };
        let status = Command::new("kill").args([name, &id]).status();
        assert!(status.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Sends SIGKILL and waits for the exit.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills the server and returns what it wrote to the standard error.
    pub fn kill_and_read_stderr(&mut self) -> String {
        self.kill();
        std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap()
    }

    /// Returns the highest resident memory of the process so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
        kib.parse::<u64>().unwrap() * 1024
    }

    /// Makes each write to a file fail beyond its first 4 KiB, as on a full disk.
    pub fn fill_disk(&self) {
        self.limit_file_size("4096:");
    }

    /// Ends the failures of [`Server::fill_disk`].
    pub fn empty_disk(&self) {
        self.limit_file_size("unlimited");
    }

    fn limit_file_size(&self, limit: &str) {
        let (pid, limit) = (self.child.id().to_string(), format!("--fsize={limit}"));
        let status = Command::new("prlimit")
            .args(["--pid", &pid, &limit])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn connect(&self) -> TcpStream {
        http::connect(&self.host).unwrap()
    }

    pub fn get(&self, path: &str) -> Response {
        exchange(&self.host, &get(path)).expect("no response")
    }

    pub fn delete(&self, path: &str) -> Response {
        let request =
            format!("DELETE {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        exchange(&self.host, request.as_bytes()).unwrap()
    }

    pub fn post(&self, path: &str, headers: &str, body: &Value) -> Option<Response> {
        exchange(
            &self.host,
            &post(path, headers, body.to_string().as_bytes()),
        )
    }

    /// Returns the session, or null if it does not exist.
    pub fn session(&self, code: &str) -> Value {
        self.get(&format!("{SESSIONS}/{code}")).json()["data"].take()
    }

    /// Waits until the session is complete or failed.
    pub fn wait_for_end(&self, code: &str) -> Value {
        let start = Instant::now();
        loop {
            let session = self.session(code);
            if ["complete", "failed"]
                .iter()
                .any(|end| session["session_status"] == *end)
            {
                return session;
            }
            assert!(
                start.elapsed() < Duration::from_secs(90),
                "the session does not end: {session}"
            );
            sleep(Duration::from_millis(20));
        }
    }

    /// Returns all sessions.
    pub fn sessions(&self) -> Vec<Value> {
        let list = self.get(&format!("{SESSIONS}?limit=1000000")).json();
        list["data"]["results"].as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        openapi::remove_server(&self.host);
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the condition holds. Panics after 30 s.
#[track_caller]
pub fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "the condition did not become true within 30 s"
        );
        sleep(Duration::from_millis(5));
    }
}

/// Returns a PNG of one colour, which differs for each `number`.
pub fn solid_png(number: u32) -> Vec<u8> {
    let [_, red, green, blue] = number.to_be_bytes();
    let image = RgbImage::from_pixel(8, 8, Rgb([red, green, blue]));
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

/// Returns the body of a request that creates a session.
pub fn create_body(png: &[u8]) -> Value {
    image_body("image/png", png)
}

/// Returns the body of a request that creates a session with an image of any type.
///
/// The image keeps its background: the network takes a second of CPU per image, and only the tests of the
/// cut-out need it.
pub fn image_body(media_type: &str, file: &[u8]) -> Value {
    let base64 = base64_simd::STANDARD.encode_to_string(file);
    json!({"image_url": format!("data:{media_type};base64,{base64}"), "cutout": "keep"})
}

pub fn session_code(session: &Value) -> String {
    session["session_code"].as_str().unwrap().to_owned()
}
