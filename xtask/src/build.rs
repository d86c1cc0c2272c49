//! Writes the npm package to `pkg/` and the static site to `dist/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64_simd::STANDARD;
use fs_extra::dir::CopyOptions;
use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use crate::console::step;
use crate::{api_wasm, tools};

/// The workspace's version. The build writes it into the npm package, and cargo itself refuses a
/// crate whose version another's dependency does not allow.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn build(shell: &Shell) -> Result<()> {
    tools::ensure_build_tools(shell)?;
    package(shell)?;
    site(shell)?;
    step("the package is in pkg/, the static site in dist/");
    Ok(())
}

/// Compiles the library and the API, and completes the package's folder.
pub fn package(shell: &Shell) -> Result<()> {
    step("compiling the library to WebAssembly");
    wasm(shell, Path::new("pkg/wasm"), Profile::Release, &[])?;
    definitions(shell, Path::new("pkg/wasm"))?;
    api_wasm::build(shell)?;
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

/// How the wasm is compiled.
#[derive(Clone, Copy, PartialEq)]
pub enum Profile {
    /// Optimised, as published.
    Release,
    /// Not optimised.
    Dev,
}

/// The WebAssembly features that the published wasm uses.
const WASM_FEATURES: [&str; 8] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-sign-ext",
    "--enable-mutable-globals",
];

/// Compiles the library into a folder, and writes the modules that the package's entries import.
pub fn wasm(shell: &Shell, folder: &Path, profile: Profile, flags: &[&str]) -> Result<()> {
    let out = shell.current_dir().join(folder);
    // The folder may contain a file with another hash in its name.
    shell.remove_path(&out)?;
    let compiled = compile(shell, profile, flags)?;
    let flags = match profile {
        Profile::Release => &["--remove-name-section", "--remove-producers-section"][..],
        Profile::Dev => &[],
    };
    cmd!(
        shell,
        "wasm-bindgen --target web --omit-default-module-path --no-typescript --out-dir {out} {flags...} {compiled}"
    )
    .quiet()
    .run()?;
    bundle_shared(shell, &out)?;
    let file = out.join("csm_image_to_3d_bg.wasm");
    if profile == Profile::Release {
        cmd!(
            shell,
            "wasm-opt -Oz {WASM_FEATURES...} --strip-target-features {file} -o {file}"
        )
        .quiet()
        .run()?;
        let glue = out.join("csm_image_to_3d.js");
        cmd!(
            shell,
            "esbuild {glue} --minify --log-level=warning --allow-overwrite --outfile={glue}"
        )
        .quiet()
        .run()?;
    }
    for (name, module) in modules(shell, &out)? {
        let module = format!("// Written by `cargo xtask build`.\n{module}\n");
        shell.write_file(out.join(name), module)?;
    }
    Ok(())
}

/// Bundles the modules that the entries and the glue share, so that a page without a bundler loads one
/// file instead of seven, and lets the glue import that file.
fn bundle_shared(shell: &Shell, out: &Path) -> Result<()> {
    let shared = out.join("shared.js");
    // esbuild renames a class that refers to itself, and Node.js prints that name with its errors.
    cmd!(
        shell,
        "esbuild pkg/shared.js --bundle --format=esm --keep-names --log-level=warning --outfile={shared}"
    )
    .quiet()
    .run()?;
    // Its comments, and with them its types, are not in the bundle.
    shell.write_file(out.join("shared.d.ts"), "export * from \"../shared.js\";\n")?;
    let glue = out.join("csm_image_to_3d.js");
    let mut script = shell.read_file(&glue)?;
    for module in ["../error.js", "../panic.js", "../stage.js"] {
        script = script.replace(module, "./shared.js");
    }
    shell.write_file(glue, script)?;
    Ok(())
}

