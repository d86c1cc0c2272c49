//! Writes the npm package to `pkg/` and the static site to `dist/`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64_simd::STANDARD;
use fs_extra::dir::CopyOptions;
use regex::{Captures, Regex};
use serde::Deserialize;
use xshell::{Shell, cmd};

use crate::console::step;
use crate::cutout_files::{self, content_hash};
use crate::files::copy_folder;
use crate::{api_wasm, openapi, reference, tools};

/// The workspace's version. The build writes it into the npm package, and cargo itself refuses a
/// crate whose version another's dependency does not allow.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folder of everything that is generated from the library.
const LIBRARY: &str = "pkg/wasm";

pub fn build(shell: &Shell) -> Result<()> {
    build_without_api(shell)?;
    add_api(shell)?;
    reference::write(shell)?;
    step("the package is in pkg/, the static site in dist/");
    Ok(())
}

/// Writes the package and the site without the API in the page, which takes longer to compile than
/// everything else. If it was compiled before, that one stays in the package.
pub fn build_without_api(shell: &Shell) -> Result<()> {
    tools::ensure_build_tools(shell)?;
    library_package(shell)?;
    site(shell)
}

/// Adds the API in the page to the package and to the site.
pub fn add_api(shell: &Shell) -> Result<()> {
    let wasm = api_wasm::build(shell)?;
    // The page loads the second one, the tests and the benchmarks of the default entry the first one.
    for entry in ["sandbox", "sandbox/external"] {
        copy_to_site(shell, entry)?;
    }
    let root = shell.current_dir();
    shell.copy_file(&wasm, root.join("dist").join(&wasm))?;
    let folder = root.join("dist").join(cutout_files::FOLDER);
    shell.remove_path(&folder)?;
    copy_folder(root.join(cutout_files::FOLDER), &folder)
}

/// Writes the package without the site.
pub fn package(shell: &Shell) -> Result<()> {
    library_package(shell)?;
    api_wasm::build(shell)?;
    Ok(())
}

/// Compiles the library, and completes the package's folder.
fn library_package(shell: &Shell) -> Result<()> {
    step("compiling the library to WebAssembly");
    library(shell)?;
    for file in ["CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        shell.copy_file(file, "pkg")?;
    }
    openapi::copy_to_package(shell)?;
    let readme = absolute_links(&shell.read_file("README.md")?)?;
    shell.write_file("pkg/README.md", readme)?;
    set_version(shell)
}

