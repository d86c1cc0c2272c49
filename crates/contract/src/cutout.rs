//! How the object of an image is separated from its background: an extension of this project's server.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use strum::{EnumString, VariantNames};
#[cfg(feature = "typescript")]
use tsify::Tsify;

/// The name of the parameter with a [`CutoutChoice`].
pub const CUTOUT: &str = "cutout";

/// The name of the parameter with a mask of the caller's own.
pub const MASK_URL: &str = "mask_url";

/// How the caller wants the object to be separated from its background: the parameter `cutout`. An
/// extension of this project's server.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames,
)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CutoutChoice {
    /// By the transparency of the image if it has any, else by the network, else by the background.
    #[default]
    Auto,
    /// Not at all: the model shows the whole image, without its transparent parts.
    Keep,
    /// By the segmentation network. The session fails if the network is not available.
    Network,
    /// By the colors of the image's border.
    Background,
}

/// How the object of an image was separated from its background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CutoutMethod {
    /// By the transparency of the image.
    Alpha,
    /// By the mask that the caller sent.
    Mask,
    /// By the segmentation network.
    Network,
    /// By the colors of the image's border.
    Background,
    /// Not at all: the caller chose to keep the whole image, or all of it has the same color.
    None,
}

/// The kind of model that a cut-out becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CutoutShape {
    /// A solid object.
    Object,
    /// A relief of the whole image, in which no object stands out.
    Relief,
}

/// What was cut out of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct CutoutReport {
    /// How the object was separated from its background.
    pub method: CutoutMethod,
    /// The part of the image that the model shows, from 0 to 1.
    #[serde(serialize_with = "serialize_part")]
    pub coverage: f32,
    /// The part of the image where the network is sure, from 0 to 1: at least 0.78 for an object.
    /// Missing with other methods.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_optional_part"
    )]
    pub confidence: Option<f32>,
    /// The kind of the model.
    pub shape: CutoutShape,
}

/// Writes four decimals, more than are significant. Without, 0.3 becomes 0.30000001192092896 in JSON.
fn serialize_part<S: Serializer>(part: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    const SCALE: f64 = 10_000.0;
    serializer.serialize_f64((f64::from(*part) * SCALE).round() / SCALE)
}

fn serialize_optional_part<S: Serializer>(
    part: &Option<f32>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match part {
        Some(part) => serialize_part(part, serializer),
        None => serializer.serialize_none(),
    }
}
