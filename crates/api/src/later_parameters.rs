//! The parameters of the API's last version, which are no part of its documented contract.

use serde_json::Value;

/// The names of the parameters.
pub const NAMES: [&str; 5] = [
    "geometry_model",
    "manual_segmentation",
    "preserve_aspect_ratio",
    "symmetry",
    "texture_model",
];

/// What the parameters of the API's last version ask for.
#[derive(Default)]
pub struct LaterParameters {
    /// The names of the parameters that have no effect.
    pub unsupported: Vec<String>,
    /// Whether a texture is requested, if `texture_model` tells.
    pub is_textured: Option<bool>,
}

impl LaterParameters {
    /// Adds a parameter of a session with this bounding box.
    pub fn add(&mut self, name: &str, value: &Value, bounding_box: BoundingBox) {
        let text = value.as_str();
        let is_off = *value == false || matches!(text, Some("" | "none" | "off"));
        let has_effect = match (name, text) {
            ("texture_model", Some("none")) => {
                self.is_textured = Some(false);
                true
            }
            ("texture_model", Some("baked")) => {
                self.is_textured = Some(true);
                true
            }
            // Textured, but with one texture only: that of the colors.
            ("texture_model", Some("pbr")) => {
                self.is_textured = Some(true);
                false
            }
            ("geometry_model", Some("base")) => true,
            // Without a bounding box every model keeps its proportions.
            ("preserve_aspect_ratio", _) => is_off || bounding_box == BoundingBox::Automatic,
            ("manual_segmentation" | "symmetry", _) => is_off,
            _ => false,
        };
        if !has_effect {
            self.unsupported.push(name.to_owned());
        }
    }
}

/// Whether a caller orders the edges of the model's bounding box.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BoundingBox {
    /// The model keeps its proportions.
    Automatic,
    /// At least one edge is ordered.
    Ordered,
}
