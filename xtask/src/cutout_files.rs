//! Writes the files of the cut-out network, which the sandbox downloads when it needs them.

use anyhow::Result;
use serde_json::json;
use xshell::Shell;

use crate::files::sha256;

/// The folder of the files.
pub const FOLDER: &str = "pkg/wasm/cutout";

/// The module with their names.
pub const NAMES: &str = "pkg/wasm/cutout_files.js";

const MODEL: &str = "crates/cutout/model";

/// Writes the wasm, the weights, and the licence of the weights to [`FOLDER`], and the module with their
/// names and URLs to [`NAMES`].
pub fn write(shell: &Shell, wasm: &str) -> Result<()> {
    // The folder may contain files with other hashes in their names.
    shell.remove_path(FOLDER)?;
    shell.create_dir(FOLDER)?;
    for file in ["LICENSE", "NOTICE"] {
        shell.copy_file(format!("{MODEL}/{file}"), FOLDER)?;
    }
    let module = add(shell, wasm, "cutout", "wasm")?;
    let weights = add(shell, &format!("{MODEL}/u2netp-f16.onnx"), "u2netp", "onnx")?;
    shell.write_file(NAMES, format!("{HEADER}{module}{weights}];\n"))?;
    Ok(())
}

const HEADER: &str = "// Written by `cargo xtask build`, to be imported lazily: `import.meta` is a syntax error in CommonJS.
/** The files of the cut-out network: their names, their sizes and the start of their SHA-256. */
export const files = [
";

/// Copies a file under a name with its content's hash, so that it can be cached for ever. Returns its
/// entry in the module.
fn add(shell: &Shell, from: &str, name: &str, extension: &str) -> Result<String> {
    let content = shell.read_binary_file(from)?;
    let hash = content_hash(&content);
    let name = format!("{name}-{hash}.{extension}");
    shell.write_file(format!("{FOLDER}/{name}"), &content)?;
    let size = content.len();
    Ok(format!(
        "  {{ name: {}, size: {size}, hash: {}, url: () => new URL(\"./cutout/{name}\", import.meta.url) }},\n",
        json!(name),
        json!(hash),
    ))
}

/// Returns the start of the SHA-256 of a file, in hexadecimal digits.
pub fn content_hash(content: &[u8]) -> String {
    let mut digits = sha256(content);
    digits.truncate(16);
    digits
}
