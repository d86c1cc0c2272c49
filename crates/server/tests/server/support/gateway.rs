//! A server in front of an emulated engine. At the end of each test it checks that the engine billed
//! each session correctly, and that no secret is in anything that the server wrote.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use api::image;
use serde_json::{Value, json};

use super::server::{
    CANARY, SESSIONS, Server, command_with_file_size_limit, create_body, image_body, session_code,
    wait_until,
};
use crate::emulators::samples::numbered_png;

/// Headers of a web page that may use the server. The engine must not receive them.
pub const PAGE_HEADERS: &str = "origin: https://shop.example\r\n\
                                referer: https://shop.example/\r\n\
                                cookie: a=b\r\n";

/// Returns the image number of each model that the engine billed.
type BilledImages = Box<dyn Fn() -> Vec<u32> + Send>;

pub struct Gateway {
    pub server: Server,
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    flags: Vec<String>,
    billed_images: BilledImages,
    /// The image number of each create, and the session's code unless the create was rejected.
    creates: RefCell<Vec<(u32, Option<String>)>>,
}

impl Gateway {
    /// Starts a server with this configuration.
    pub fn start(
        config: &str,
        environment: Vec<(&'static str, String)>,
        extra_flags: &[&str],
        billed_images: impl Fn() -> Vec<u32> + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let config = format!("origins = [\"https://shop.example\"]\n{config}");
        fs::write(path("config.toml"), config).unwrap();
        let (file, data) = (path("config.toml"), path("data"));
        let flags = [
            "--speed", "100", "--log", "--config", &file, "--data", &data,
        ];
        let flags: Vec<_> = [&flags, extra_flags].concat();
        let flags: Vec<_> = flags.into_iter().map(str::to_owned).collect();
        Self {
            server: launch(&flags, &environment, folder.path()),
            folder,
            environment,
            flags,
            billed_images: Box::new(billed_images),
            creates: RefCell::default(),
        }
    }

    /// Kills the server, calls `while_down`, and starts the server again.
    pub fn kill_and_restart(&mut self, while_down: impl FnOnce()) {
        self.server.kill();
        while_down();
        self.server = launch(&self.flags, &self.environment, self.folder.path());
    }

    /// Changes the configuration of the next start.
    pub fn edit_config(&self, change: impl FnOnce(String) -> String) {
        let file = self.folder.path().join("config.toml");
        let config = fs::read_to_string(&file).unwrap();
        fs::write(file, change(config)).unwrap();
    }

    /// Creates a session with an image of its own, and returns its code.
    pub fn create(&self, parameters: Value) -> String {
        self.try_create(parameters)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Creates a session, or returns the error's envelope.
    pub fn try_create(&self, parameters: Value) -> Result<String, Value> {
        let number = next_image_number();
        let body = create_body(&numbered_png(number));
        self.try_create_numbered(number, body, parameters)
    }

    /// Creates a session with the image file that `encode` returns for a numbered PNG, waits until it
    /// is complete or failed, and returns it.
    pub fn create_encoded_and_wait(&self, encode: impl FnOnce(&[u8]) -> Vec<u8>) -> Value {
        let number = next_image_number();
        let file = encode(&numbered_png(number));
        let media_type = image::guess_format(&file).unwrap().to_mime_type();
        let body = image_body(media_type, &file);
        let code = self.try_create_numbered(number, body, json!({}));
        self.server
            .wait_for_end(&code.unwrap_or_else(|error| panic!("{error}")))
    }

    fn try_create_numbered(
        &self,
        number: u32,
        mut body: Value,
        parameters: Value,
    ) -> Result<String, Value> {
        for (name, value) in parameters.as_object().unwrap() {
            body[name] = value.clone();
        }
        let response = self.server.post(SESSIONS, PAGE_HEADERS, &body).unwrap();
        let json = response.json();
        let code = (response.status == 201).then(|| session_code(&json["data"]));
        self.creates.borrow_mut().push((number, code.clone()));
        code.ok_or(json)
    }

    /// Creates a session and waits until it is complete or failed.
    pub fn create_and_wait(&self, parameters: Value) -> Value {
        self.server.wait_for_end(&self.create(parameters))
    }

    /// Returns the number of the image of a session.
    pub fn image_of(&self, code: &str) -> u32 {
        let creates = self.creates.borrow();
        let create = creates
            .iter()
            .find(|(_, known)| known.as_deref() == Some(code));
        create.unwrap().0
    }

    pub fn session(&self, code: &str) -> Value {
        self.server.session(code)
    }

    /// Waits until the job's id is stored with the session.
    pub fn wait_until_submitted(&self, code: &str) {
        wait_until(|| self.session(code)["engine_status"].is_string());
    }

    /// A complete session has one model, a failed or unfinished one at most one, and a rejected
    /// create none. `sculpt` is not billed. No other models are billed.
    fn assert_billing(&self) {
        let creates = self.creates.borrow();
        let sessions = creates
            .iter()
            .map(|(_, code)| code.as_ref().map(|code| self.session(code)));
        let sessions: Vec<_> = sessions.collect();
        let billed = (self.billed_images)();
        for ((number, code), session) in creates.iter().zip(&sessions) {
            let models = billed.iter().filter(|billed| *billed == number).count();
            let text = |name: &str| {
                let value = session.as_ref().and_then(|session| session[name].as_str());
                value.unwrap_or_default()
            };
            let most = usize::from(text("engine") != "sculpt");
            let is_correct = match text("session_status") {
                "complete" => models == most,
                "failed" => models <= most && text("status").ends_with("_failed"),
                // Unfinished or deleted.
                _ if code.is_some() => models <= most,
                _ => models == 0,
            };
            assert!(
                is_correct,
                "image {number} was billed {models} times: {session:?}"
            );
        }
        let is_known = |billed: &&u32| creates.iter().any(|(number, _)| number == *billed);
        let unknown = billed.iter().filter(|billed| !is_known(billed)).count();
        assert_eq!(unknown, 0, "models were billed without a create");
    }

    /// No secret is in a response, in the log or in the data folder.
    fn assert_no_secrets(&self) {
        for (number, code) in self.creates.borrow().iter() {
            let Some(code) = code else { continue };
            let session = self.session(code).to_string();
            assert!(
                !session.contains(CANARY),
                "a secret is in the session of image {number}"
            );
            assert!(
                !session.contains("base64"),
                "an image is in its session: {session}"
            );
        }
        for path in [
            "/metrics",
            "/sandbox/requests",
            "/sandbox/engines",
            "/health",
        ] {
            let body = self.server.get(path).body;
            assert!(!String::from_utf8_lossy(&body).contains(CANARY), "{path}");
        }
        for file in files_below(self.folder.path()) {
            let bytes = fs::read(&file).unwrap();
            let canary = CANARY.as_bytes();
            let is_found = bytes.windows(canary.len()).any(|bytes| bytes == canary);
            assert!(!is_found, "a secret is in {}", file.display());
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_billing();
            self.assert_no_secrets();
        }
    }
}

fn next_image_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn launch(flags: &[String], environment: &[(&'static str, String)], folder: &Path) -> Server {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let child = command_with_file_size_limit()
        .args(["--port", "0"])
        .args(flags)
        .envs(environment.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    Server::from_child(child)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}
