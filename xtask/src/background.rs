//! Compilations beside other steps, which do not use both cores all the time.

use std::process::{Child, Command, Stdio};

use anyhow::Result;
use xshell::Shell;

/// A run of cargo in the background, which ends with this value.
///
/// The step that needs its result runs the same command: cargo locks the folder, so that command waits,
/// and reports the errors.
pub struct BackgroundCargo(Child);

impl BackgroundCargo {
    /// Starts cargo with these arguments.
    pub fn start(shell: &Shell, arguments: &[&str]) -> Result<Self> {
        let cargo = Command::new("cargo")
            .args(arguments)
            .current_dir(shell.current_dir())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(cargo))
    }
}

impl Drop for BackgroundCargo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
