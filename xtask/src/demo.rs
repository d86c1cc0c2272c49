//! The demo page, the package and the API at one address.

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{build, server};

pub fn demo(shell: &Shell, port: u16) -> Result<()> {
    build::build(shell)?;
    server::compile(shell)?;
    eprintln!(
        "\n  Open http://localhost:{port}/ and drop a picture on the page. Ctrl+C ends it.\n"
    );
    let port = port.to_string();
    let status = server::command(shell)
        .args(["--site", "dist", "--port", &port])
        .status()?;
    ensure!(status.success(), "the server ended with {status}");
    Ok(())
}