/// Returns a document of the repository whose relative links lead to GitHub, because their files are not
/// in the package.
fn absolute_links(markdown: &str) -> Result<String> {
    const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
    let link = Regex::new(r"(!?)\[([^\]]*)\]\(([^):#]+)(#[^)]*)?\)")?;
    let absolute = link.replace_all(markdown, |parts: &Captures| {
        let [mark, text, path] = [1, 2, 3].map(|part| &parts[part]);
        let form = if mark.is_empty() { "blob" } else { "raw" };
        let anchor = parts.get(4).map_or("", |anchor| anchor.as_str());
        format!("{mark}[{text}]({REPOSITORY}/{form}/main/{path}{anchor})")
    });
    Ok(absolute.into_owned())
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

/// Compiles the library with wasm-pack, which writes the glue and the TypeScript definitions too, and
/// writes the modules that the package's entries import.
fn library(shell: &Shell) -> Result<()> {
    let out = shell.current_dir().join(LIBRARY);
    // The folder may contain a file with another hash in its name.
    shell.remove_path(&out)?;
    // A panic's message contains the path of its source file.
    let home = shell
        .var("CARGO_HOME")
        .or_else(|_| shell.var("HOME").map(|home| home + "/.cargo"))?;
    let remap = format!(
        "target.wasm32-unknown-unknown.rustflags=['--remap-path-prefix={home}/registry/src/=']"
    );
    let flags = ["--target", "web", "--mode", "no-install", "--no-pack"];
    cmd!(
        shell,
        "wasm-pack --quiet build {flags...} --out-dir {out} . --config {remap}"
    )
    .quiet()
    .run()?;
    // npm would leave out what it lists: everything.
    shell.remove_path(out.join(".gitignore"))?;
    // Of no use without the glue.
    shell.remove_path(out.join("csm_image_to_3d_bg.wasm.d.ts"))?;
    shorten_names(shell, &out)?;
    bundle_shared(shell, &out)?;
    bundle_preparation(shell, &out)?;
    for (name, module) in modules(shell, &out)? {
        let module = format!("// Written by `cargo xtask build`.\n{module}\n");
        shell.write_file(out.join(name), module)?;
    }
    Ok(())
}

/// Gives short names to what the wasm imports from the glue and exports to it, and minifies the glue.
/// The names of wasm-bindgen contain hashes, which no compression shortens: 2.0 KB of the wasm and 1.8
/// KB of the glue after brotli. Optimises the wasm a second time, which saves another 0.3 KB.
fn shorten_names(shell: &Shell, out: &Path) -> Result<()> {
    let wasm = out.join("csm_image_to_3d_bg.wasm");
    let names = cmd!(
        shell,
        "wasm-opt {wasm} -Oz --minify-imports-and-exports-and-modules --strip-target-features -o {wasm}"
    )
    .quiet()
    .read()?;
    let names: ShortNames = serde_json::from_str(&names)?;
    let imports = names.imports.into_iter();
    let imports = imports.map(|(module, name, short)| {
        ensure!(module == GLUE_MODULE, "imported from {module}: {name}");
        Ok((name, short))
    });
    let imports: Vec<(String, String)> = imports.collect::<Result<_>>()?;
    let short: BTreeMap<String, String> = imports.into_iter().chain(names.exports).collect();
    let pattern = short.keys().map(|name| regex::escape(name));
    let pattern = format!("^({})$", pattern.collect::<Vec<_>>().join("|"));
    let cache = "target/short-names.json";
    shell.write_file(cache, serde_json::to_string(&short)?)?;

    let glue = out.join("csm_image_to_3d.js");
    let script = shell.read_file(&glue)?;
    shell.write_file(&glue, script.replace(GLUE_MODULE, SHORT_MODULE))?;
    minify(
        shell,
        &glue,
        &glue,
        &[
            &format!("--mangle-props={pattern}"),
            &format!("--mangle-cache={cache}"),
        ],
    )
}

/// The module of the wasm's imports in the glue of wasm-bindgen, and after the shortening.
const GLUE_MODULE: &str = "./csm_image_to_3d_bg.js";
const SHORT_MODULE: &str = "a";

/// The output of wasm-opt's pass.
#[derive(Deserialize)]
struct ShortNames {
    /// The module, the name and the short name of each import.
    imports: Vec<(String, String, String)>,
    /// The name and the short name of each export.
    exports: Vec<(String, String)>,
}

/// Bundles the modules that the entries and the glue share, so that a page without a bundler loads one
/// file instead of eight: the first call takes 1.2 to 1.4 times as long as that of a build without any
/// such modules, instead of 1.9 to 2.2 times.
fn bundle_shared(shell: &Shell, out: &Path) -> Result<()> {
    let flags = ["--bundle", "--format=esm"];
    minify(
        shell,
        Path::new("pkg/shared.js"),
        &out.join("shared.js"),
        &flags,
    )?;
    // Its comments, and with them its types, are not in the bundle.
    shell.write_file(out.join("shared.d.ts"), "export * from \"../shared.js\";\n")?;
    Ok(())
}

/// Bundles the module that prepares images. It contains the source of its worker, because only some
/// bundlers support a worker in a file of its own.
fn bundle_preparation(shell: &Shell, out: &Path) -> Result<()> {
    let worker = Path::new("target/prepare-worker.js");
    let flags = ["--bundle", "--format=iife"];
    minify(shell, Path::new("pkg/prepare/worker.js"), worker, &flags)?;
    let source = serde_json::to_string(&shell.read_file(worker)?)?;
    let define = format!("--define:globalThis.WORKER_SOURCE={source}");
    minify(
        shell,
        Path::new("pkg/prepare.js"),
        &out.join("prepare.js"),
        &[
            "--bundle",
            "--format=esm",
            "--external:./wasm/shared.js",
            &define,
        ],
    )?;
    // The bundle is in the same folder as the modules that it shares with the entries.
    let bundle = out.join("prepare.js");
    let script = shell.read_file(&bundle)?;
    shell.write_file(bundle, script.replace("./wasm/shared.js", "./shared.js"))?;
    // Its comments, and with them its types, are not in the bundle.
    shell.write_file(
        out.join("prepare.d.ts"),
        "export * from \"../prepare.js\";\n",
    )?;
    Ok(())
}

/// Minifies a script. Node.js prints the line of an uncaught error: with a limit, an error of the glue
/// takes 1.2 kB instead of 17 kB, for 126 bytes after brotli.
fn minify(shell: &Shell, from: &Path, to: &Path, flags: &[&str]) -> Result<()> {
    let limits = [
        "--minify",
        "--line-limit=200",
        "--log-level=warning",
        "--allow-overwrite",
    ];
    cmd!(
        shell,
        "esbuild {from} {limits...} {flags...} --outfile={to}"
    )
    .quiet()
    .run()?;
    Ok(())
}

/// Renames the wasm to a name with its content's hash, so that it can be cached for ever, and returns
/// the modules that contain or name it: one for each entry of the package.
fn modules(shell: &Shell, out: &Path) -> Result<[(&'static str, String); 3]> {
    let original = out.join("csm_image_to_3d_bg.wasm");
    let wasm = shell.read_binary_file(&original)?;
    let hash = content_hash(&wasm);
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

/// Writes the demo page and the library to `dist/`, for any static host.
fn site(shell: &Shell) -> Result<()> {
    let root = shell.current_dir();
    let dist = root.join("dist");
    shell.remove_path(&dist)?;
    shell.create_dir(&dist)?;
    let into = CopyOptions::new().content_only(true);
    fs_extra::dir::copy(root.join("www"), &dist, &into)?;
    copy_to_site(shell, "index")?;
    shell.copy_file("pkg/THIRD_PARTY_NOTICES.md", dist.join("pkg"))?;
    openapi::copy_to_site(shell, &dist)?;
    model_viewer(shell, &dist.join("model-viewer"))
}

/// Copies an entry of the package and the files that it imports to `dist/`.
fn copy_to_site(shell: &Shell, entry: &str) -> Result<()> {
    let root = shell.current_dir();
    for file in files(shell, entry)? {
        let copy = root.join("dist").join(&file);
        shell.create_dir(copy.parent().context("a file without a folder")?)?;
        shell.copy_file(root.join(file), copy)?;
    }
    Ok(())
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
    // The viewer's script contains the other packages; see www/THIRD_PARTY_NOTICES.md.
    for (package, licence) in [
        ("@google/model-viewer", "LICENSE"),
        ("three", "LICENSE-three"),
        ("lit", "LICENSE-lit"),
        ("@monogrid/gainmap-js", "LICENSE-gainmap-js"),
    ] {
        let from = Path::new("node_modules").join(package).join("LICENSE");
        shell.copy_file(from, into.join(licence))?;
    }
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
