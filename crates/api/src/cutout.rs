//! The cutout of a session: what the caller chose, and what was made.

use contract::{CutoutChoice, CutoutReport, ModelShape, ShapeChoice};
use serde::{Deserialize, Serialize};

/// The cutout in the record of a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CutoutRecord {
    /// What the caller chose.
    pub choice: CutoutChoice,
    /// The kind of shape that the caller chose.
    pub shape_choice: ShapeChoice,
    /// The size of the caller's mask; 0 if there is none.
    pub mask_bytes: u64,
    /// What was cut out; `None` before the first stage is done.
    pub report: Option<CutoutReport>,
    /// The kind of shape of the built-in engine's model; `None` before the first stage is done, and in
    /// records of earlier versions.
    pub shape: Option<ModelShape>,
    /// The size of the file with the cutout.
    pub file_bytes: u64,
}

impl CutoutRecord {
    /// Returns whether the caller has chosen more than the default.
    pub fn is_requested(&self) -> bool {
        self.mask_bytes > 0
            || matches!(
                self.choice,
                CutoutChoice::Network | CutoutChoice::Background
            )
    }
}
