//! The machine of the server: its process, which is killed, stopped and started again, and its disk.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::attackers;
use super::clients::KEYS;
use super::disk::Disk;
use super::engines::Engines;
use super::run::Run;
use crate::support::{Server, exchange, get};

/// How long the server is left alone between two faults, and how long its disk is full, in
/// milliseconds.
const PAUSE_MILLIS: std::ops::Range<u64> = 100..1800;
const FULL_MILLIS: std::ops::Range<u64> = 100..2000;
/// How long the server may need until it works again after a fault.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the server may take to stop. Requests for models are awaited for a second.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// The lines of the log that a failure shows.
const LOG_LINES: usize = 40;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Kill,
    Stop,
    FullDisk,
    KillOnFullDisk,
    StopOnFullDisk,
}

const FAULTS: [Fault; 8] = [
    Fault::Kill,
    Fault::Kill,
    Fault::Stop,
    Fault::Stop,
    Fault::FullDisk,
    Fault::FullDisk,
    Fault::KillOnFullDisk,
    Fault::StopOnFullDisk,
];

pub struct Machine {
    pub server: Server,
    disk: Disk,
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, &'static str)>,
    random: fastrand::Rng,
    starts: usize,
    /// The highest memory of the processes that have ended, in bytes.
    peak_memory: u64,
}

impl Machine {
    /// Starts the server with the paid engines.
    pub fn start(engines: &Engines, random: fastrand::Rng) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let clients = KEYS.iter().chain([&attackers::KEY]);
        let clients: String = clients
            .map(|(name, key)| format!("{name} {key}\n"))
            .collect();
        fs::write(path("clients"), clients).unwrap();
        fs::set_permissions(path("clients"), Permissions::from_mode(0o600)).unwrap();
        let config = format!("clients_file = {:?}\n{}", path("clients"), engines.config());
        fs::write(path("config.toml"), config).unwrap();
        fs::create_dir(path("data")).unwrap();
        let disk = Disk::new(&path("data"));
        let environment = engines.environment().collect::<Vec<_>>();
        Self {
            server: launch(&disk, folder.path(), &environment),
            disk,
            folder,
            environment,
            random,
            starts: 1,
            peak_memory: 0,
        }
    }

    pub fn host(&self) -> String {
        self.server.host.clone()
    }

    /// Returns how often the server was started.
    pub fn starts(&self) -> usize {
        self.starts
    }

    /// Returns the highest memory of all processes so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.peak_memory.max(self.server.peak_memory())
    }

    /// Makes the server and its disk fail. At the end both work.
    pub fn fail_at_random(&mut self, run: &Run) {
        while run.is_chaotic() {
            sleep(Duration::from_millis(self.random.u64(PAUSE_MILLIS)));
            let fault = FAULTS[self.random.usize(0..FAULTS.len())];
            if !matches!(fault, Fault::Kill | Fault::Stop) {
                self.disk.fill(&self.server, &mut self.random);
                sleep(Duration::from_millis(self.random.u64(FULL_MILLIS)));
            }
            self.peak_memory = self.peak_memory();
            match fault {
                Fault::Kill | Fault::KillOnFullDisk => self.server.kill(),
                Fault::Stop | Fault::StopOnFullDisk => self.stop(run),
                Fault::FullDisk => self.server.empty_disk(),
            }
            self.disk.empty();
            if fault == Fault::FullDisk {
                self.await_recovery(run);
            } else {
                self.server = launch(&self.disk, self.folder.path(), &self.environment);
                self.starts += 1;
                run.set_host(self.host());
            }
        }
    }

    /// Waits until the server works again without a restart. Returns whether it does.
    pub fn await_recovery(&self, run: &Run) -> bool {
        let start = Instant::now();
        let is_healthy = || {
            let response = exchange(&self.server.host, &get("/health"));
            response.is_some_and(|response| response.status == 200)
        };
        while !is_healthy() {
            if start.elapsed() > RECOVERY_TIMEOUT {
                run.check(false, || {
                    format!("/health is not 200 within {RECOVERY_TIMEOUT:?} after the last fault")
                });
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        true
    }

    /// Stops the server with SIGTERM.
    fn stop(&mut self, run: &Run) {
        let id = self.server.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status();
        assert!(status.unwrap().success());
        let start = Instant::now();
        let status = loop {
            match self.server.child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if start.elapsed() > STOP_TIMEOUT => break None,
                None => sleep(Duration::from_millis(10)),
            }
        };
        run.check(status.is_some_and(|status| status.success()), || {
            format!("the server did not stop at SIGTERM as it should: {status:?}")
        });
        if status.is_none() {
            self.server.kill();
        }
    }

    /// Returns the last lines that the server wrote to standard error.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(log_path(self.folder.path())).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn launch(disk: &Disk, folder: &Path, environment: &[(&'static str, &'static str)]) -> Server {
    let mut options = File::options();
    let log = options.create(true).append(true).open(log_path(folder));
    let child = disk
        .server_command()
        .args(["--port", "0", "--speed", "100", "--jobs", "1"])
        // Nobody is shut out by the sessions of another.
        .args(["--queue", "400", "--queue-each", "100"])
        .args(["--decode-mib", "128"])
        .arg("--config")
        .arg(folder.join("config.toml"))
        .arg("--data")
        .arg(folder.join("data"))
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(log.unwrap())
        .spawn()
        .unwrap();
    Server::from_child(child)
}
