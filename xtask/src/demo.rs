//! The demo page, the package and the API at one address.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{build, say};

pub fn demo(shell: &Shell, port: u16) -> Result<()> {
    build::build(shell)?;
    say("compiling the server");
    cmd!(
        shell,
        "cargo build --quiet --profile server --package csm-image-to-3d-server"
    )
    .quiet()
    .run()?;
    let port = port.to_string();
    eprintln!(
        "\n  Open http://localhost:{port}/ and drop a picture on the page. Ctrl+C ends it.\n"
    );
    cmd!(
        shell,
        "target/server/csm-image-to-3d-server --site dist --port {port}"
    )
    .quiet()
    .run()?;
    Ok(())
}
