//! Compiles and starts the project's server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::background::BackgroundCargo;
use crate::console::step;

const PACKAGE: &str = "csm-image-to-3d-server";
const PROGRAM: &str = "target/debug/csm-image-to-3d-server";

/// In the profile of the tests, which optimises what decodes, encodes and makes models, and compiles
/// faster than the profile `server`.
const COMPILE: [&str; 4] = ["build", "--quiet", "--package", PACKAGE];

/// Starts to compile the server for the demo beside other steps.
pub fn start_compiling(shell: &Shell) -> Result<BackgroundCargo> {
    BackgroundCargo::start(shell, &COMPILE)
}

/// Compiles the server for the demo.
pub fn compile(shell: &Shell) -> Result<()> {
    cargo(shell, &COMPILE)
}

/// Compiles the server as operators do, to `target/server/`.
pub fn compile_optimised(shell: &Shell) -> Result<()> {
    cargo(
        shell,
        &[
            "build",
            "--quiet",
            "--profile",
            "server",
            "--package",
            PACKAGE,
        ],
    )
}

/// Compiles the server as the native tests do. Any other selection of packages unifies other
/// features, and compiles the dependencies a second time (2.5 minutes on two cores).
pub fn compile_for_tests(shell: &Shell) -> Result<()> {
    cargo(shell, &["test", "--quiet", "--workspace", "--no-run"])
}

fn cargo(shell: &Shell, arguments: &[&str]) -> Result<()> {
    step("compiling the server");
    cmd!(shell, "cargo {arguments...}").quiet().run()?;
    Ok(())
}

/// Returns the command that starts the server.
pub fn command(shell: &Shell) -> Command {
    let mut command = Command::new(shell.current_dir().join(PROGRAM));
    command.current_dir(shell.current_dir());
    command
}

/// A server process that is killed when this value is dropped.
pub struct RunningServer {
    child: Child,
    /// `http://127.0.0.1:<port>`
    pub origin: String,
}

impl RunningServer {
    /// Starts the server of the tests on a free port, and waits until it listens.
    ///
    /// Fails if the server exits before.
    pub fn start(shell: &Shell, flags: &[&str]) -> Result<Self> {
        let mut child = command(shell)
            .args(["--port", "0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child
            .stdout
            .take()
            .context("no standard output of the server")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let origin = line.trim().strip_prefix("listening on ");
        let origin = origin
            .with_context(|| format!("The server did not start: {line:?}"))?
            .to_owned();
        Ok(Self { child, origin })
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
