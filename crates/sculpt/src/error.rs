//! Why there is no model.

use crate::glb::EncodeError;
use crate::mask::{CutoutError, NoObjectError};

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The caller cancelled the work.
    #[error("Cancelled")]
    Cancelled,
    /// No model can be made: a message for the end user.
    #[error("{0}")]
    Failed(String),
}

impl From<String> for ModelError {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<NoObjectError> for ModelError {
    fn from(error: NoObjectError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<CutoutError> for ModelError {
    fn from(error: CutoutError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<EncodeError> for ModelError {
    fn from(error: EncodeError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// For images that this crate makes itself: the encoder's message stays out of the sentence.
impl From<image::ImageError> for ModelError {
    fn from(_: image::ImageError) -> Self {
        Self::Failed("The model's texture or view cannot be written as an image".into())
    }
}
