//! Keys of engines, and where they may come from.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// A secret that is shown to nobody.
#[derive(Clone)]
pub struct Key {
    /// What stands before the secret in the header: `Bearer `, or `Key `.
    scheme: &'static str,
    secret: String,
}

impl Key {
    /// The key from the environment, or else from a file that nobody but its owner can read; `None`
    /// where there is neither.
    ///
    /// # Errors
    /// The file cannot be read, or others can read it.
    pub fn find(
        scheme: &'static str,
        variable: &str,
        file: Option<&Path>,
    ) -> anyhow::Result<Option<Self>> {
        let secret = match (std::env::var(variable), file) {
            (Ok(secret), _) if !secret.trim().is_empty() => secret,
            (_, Some(file)) => read_private(file)?,
            _ => return Ok(None),
        };
        let secret = secret.trim().to_owned();
        if secret.is_empty() || !secret.chars().all(|letter| letter.is_ascii_graphic()) {
            bail!("the key in {variable}, or its file, holds what no key holds");
        }
        Ok(Some(Self { scheme, secret }))
    }

    /// What is said where [`find`](Self::find) finds none.
    pub fn missing(variable: &str) -> String {
        format!("no key; put it into the environment as {variable}, or name a file in `key_file`")
    }

    /// The header's value.
    pub fn reveal(&self) -> String {
        format!("{}{}", self.scheme, self.secret)
    }

    /// The text without the key.
    pub fn removed_from(&self, text: &str) -> String {
        // A key of two parts may be repeated in part.
        let parts = self.secret.split(':').filter(|part| part.len() >= 8);
        let text = text.replace(&self.secret, "…");
        parts.fold(text, |text, part| text.replace(part, "…"))
    }
}

/// The text of a file that holds secrets.
///
/// # Errors
/// It cannot be read, or others than its owner can read it too.
pub fn read_private(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let metadata = fs::metadata(file).with_context(|| format!("cannot read {shown}"))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("{shown} can be read by others; `chmod 600 {shown}` makes it yours alone");
        }
    }
    let _ = metadata;
    fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))
}
