//! Serves the demo page, the package and the API at one address.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{build, server};

pub fn demo(
    shell: &Shell,
    port: u16,
    engine: Option<String>,
    config: Option<PathBuf>,
    server_options: &[String],
) -> Result<()> {
    build::build(shell)?;
    server::compile(shell)?;
    eprintln!(
        "\n  Open http://localhost:{port}/ and drop a picture on the page. Press Ctrl+C to stop.\n"
    );
    let port = port.to_string();
    let mut server = server::command(shell);
    server.args(["--site", "dist", "--port", &port]);
    if let Some(engine) = engine {
        server.args(["--engine", &engine]);
    }
    if let Some(config) = config {
        server.arg("--config").arg(config);
    }
    server.args(server_options);
    let status = server.status()?;
    ensure!(status.success(), "the server: {status}");
    Ok(())
}
