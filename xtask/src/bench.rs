//! The library measured beside what its users would write instead: see `bench/`.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{build, say, server, tools};

/// What is measured, and how thoroughly.
#[derive(Args)]
pub struct What {
    /// A look in under a minute, written to target/bench/ and not to bench/.
    #[arg(long)]
    quick: bool,
    /// One measurement alone, named as its file in bench/: upload, memory, main-thread, first-call,
    /// waiting, sculpting or server.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

pub fn bench(shell: &Shell, what: &What) -> Result<()> {
    let browsers = tools::for_testing(shell)?;
    build::build(shell)?;
    server::compile(shell)?;
    say("compiling what it is measured against");
    cmd!(
        shell,
        "cargo build --quiet --profile server --package csm-image-to-3d-sculpt --example measure"
    )
    .quiet()
    .run()?;
    opponents(shell)?;
    say("measuring");
    let mut run = Command::new("node");
    run.arg("bench/run.js")
        .current_dir(shell.current_dir())
        .env("CHROMIUM", &browsers.chromium)
        .env("FIREFOX", &browsers.firefox);
    if what.quick {
        run.arg("--quick");
    }
    if let Some(name) = &what.only {
        run.args(["--only", name]);
    }
    let status = run.status()?;
    ensure!(status.success(), "the measuring ended with {status}");
    Ok(())
}

/// What would be written instead: from the npm registry, and in Rust.
fn opponents(shell: &Shell) -> Result<()> {
    let _bench = shell.push_dir("bench");
    tools::npm(shell)?;
    let root = shell.current_dir().join("..");
    let out = root.join("target/bench-opponent/pkg");
    let _target = shell.push_env("CARGO_TARGET_DIR", root.join("target/bench-opponent"));
    let target = "wasm32-unknown-unknown";
    cmd!(
        shell,
        "cargo build --quiet --release --locked --target {target} --manifest-path opponent/Cargo.toml"
    )
    .quiet()
    .run()?;
    let compiled = root.join(format!(
        "target/bench-opponent/{target}/release/bench_opponent.wasm"
    ));
    cmd!(
        shell,
        "wasm-bindgen --target web --out-dir {out} {compiled}"
    )
    .quiet()
    .run()?;
    Ok(())
}
