//! Measures the library against what its users would write instead: see `bench/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use crate::console::step;
use crate::{build, server, tools};

/// Selects the measurements and their length.
#[derive(Args)]
pub struct Options {
    /// Measures for less than a minute, and writes to target/bench/ instead of bench/.
    #[arg(long)]
    quick: bool,
    /// Runs one measurement, named as its file in bench/: upload, memory, main-thread, first-call,
    /// prepare, waiting, sculpting, cutout, shapes, server or server-cost.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Compares with another build instead: the `pkg/` of another commit, built and copied. Runs upload,
    /// memory, main-thread and first-call, and writes to target/bench/.
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// Also compares the server with another build of it: measures server-cost.
    #[arg(long, value_name = "FILE")]
    server_baseline: Option<PathBuf>,
}

/// Measures. `caller_folder` is what the paths in the options are relative to.
pub fn bench(shell: &Shell, options: &Options, caller_folder: &Path) -> Result<()> {
    let browsers = tools::ensure_test_tools(shell)?;
    build::build(shell)?;
    step("compiling the receiver of the uploads");
    cmd!(
        shell,
        "cargo build --quiet --profile server --package bench-receiver"
    )
    .quiet()
    .run()?;
    if options.baseline.is_none() {
        server::compile_optimised(shell)?;
        step("compiling the baselines");
        cmd!(
            shell,
            "cargo build --quiet --profile server --package csm-image-to-3d-sculpt --package csm-image-to-3d-cutout --examples"
        )
        .quiet()
        .run()?;
        baselines(shell)?;
    }
    step("measuring");
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
    if let Some(folder) = &options.baseline {
        run.arg("--baseline").arg(caller_folder.join(folder));
    }
    if let Some(program) = &options.server_baseline {
        run.arg("--server-baseline")
            .arg(caller_folder.join(program));
    }
    let status = run.status()?;
    ensure!(status.success(), "bench/run.js: {status}");
    Ok(())
}

/// Installs and compiles the baselines: packages of the npm registry, and one in Rust.
fn baselines(shell: &Shell) -> Result<()> {
    let _bench = shell.push_dir("bench");
    tools::npm_ci(shell)?;
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
