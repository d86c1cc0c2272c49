//! A server of the project's own, for as long as it is needed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::say;

const PROGRAM: &str = "target/server/csm-image-to-3d-server";
/// The one that `cargo test` compiles.
const TESTED: &str = "target/debug/csm-image-to-3d-server";

/// Compiles the server.
pub fn compile(shell: &Shell) -> Result<()> {
    say("compiling the server");
    cmd!(
        shell,
        "cargo build --quiet --profile server --package csm-image-to-3d-server"
    )
    .quiet()
    .run()?;
    Ok(())
}

/// Compiles the server as the native tests do, so that it is there already where they ran: any other
/// choice of what is compiled has other features, and compiles the dependencies anew.
pub fn compile_for_tests(shell: &Shell) -> Result<()> {
    say("compiling the server");
    cmd!(shell, "cargo test --quiet --workspace --no-run")
        .quiet()
        .run()?;
    Ok(())
}

/// The command that starts the server.
pub fn command(shell: &Shell) -> Command {
    start(shell, PROGRAM)
}

fn start(shell: &Shell, program: &str) -> Command {
    let mut command = Command::new(shell.current_dir().join(program));
    command.current_dir(shell.current_dir());
    command
}

/// A server that ends with this value.
pub struct Running {
    child: Child,
    /// `http://127.0.0.1:<port>`
    pub origin: String,
}

impl Running {
    /// Starts the server of the tests on a port that is free, and waits until it listens.
    pub fn start(shell: &Shell, flags: &[&str]) -> Result<Self> {
        let mut child = start(shell, TESTED)
            .args(["--port", "0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let origin = line.trim().strip_prefix("listening on ");
        let origin = origin
            .with_context(|| format!("the server did not start: {line}"))?
            .to_owned();
        Ok(Self { child, origin })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
