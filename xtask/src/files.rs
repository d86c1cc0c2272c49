//! Folders and hashes of files.

use std::path::Path;

use anyhow::Result;
use fs_extra::dir::CopyOptions;
use sha2::{Digest, Sha256};

/// Copies a folder to a path that does not exist.
pub fn copy_folder(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    fs_extra::dir::copy(from, to, &CopyOptions::new().copy_inside(true))?;
    Ok(())
}

/// Returns the SHA-256 of a file, in hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