/// Writes the TypeScript definitions, by a build of their own: see the feature's description.
fn definitions(shell: &Shell, folder: &Path) -> Result<()> {
    // Without link-time optimisation the sections with the definitions of `contract` are missing:
    // the linker takes no object from its archive that nothing refers to.
    let compiled = compile(shell, Profile::Release, &["--features", "typescript"])?;
    let out = shell.current_dir().join("target/definitions");
    cmd!(
        shell,
        "wasm-bindgen --target web --omit-default-module-path --out-dir {out} {compiled}"
    )
    .quiet()
    .run()?;
    shell.copy_file(out.join("csm_image_to_3d.d.ts"), folder)?;
    Ok(())
}

/// Compiles the library as a cdylib alone: with an rlib beside it, cargo leaves link-time
/// optimisation out (+7.7 KB brotli).
fn compile(shell: &Shell, profile: Profile, flags: &[&str]) -> Result<PathBuf> {
    let (profile, folder) = match profile {
        Profile::Release => ("release", "release"),
        Profile::Dev => ("dev", "debug"),
    };
    let target = "wasm32-unknown-unknown";
    // A panic's message contains the path of its source file.
    let home = shell
        .var("CARGO_HOME")
        .or_else(|_| shell.var("HOME").map(|home| home + "/.cargo"))?;
    let remap = format!("target.{target}.rustflags=['--remap-path-prefix={home}/registry/src/=']");
    cmd!(
        shell,
        "cargo rustc --quiet --lib --crate-type cdylib --config {remap} --target {target} --profile {profile} {flags...}"
    )
    .quiet()
    .run()?;
    let file = format!("target/{target}/{folder}/csm_image_to_3d.wasm");
    Ok(shell.current_dir().join(file))
}

/// Renames the wasm to a name with its content's hash, so that it can be cached for ever, and returns
/// the modules that contain or name it: one for each entry of the package.
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

/// Writes the demo page and the package to `dist/`, for any static host.
pub fn site(shell: &Shell) -> Result<()> {
    let root = shell.current_dir();
    let dist = root.join("dist");
    shell.remove_path(&dist)?;
    shell.create_dir(&dist)?;
    let into = CopyOptions::new().content_only(true);
    fs_extra::dir::copy(root.join("www"), &dist, &into)?;
    for entry in ["index", "sandbox"] {
        for file in files(shell, entry)? {
            let copy = dist.join(&file);
            shell.create_dir(copy.parent().context("a file without a folder")?)?;
            shell.copy_file(root.join(file), copy)?;
        }
    }
    model_viewer(shell, &dist.join("model-viewer"))
}

/// Returns the files that an entry of the package imports, directly or not, as `pkg/…`. Writes them
/// to `target/files/<entry>.json` too, where `tests/package/size.test.js` reads them.
fn files(shell: &Shell, entry: &str) -> Result<Vec<String>> {
    let metafile = format!("target/files/{entry}.json");
    cmd!(
        shell,
        "esbuild pkg/{entry}.js --bundle --format=esm --log-level=warning --metafile={metafile} --outfile=target/files/{entry}.js"
    )
    .quiet()
    .run()?;
    let metafile: serde_json::Value = serde_json::from_str(&shell.read_file(metafile)?)?;
    let inputs = metafile["inputs"].as_object().context("no inputs")?;
    Ok(inputs.keys().cloned().collect())
}

/// Copies the model viewer and its decoders of compressed models, so that the page needs no other
/// origin.
fn model_viewer(shell: &Shell, into: &Path) -> Result<()> {
    let viewer = Path::new("node_modules/@google/model-viewer");
    let three = Path::new("node_modules/three");
    let script = shell.read_file(viewer.join("dist/model-viewer.min.js"))?;
    // The source map is larger than all the rest, and developer tools would fetch it.
    let script = script.split("//# sourceMappingURL=").next();
    shell.write_file(into.join("model-viewer.min.js"), script.unwrap_or_default())?;
    shell.copy_file(viewer.join("LICENSE"), into)?;
    // The viewer's script contains three.js.
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
