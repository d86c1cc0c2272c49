//! Serves the demo page, the package and the API at one address.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::console::step;
use crate::{build, server};

pub fn demo(
    shell: &Shell,
    port: u16,
    engine: Option<String>,
    config: Option<PathBuf>,
    server_options: &[String],
) -> Result<()> {
    let _compilation = server::start_compiling(shell)?;
    build::build_without_api(shell)?;
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
    let mut server = server.spawn()?;
    let path = shell.var_os("PATH").unwrap_or_default();
    let folder = shell.current_dir();
    // The page needs the API only for its choice "In this page", so it is compiled while the page is
    // used: it takes more than half as long as everything else.
    std::thread::spawn(move || {
        if let Err(error) = add_api(&folder, &path) {
            eprintln!("warning: the page cannot offer the API \"In this page\": {error:#}");
        }
    });
    let status = server.wait()?;
    ensure!(status.success(), "the server: {status}");
    Ok(())
}

fn add_api(folder: &Path, path: &OsStr) -> Result<()> {
    // A `Shell` belongs to one thread.
    let shell = Shell::new()?;
    shell.change_dir(folder);
    shell.set_var("PATH", path);
    build::add_api(&shell)?;
    step("the page offers the API \"In this page\", too");
    Ok(())
}
