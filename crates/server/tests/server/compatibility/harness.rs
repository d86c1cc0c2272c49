//! Copies of the fixtures.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;

use crate::support::{Server, command, openapi};

/// The keys of the clients `shop` and `app`.
pub const SHOP: &str = "shop-key-Zq84canary7d1f93";
pub const APP: &str = "app-key-Zq85canary7d1f93";

/// A folder in which the program runs.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Creates a folder with the files `clients`, `fal.key` and `meshy.key`.
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write_private("clients", &format!("shop {SHOP}\napp {APP}\n"));
        folder.write_private("fal.key", crate::emulators::hosted::KEY);
        folder.write_private("meshy.key", crate::emulators::hosted::KEY);
        folder
    }

    /// Creates a folder that holds the stored data in `data`.
    pub fn with_data() -> Self {
        let folder = Self::new();
        fs::create_dir(folder.path("data")).unwrap();
        let compressed = File::open(fixture("data-0.1.0.redb.gz")).unwrap();
        let mut file = File::create(folder.database()).unwrap();
        io::copy(&mut GzDecoder::new(compressed), &mut file).unwrap();
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("data/sessions.redb")
    }

    pub fn write_config(&self, config: &str) {
        fs::write(self.path("config.toml"), config).unwrap();
    }

    fn write_private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
    }

    /// Returns the command that runs the program in the folder.
    pub fn command(&self, flags: &[&str]) -> Command {
        let mut command = command();
        command
            .current_dir(self.0.path())
            .args(["--port", "0", "--speed", "100"])
            .args(flags);
        command
    }

    pub fn start_server(&self, flags: &[&str]) -> Server {
        let child = self
            .command(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Server::from_child(child.unwrap())
    }

    /// Starts a server with the stored data, which is older than the default of `--keep-days`.
    pub fn start_server_with_data(&self, flags: &[&str]) -> Server {
        let data = ["--data", "data", "--keep-days", "100000"];
        let server = self.start_server(&[&data, flags].concat());
        // Some of the sessions have simulated faults, whose responses are not described.
        openapi::remove_server(&server.host);
        server
    }
}

/// Returns the path of a fixture.
pub fn fixture(name: &str) -> PathBuf {
    let crate_folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_folder.join("tests/fixtures").join(name)
}
