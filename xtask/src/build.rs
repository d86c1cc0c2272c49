//! Writes the npm package to `pkg/` and the static site to `dist/`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use base64_simd::STANDARD;
use fs_extra::dir::CopyOptions;
use xshell::{Shell, cmd};

use crate::{say, tools};

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
    wasm(shell, Path::new("pkg/wasm"), Profile::Release, &[])?;
    definitions(shell, Path::new("pkg/wasm"))?;
    for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        shell.copy_file(file, "pkg")?;
    }
    Ok(())
}

/// How the wasm is compiled.
#[derive(Clone, Copy, PartialEq)]
pub enum Profile {
    /// Small and quick: as it is published.
    Release,
    /// Compiled in a moment.
    Dev,
}

/// What of WebAssembly the published wasm uses; all of it is in every browser of today.
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

/// Compiles the library into a folder, and puts the wasm into a module beside it: that is what
/// every bundler and runtime can import.
pub fn wasm(shell: &Shell, folder: &Path, profile: Profile, flags: &[&str]) -> Result<()> {
    let out = shell.current_dir().join(folder);
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
    let module = format!(
        "// Written by `cargo xtask build`: the wasm in base64, to be imported lazily.\n\
         export const base64 =\n  \"{}\";\n",
        STANDARD.encode_to_string(shell.read_binary_file(file)?)
    );
    shell.write_file(out.join("inlined.js"), module)?;
    Ok(())
}

/// Writes the TypeScript definitions, by a build of their own: see the feature's description.
fn definitions(shell: &Shell, folder: &Path) -> Result<()> {
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

/// Compiles the library as the one thing that the wasm is: with a Rust library beside it, as
/// `cargo build` makes it, link-time optimisation would be left out.
fn compile(shell: &Shell, profile: Profile, flags: &[&str]) -> Result<PathBuf> {
    let (profile, folder) = match profile {
        Profile::Release => ("release", "release"),
        Profile::Dev => ("dev", "debug"),
    };
    let target = "wasm32-unknown-unknown";
    // A panic names its place: not by the folders of whoever built it.
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

/// Puts the demo page and the package together in a folder that any static host can serve.
pub fn site(shell: &Shell) -> Result<()> {
    let root = shell.current_dir();
    let dist = root.join("dist");
    shell.remove_path(&dist)?;
    shell.create_dir(dist.join("pkg"))?;
    let into = CopyOptions::new().content_only(true);
    fs_extra::dir::copy(root.join("www"), &dist, &into)?;
    for file in ["index.js", "load.js", "error.js", "panic.js", "stage.js"] {
        shell.copy_file(root.join("pkg").join(file), dist.join("pkg"))?;
    }
    shell.create_dir(dist.join("pkg/wasm"))?;
    for file in ["csm_image_to_3d.js", "inlined.js"] {
        shell.copy_file(root.join("pkg/wasm").join(file), dist.join("pkg/wasm"))?;
    }
    Ok(())
}
