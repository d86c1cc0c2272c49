//! A server in front of an emulated engine. Whatever a test is about, when the server ends what each
//! of its sessions cost is settled, and the engine's key is searched for in all that it wrote.
#![allow(dead_code, missing_docs)]

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::emulators::numbered;
use crate::support::{SESSIONS, Server, body, code, command, until};

/// A page that may use the server, and of which an engine must learn nothing.
pub const PAGE: &str = "origin: https://shop.example\r\nreferer: https://shop.example/\r\n\
                        cookie: a=b\r\n";

/// In every secret of the tests; the whole test run's output is searched for it, too.
const MARK: &str = "canary7d1f93";

/// The numbers of the models that an engine has billed; each is that of a picture.
type Billed = Box<dyn Fn() -> Vec<u32> + Send>;

pub struct Gateway {
    pub server: Server,
    pub folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    flags: Vec<String>,
    billed: Billed,
    /// The number of each picture, and the session where it was not refused.
    asked: RefCell<Vec<(u32, Option<String>)>>,
}

impl Gateway {
    /// `config` is the text of the configuration.
    pub fn start(
        config: &str,
        environment: Vec<(&'static str, String)>,
        more: &[&str],
        billed: impl Fn() -> Vec<u32> + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let config = format!("origins = [\"https://shop.example\"]\n{config}");
        fs::write(path("config.toml"), config).unwrap();
        let (file, data) = (path("config.toml"), path("data"));
        let flags = [
            "--speed", "100", "--log", "--config", &file, "--data", &data,
        ];
        let flags: Vec<_> = [&flags, more].concat();
        let flags: Vec<_> = flags.into_iter().map(str::to_owned).collect();
        Self {
            server: launch(&flags, &environment, folder.path()),
            folder,
            environment,
            flags,
            billed: Box::new(billed),
            asked: RefCell::default(),
        }
    }

    /// Ended without notice, for as long as `meanwhile` takes, and started again.
    pub fn again(&mut self, meanwhile: impl FnOnce()) {
        self.server.child.kill().unwrap();
        self.server.child.wait().unwrap();
        meanwhile();
        self.server = launch(&self.flags, &self.environment, self.folder.path());
    }

    /// The code of a new session, with a picture of its own.
    pub fn create(&self, parameters: Value) -> String {
        self.ask(parameters)
            .unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// The same, where it may be refused.
    pub fn ask(&self, parameters: Value) -> Result<String, Value> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut body = body(&numbered(number));
        for (name, value) in parameters.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = self.server.post(SESSIONS, PAGE, &body).unwrap();
        let json = answer.json();
        let code = (answer.status == 201).then(|| code(&json["data"]));
        self.asked.borrow_mut().push((number, code.clone()));
        code.ok_or(json)
    }

    pub fn session(&self, code: &str) -> Value {
        let path = format!("{SESSIONS}/{code}");
        self.server.get(&path).json()["data"].take()
    }

    /// Waits until the engine's job is written down with the session.
    pub fn until_followed(&self, code: &str) {
        until(|| self.session(code)["engine_status"].is_string());
    }

    /// At most one model a session: exactly one where it ended well, and none without an end that
    /// says so.
    fn settle(&self) {
        let asked = self.asked.borrow();
        let sessions = asked
            .iter()
            .map(|(_, code)| code.as_ref().map(|code| self.session(code)));
        let sessions: Vec<_> = sessions.collect();
        let billed = (self.billed)();
        for ((number, code), session) in asked.iter().zip(&sessions) {
            let models = billed.iter().filter(|billed| *billed == number).count();
            let text = |name: &str| {
                let value = session.as_ref().and_then(|session| session[name].as_str());
                value.unwrap_or_default()
            };
            let elsewhere = usize::from(text("engine") != "sculpt");
            let fits = match text("session_status") {
                "complete" => models == elsewhere,
                "failed" => models <= elsewhere && text("status").ends_with("_failed"),
                // On its way, or deleted.
                _ if code.is_some() => models <= elsewhere,
                _ => models == 0,
            };
            assert!(
                fits,
                "picture {number} was billed {models} times: {session:?}"
            );
        }
        let is_known = |billed: &&u32| asked.iter().any(|(number, _)| number == *billed);
        let strangers = billed.iter().filter(|billed| !is_known(billed));
        assert_eq!(
            strangers.count(),
            0,
            "models were billed that nobody asked for"
        );
    }

    /// The secrets are in no answer, no log, and nowhere in the data.
    fn search(&self) {
        for (number, code) in self.asked.borrow().iter() {
            let Some(code) = code else { continue };
            let said = self.session(code).to_string();
            assert!(!said.contains(MARK), "a secret is in the answer: {number}");
            assert!(
                !said.contains("base64"),
                "a picture is in the answer: {said}"
            );
        }
        for path in [
            "/metrics",
            "/sandbox/requests",
            "/sandbox/engines",
            "/health",
        ] {
            let said = self.server.get(path).body;
            assert!(!String::from_utf8_lossy(&said).contains(MARK), "{path}");
        }
        for file in files(self.folder.path()) {
            let bytes = fs::read(&file).unwrap();
            let mark = MARK.as_bytes();
            let found = bytes.windows(mark.len()).any(|bytes| bytes == mark);
            assert!(!found, "a secret is in {}", file.display());
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.settle();
            self.search();
        }
    }
}

fn launch(flags: &[String], environment: &[(&'static str, String)], folder: &Path) -> Server {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let child = command()
        .args(["--port", "0"])
        .args(flags)
        .envs(environment.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    Server::of(child)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}
