//! Compiles the API and the cut-out network to WebAssembly, for pages and Node.js.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;
use base64_simd::STANDARD;
use xshell::{Shell, cmd};

use crate::background::BackgroundCargo;
use crate::console::step;
use crate::cutout_files::{self, content_hash};
use crate::tools;

/// A crate that is compiled for the sandbox.
struct Module {
    /// The path of the compiled wasm.
    compiled: &'static str,
    /// The name of the glue and of the wasm.
    name: &'static str,
}

const API: Module = Module {
    compiled: "target/wasm32-unknown-unknown/api-wasm/csm_image_to_3d_api_wasm.wasm",
    name: "sandbox",
};

const CUTOUT: Module = Module {
    compiled: "target/wasm32-unknown-unknown/api-wasm/csm_image_to_3d_cutout_wasm.wasm",
    name: "cutout",
};

/// Caches the glue and the optimised wasm until the next change.
const BUILT: &str = "target/api-wasm-package";

const COMPILE: [&str; 10] = [
    "build",
    "--quiet",
    "--package",
    "csm-image-to-3d-api-wasm",
    "--package",
    "csm-image-to-3d-cutout-wasm",
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

/// The folder of the modules and of the wasm.
const FOLDER: &str = "pkg/wasm";

/// Compiles the API for the package: its glue, the sources of its workers, and its wasm, once as a
/// separate file and once as a module that contains it. Compiles the cut-out network too, whose files
/// the sandbox downloads when it needs them. Returns the path of the separate wasm.
pub fn build(shell: &Shell) -> Result<String> {
    step("compiling the API to WebAssembly");
    cmd!(shell, "cargo {COMPILE...}").quiet().run()?;
    for module in [API, CUTOUT] {
        module.bind(shell)?;
    }
    shell.create_dir(FOLDER)?;
    for file in ["sandbox.js", "sandbox.d.ts", "cutout.d.ts"] {
        shell.copy_file(format!("{BUILT}/{file}"), FOLDER)?;
    }
    shell.write_file(format!("{FOLDER}/sandbox_workers.js"), workers(shell)?)?;
    cutout_files::write(shell, &CUTOUT.optimised())?;
    write_wasm(shell)
}

/// Writes the wasm of the API, and the two modules that contain or name it. Returns its path.
fn write_wasm(shell: &Shell) -> Result<String> {
    for file in shell.read_dir(FOLDER)? {
        // One with another hash in its name.
        let is_stale = |name: &str| name.starts_with("sandbox-") && name.ends_with(".wasm");
        if file
            .file_name()
            .and_then(OsStr::to_str)
            .is_some_and(is_stale)
        {
            shell.remove_path(file)?;
        }
    }
    let wasm = shell.read_binary_file(API.optimised())?;
    let name = format!("sandbox-{}.wasm", content_hash(&wasm));
    let path = format!("{FOLDER}/{name}");
    shell.write_file(&path, &wasm)?;
    let base64 = STANDARD.encode_to_string(&wasm);
    for (module, content) in [
        (
            "sandbox_inlined.js",
            format!("export const base64 =\n  \"{base64}\";\n"),
        ),
        (
            "sandbox_url.js",
            format!(
                "export const url = () => new URL(\"./{name}\", import.meta.url);\n\
                 export const size = {};\n",
                wasm.len()
            ),
        ),
    ] {
        shell.write_file(format!("{FOLDER}/{module}"), format!("{HEADER}{content}"))?;
    }
    Ok(path)
}

const HEADER: &str = "// Written by `cargo xtask build`, to be imported lazily.\n";

impl Module {
    /// The path of the optimised wasm.
    fn optimised(&self) -> String {
        format!("{BUILT}/{}-optimised.wasm", self.name)
    }

    /// Writes the glue and the optimised wasm, unless both are newer than the compiled one.
    fn bind(&self, shell: &Shell) -> Result<()> {
        let Self { compiled, name } = self;
        let optimised = self.optimised();
        if is_newer(&optimised, compiled) {
            return Ok(());
        }
        let flags = ["--target", "web", "--omit-default-module-path"];
        cmd!(
            shell,
            "wasm-bindgen {flags...} --out-name {name} --out-dir {BUILT} {compiled}"
        )
        .quiet()
        .run()?;
        cmd!(
            shell,
            "wasm-opt -O2 {BUILT}/{name}_bg.wasm --output {optimised}"
        )
        .quiet()
        .run()?;
        Ok(())
    }

    /// Returns the source of a worker: one module of the glue, scripts of `pkg/sandbox/`, and the call
    /// that starts it.
    fn worker(&self, shell: &Shell, scripts: &[&str], call: &str) -> Result<String> {
        let mut source = shell.read_file(format!("{BUILT}/{}.js", self.name))?;
        for script in scripts {
            source += "\n";
            source += &shell.read_file(format!("pkg/sandbox/{script}"))?;
        }
        Ok(serde_json::to_string(&format!("{source}\n{call}\n"))?)
    }
}

/// Returns the module with the sources of the workers.
fn workers(shell: &Shell) -> Result<String> {
    let worker = API.worker(
        shell,
        &["network.js", "worker.js"],
        "runWorker({ Api, initSync, resetInstance }, createNetwork);",
    )?;
    let network_worker = CUTOUT.worker(
        shell,
        &["network-worker.js"],
        "runNetworkWorker({ Network, initSync, takePanic });",
    )?;
    Ok(format!(
        "{HEADER}export const workerSource =\n  {worker};\n\
         export const networkWorkerSource =\n  {network_worker};\n"
    ))
}

fn is_newer(file: &str, than: &str) -> bool {
    let modified = |file: &str| Path::new(file).metadata().and_then(|data| data.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}
