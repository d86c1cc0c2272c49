//! Whether bytes are a whole GLB file.

/// Why bytes cannot be read as a binary glTF 2.0 file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlbError {
    /// The file ends early: the rest may still arrive.
    #[error("the model file is incomplete")]
    Truncated,
    /// The file has another format: its name with an article.
    #[error("the model file is {0}, not a GLB")]
    WrongFormat(&'static str),
    /// The file has this version of glTF, and not 2.
    #[error("the model file is glTF {0}: expected glTF 2")]
    Version(u32),
    /// There are this many bytes after the end that the header names.
    #[error("the model file has {0} bytes after its end")]
    TrailingBytes(usize),
    /// The file's chunks or its JSON are invalid.
    #[error("the model file is not valid glTF")]
    Invalid {
        /// The parser's message.
        detail: String,
    },
}

impl GlbError {
    /// An invalid file, with the message of a parser or writer as the detail.
    pub(crate) fn invalid(error: impl ToString) -> Self {
        Self::Invalid {
            detail: error.to_string(),
        }
    }
}

/// Checks by the header alone whether bytes are a whole binary glTF 2.0 file.
///
/// # Errors
/// Returns [`GlbError::Truncated`] for the beginning of such a file, also for no bytes at all.
/// Fails if the bytes are in another format, of another version or longer than their header says.
pub fn check_glb(bytes: &[u8]) -> Result<(), GlbError> {
    let wrong = |format| Err(GlbError::WrongFormat(format));
    if bytes.starts_with(b"PK") {
        return wrong("a ZIP archive");
    }
    if bytes.starts_with(b"Kaydara") {
        return wrong("an FBX file");
    }
    if bytes.len() < 4 && b"glTF".starts_with(bytes) {
        return Err(GlbError::Truncated);
    }
    if !bytes.starts_with(b"glTF") {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]);
        let mut lines = start.lines();
        let obj = ["v ", "vn ", "vt ", "f ", "o ", "g ", "mtllib ", "# "];
        return match start.trim_start().chars().next() {
            Some('{') => wrong("JSON"),
            Some('<') => wrong("HTML or XML"),
            _ if lines.any(|line| obj.iter().any(|word| line.starts_with(word))) => {
                wrong("an OBJ file")
            }
            _ => wrong("in an unknown format"),
        };
    }
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    match (number(4), number(8).map(|length| length as usize)) {
        (Some(2), Some(length)) if length == bytes.len() => Ok(()),
        (Some(2), Some(length)) if length < bytes.len() => {
            Err(GlbError::TrailingBytes(bytes.len() - length))
        }
        (Some(2) | None, _) => Err(GlbError::Truncated),
        (Some(version), _) => Err(GlbError::Version(version)),
    }
}
