//! Files that hold secrets.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// Reads a file that holds secrets.
///
/// # Errors
/// Fails if the file cannot be read or, on Unix, if users other than its owner have access to it.
pub fn read_private(file: &Path) -> anyhow::Result<String> {
    let path = file.display();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(file).with_context(|| format!("Cannot read {path}"))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            bail!("{path} is accessible to other users; run `chmod 600 {path}`");
        }
    }
    fs::read_to_string(file).with_context(|| format!("Cannot read {path}"))
}
