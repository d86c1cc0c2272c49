//! Compiles the API to WebAssembly, for pages and Node.js.

use std::path::Path;

use anyhow::Result;
use base64_simd::STANDARD;
use xshell::{Shell, cmd};

use crate::background::BackgroundCargo;
use crate::console::step;
use crate::tools;

const COMPILED: &str = "target/wasm32-unknown-unknown/api-wasm/csm_image_to_3d_api_wasm.wasm";
/// Caches the glue and the optimised wasm until the next change.
const BUILT: &str = "target/api-wasm-package";

const COMPILE: [&str; 8] = [
    "build",
    "--quiet",
    "--package",
    "csm-image-to-3d-api-wasm",
    "--target",
    "wasm32-unknown-unknown",
    "--profile",
    "api-wasm",
];

/// Starts to compile the API beside other steps: its link-time optimisation uses one core for 100 s.
pub fn start(shell: &Shell) -> Result<BackgroundCargo> {
    tools::ensure_toolchain(shell)?;
    BackgroundCargo::start(shell, &COMPILE)
}

/// Compiles the API for the package: its glue, and a module that contains the rest.
pub fn build(shell: &Shell) -> Result<()> {
    step("compiling the API to WebAssembly");
    cmd!(shell, "cargo {COMPILE...}").quiet().run()?;
    let optimised = format!("{BUILT}/optimised.wasm");
    if !is_newer(&optimised, COMPILED) {
        bind(shell, &optimised)?;
    }
    shell.create_dir("pkg/wasm")?;
    for file in ["sandbox.js", "sandbox.d.ts"] {
        shell.copy_file(format!("{BUILT}/{file}"), "pkg/wasm")?;
    }
    shell.write_file("pkg/wasm/sandbox_inlined.js", inlined(shell, &optimised)?)?;
    Ok(())
}

fn bind(shell: &Shell, optimised: &str) -> Result<()> {
    let flags = ["--target", "web", "--omit-default-module-path"];
    cmd!(
        shell,
        "wasm-bindgen {flags...} --out-name sandbox --out-dir {BUILT} {COMPILED}"
    )
    .quiet()
    .run()?;
    cmd!(
        shell,
        "wasm-opt -O2 {BUILT}/sandbox_bg.wasm --output {optimised}"
    )
    .quiet()
    .run()?;
    Ok(())
}

/// Returns the module with the wasm in base64 and the worker's source: one module of the glue,
/// `pkg/sandbox/worker.js`, and the call that starts it.
fn inlined(shell: &Shell, wasm: &str) -> Result<String> {
    let base64 = STANDARD.encode_to_string(shell.read_binary_file(wasm)?);
    let glue = shell.read_file(format!("{BUILT}/sandbox.js"))?;
    let worker = shell.read_file("pkg/sandbox/worker.js")?;
    let source = format!("{glue}\n{worker}\nrunWorker({{ Api, initSync, resetInstance }});\n");
    let source = serde_json::to_string(&source)?;
    Ok(format!(
        "// Written by `cargo xtask build`, to be imported lazily.\n\
         export const base64 =\n  \"{base64}\";\n\
         export const workerSource =\n  {source};\n"
    ))
}

fn is_newer(file: &str, than: &str) -> bool {
    let modified = |file: &str| Path::new(file).metadata().and_then(|data| data.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}
