//! Runs the benchmark in `bench/`, which compares the library with baselines.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{build, say, server, tools};

/// The options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// Measures for under a minute, and writes the results to target/bench/ instead of bench/.
    #[arg(long)]
    quick: bool,
    /// Runs one measurement only: upload, memory, main-thread, first-call, waiting, sculpting or
    /// server.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

pub fn bench(shell: &Shell, options: &Options) -> Result<()> {
    let browsers = tools::for_testing(shell)?;
    build::build(shell)?;
    server::compile(shell)?;
    say("compiling the baselines");
    cmd!(
        shell,
        "cargo build --quiet --profile server --package csm-image-to-3d-sculpt --example measure"
    )
    .quiet()
    .run()?;
    baselines(shell)?;
    say("measuring");
    let mut run = Command::new("node");
    run.arg("bench/run.js")
        .current_dir(shell.current_dir())
        .env("CHROMIUM", &browsers.chromium)
        .env("FIREFOX", &browsers.firefox);
    if options.quick {
        run.arg("--quick");
    }
    if let Some(name) = &options.only {
        run.args(["--only", name]);
    }
    let status = run.status()?;
    ensure!(status.success(), "the benchmark failed with {status}");
    Ok(())
}

/// Installs the JavaScript baselines, and compiles the one in Rust.
fn baselines(shell: &Shell) -> Result<()> {
    let _bench = shell.push_dir("bench");
    tools::npm(shell)?;
    let root = shell.current_dir().join("..");
    let out = root.join("target/bench-baseline-rust/pkg");
    let _target = shell.push_env("CARGO_TARGET_DIR", root.join("target/bench-baseline-rust"));
    let target = "wasm32-unknown-unknown";
    cmd!(
        shell,
        "cargo build --quiet --release --locked --target {target} --manifest-path baseline-rust/Cargo.toml"
    )
    .quiet()
    .run()?;
    let compiled = root.join(format!(
        "target/bench-baseline-rust/{target}/release/bench_baseline_rust.wasm"
    ));
    cmd!(
        shell,
        "wasm-bindgen --target web --out-dir {out} {compiled}"
    )
    .quiet()
    .run()?;
    Ok(())
}
