//! The kinds of shape that a model can have: an extension of this project's server.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantNames};
#[cfg(feature = "typescript")]
use tsify::Tsify;

/// The name of the parameter with a [`ShapeChoice`].
pub const SHAPE: &str = "shape";

/// The kind of shape that the caller wants: the parameter `shape`. An extension of this project's
/// server.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames,
)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ShapeChoice {
    /// The kind that the image suggests.
    #[default]
    Auto,
    /// Inflated: the wider a part, the thicker.
    Round,
    /// A surface of revolution about an upright axis: a bottle, a can, a ball.
    Revolved,
    /// Flat in front and behind, with an upright side and a bevel: a logo, an icon, letters.
    Extruded,
    /// A plate: the brighter the image, the higher.
    Relief,
}

/// The kind of shape that a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModelShape {
    /// Inflated: the wider a part, the thicker.
    Round,
    /// A surface of revolution about an upright axis.
    Revolved,
    /// Flat in front and behind, with an upright side and a bevel.
    Extruded,
    /// A plate: the brighter the image, the higher.
    Relief,
}
