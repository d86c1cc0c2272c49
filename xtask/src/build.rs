//! Writes the npm package to `pkg/` and the static site to `dist/`.

use std::path::Path;

use anyhow::{Context, Result};
use base64_simd::STANDARD;
use fs_extra::dir::CopyOptions;
use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use crate::release::VERSION;
use crate::{page, say, tools};

pub fn build(shell: &Shell) -> Result<()> {
    tools::for_building(shell)?;
    package(shell)?;
    site(shell)?;
    say("the package is in pkg/, the static site in dist/");
    Ok(())
}

/// Compiles the library and completes the package's folder.
pub fn package(shell: &Shell) -> Result<()> {
    say("compiling the library to WebAssembly");
    wasm_pack(shell, Path::new("pkg/wasm"), "--release", &[])?;
    page::build(shell)?;
    for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        shell.copy_file(file, "pkg")?;
    }
    set_version(shell)
}

/// Writes the workspace's version into the npm package.
fn set_version(shell: &Shell) -> Result<()> {
    let manifest = "pkg/package.json";
    let old = shell.read_file(manifest)?;
    let lines = old
        .lines()
        .map(|line| match line.starts_with("  \"version\": ") {
            true => format!("  \"version\": \"{VERSION}\",\n"),
            false => format!("{line}\n"),
        });
    let new: String = lines.collect();
    if new != old {
        shell.write_file(manifest, new)?;
    }
    Ok(())
}

/// Compiles the library into a folder, and puts beside the wasm what the package's entries import.
pub fn wasm_pack(shell: &Shell, folder: &Path, profile: &str, flags: &[&str]) -> Result<()> {
    let out = shell.current_dir().join(folder);
    // A file with an earlier hash in its name would stay.
    shell.remove_path(&out)?;
    cmd!(
        shell,
        "wasm-pack --log-level warn build {profile} --target web --no-pack --mode no-install --out-dir {out} . {flags...}"
    )
    .quiet()
    .ignore_stderr()
    .run()
    .context("wasm-pack failed; the same command without --log-level says more")?;
    for (name, module) in modules(shell, &out)? {
        let module = format!("// Written by `cargo xtask build`.\n{module}\n");
        shell.write_file(out.join(name), module)?;
    }
    // wasm-pack hides its output from git, and npm would take that for its own list. The types are
    // those of the wasm's own exports, which nobody calls.
    for name in [".gitignore", "csm_image_to_3d_bg.wasm.d.ts"] {
        shell.remove_path(out.join(name))?;
    }
    Ok(())
}

/// Gives the wasm a name that changes with its content, so that it can be cached for ever, and
/// answers the modules that hold or name it: one for each way in which it gets into an app.
fn modules(shell: &Shell, out: &Path) -> Result<[(&'static str, String); 3]> {
    let original = out.join("csm_image_to_3d_bg.wasm");
    let wasm = shell.read_binary_file(&original)?;
    let hash: String = Sha256::digest(&wasm)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("csm_image_to_3d-{hash}.wasm");
    std::fs::rename(original, out.join(&name))?;
    let base64 = STANDARD.encode_to_string(wasm);
    Ok([
        (
            "inlined.js",
            format!("export const base64 =\n  \"{base64}\";"),
        ),
        (
            "url.js",
            format!("export const url = () => new URL(\"./{name}\", import.meta.url);"),
        ),
        (
            "module.js",
            format!(
                "// @ts-expect-error a runtime that can import it has its own types for it\n\
                 export {{ default as module }} from \"./{name}\";"
            ),
        ),
    ])
}

/// Puts the demo page and the package together in a folder that any static host can serve.
pub fn site(shell: &Shell) -> Result<()> {
    let root = shell.current_dir();
    let dist = root.join("dist");
    shell.remove_path(&dist)?;
    shell.create_dir(dist.join("pkg"))?;
    let into = CopyOptions::new().content_only(true);
    fs_extra::dir::copy(root.join("www"), &dist, &into)?;
    for file in [
        "index.js",
        "functions.js",
        "bytes.js",
        "load.js",
        "error.js",
        "stage.js",
        "sandbox.js",
    ] {
        shell.copy_file(root.join("pkg").join(file), dist.join("pkg"))?;
    }
    fs_extra::dir::copy(
        root.join("pkg/sandbox"),
        dist.join("pkg"),
        &CopyOptions::new(),
    )?;
    shell.create_dir(dist.join("pkg/wasm"))?;
    for file in [
        "csm_image_to_3d.js",
        "inlined.js",
        "sandbox.js",
        "sandbox_inlined.js",
    ] {
        shell.copy_file(root.join("pkg/wasm").join(file), dist.join("pkg/wasm"))?;
    }
    model_viewer(shell, &dist.join("model-viewer"))
}

/// Puts the viewer of the models into a folder, with the decoders of compressed ones, so that the
/// page needs no other origin.
fn model_viewer(shell: &Shell, into: &Path) -> Result<()> {
    let viewer = Path::new("node_modules/@google/model-viewer");
    let three = Path::new("node_modules/three");
    let script = shell.read_file(viewer.join("dist/model-viewer.min.js"))?;
    // Its map is larger than all the rest, and a browser would ask for it.
    let script = script.split("//# sourceMappingURL=").next();
    shell.write_file(into.join("model-viewer.min.js"), script.unwrap_or_default())?;
    shell.copy_file(viewer.join("LICENSE"), into)?;
    // The viewer's script holds three.js too.
    shell.copy_file(three.join("LICENSE"), into.join("LICENSE-three"))?;
    for (folder, files) in [
        (
            "draco/gltf",
            ["draco_wasm_wrapper.js", "draco_decoder.wasm"],
        ),
        ("basis", ["basis_transcoder.js", "basis_transcoder.wasm"]),
    ] {
        let from = three.join("examples/jsm/libs").join(folder);
        let to = shell.create_dir(into.join(folder))?;
        for file in files {
            shell.copy_file(from.join(file), &to)?;
        }
    }
    Ok(())
}
