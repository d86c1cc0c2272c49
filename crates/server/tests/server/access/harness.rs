//! A server with client keys, and requests with any headers.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{CANARY, Response, SESSIONS, Server, command, exchange};

/// The keys of the clients `shop` and `app`.
pub const SHOP: &str = "shop-key-Zq84canary7d1f93";
pub const APP: &str = "app-key-Zq85canary7d1f93";

/// A folder with `config.toml` and `clients`.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Creates a folder in which `config.toml` names the file with the clients; `extra` is added
    /// to it.
    pub fn new(extra: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let clients = folder.write("clients", &format!("# callers\nshop {SHOP}\n\napp {APP}\n"));
        folder.set_mode(&clients, 0o600);
        folder.write(
            "config.toml",
            &format!("clients_file = {clients:?}\n{extra}"),
        );
        folder
    }

    /// Creates a folder with this `config.toml`, which names no clients.
    pub fn without_clients(config: &str) -> Self {
        let folder = Self::new("");
        folder.write("config.toml", config);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn set_mode(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    pub fn config(&self) -> String {
        self.path("config.toml").to_str().unwrap().to_owned()
    }

    pub fn start_server(&self, flags: &[&str]) -> Server {
        let config = self.config();
        Server::start(&[&["--config", &config], flags].concat())
    }
}

/// Returns the header with a client's key.
pub fn key_header(key: &str) -> String {
    format!("x-api-key: {key}\r\n")
}

/// Sends a request with these headers, which are lines that end with `\r\n`.
pub fn send(server: &Server, method: &str, path: &str, headers: &str, body: &Value) -> Response {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let host = &server.host;
    let size = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {size}\r\n\r\n{body}"
    );
    exchange(host, request.as_bytes()).expect("a complete response")
}

/// Sends a GET request with these headers.
pub fn get(server: &Server, path: &str, headers: &str) -> Response {
    send(server, "GET", path, headers, &Value::Null)
}

/// Waits until the session of the client with this key is complete.
pub fn wait_until_complete(server: &Server, key: &str, code: &str) -> Value {
    loop {
        let path = format!("{SESSIONS}/{code}");
        let session = get(server, &path, &key_header(key)).json()["data"].take();
        if session["session_status"] == "complete" {
            return session;
        }
        assert_ne!(session["session_status"], "failed", "{session}");
        sleep(Duration::from_millis(20));
    }
}

/// Returns what the program prints when it does not start.
pub fn startup_error(flags: &[&str]) -> String {
    let output = command()
        .args(["--port", "0"])
        .args(flags)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains(CANARY), "{stderr}");
    stderr
}
