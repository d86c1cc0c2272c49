//! The API keys of remote engines.

use std::path::Path;

use anyhow::bail;

use crate::private_file::read_private;

/// An API key. It has no `Debug` and no `Display`, so that it is not printed by mistake.
#[derive(Clone)]
pub struct ApiKey {
    /// The text before the key in the header: `Bearer ` or `Key `.
    scheme: &'static str,
    secret: String,
}

impl ApiKey {
    /// Returns the key from the environment variable or else from `file`. Returns `None` if there is
    /// neither.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is accessible to other users, or if the key is invalid.
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
            bail!("The key in {variable} or key_file must be printable ASCII without spaces");
        }
        Ok(Some(Self { scheme, secret }))
    }

    /// Returns the message for a missing key.
    pub fn missing(variable: &str) -> String {
        format!("no API key; set {variable} in the environment, or name a file in key_file")
    }

    /// Returns the value of the `Authorization` header.
    pub fn header_value(&self) -> String {
        format!("{}{}", self.scheme, self.secret)
    }

    /// Removes the key from a text.
    pub fn redact(&self, text: &str) -> String {
        // A response may repeat one part of a key that has the form `id:secret`.
        let parts = self.secret.split(':').filter(|part| part.len() >= 8);
        let text = text.replace(&self.secret, "…");
        parts.fold(text, |text, part| text.replace(part, "…"))
    }
}
