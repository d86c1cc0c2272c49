//! Why a model cannot be converted.

use crate::glb::GlbError;

/// Why a model cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The file is not a valid GLB file.
    #[error(transparent)]
    Glb(#[from] GlbError),
    /// The file requires an extension that packs its triangles.
    #[error("the model requires the extension {0}, which this conversion does not support")]
    UnsupportedExtension(String),
    /// The file has no triangles that can be read.
    #[error("the model has no readable triangles")]
    NoTriangles,
    /// A triangle refers to a vertex that the file does not have.
    #[error("a triangle of the model refers to a vertex that does not exist")]
    MissingVertex,
    /// The ZIP archive cannot be written.
    #[error("the ZIP archive cannot be written")]
    Zip {
        /// The writer's message.
        detail: String,
    },
}

impl From<zip::result::ZipError> for ConvertError {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Zip {
            detail: error.to_string(),
        }
    }
}
