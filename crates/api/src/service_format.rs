//! The model files that a remote engine's service delivers beside the GLB file.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A format of a service's files. Its name is the suffix of the session's fields and of file names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum ServiceFormat {
    Fbx,
    Obj,
    Usdz,
    #[serde(rename = "3mf")]
    #[strum(serialize = "3mf")]
    ThreeMf,
}

impl ServiceFormat {
    /// All formats.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A model file of a service, which is offered as the service made it.
pub struct ServiceFile {
    /// The format.
    pub format: ServiceFormat,
    /// The file.
    pub bytes: Vec<u8>,
}
