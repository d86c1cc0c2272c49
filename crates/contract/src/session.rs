//! The session and the response envelope.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::EnumString;
#[cfg(feature = "typescript")]
use tsify::Tsify;

use crate::cutout::CutoutReport;
use crate::shape::ModelShape;

/// The path of the sessions, relative to the API's base URL.
pub const SESSIONS_PATH: &str = "/image-to-3d-sessions";

/// The values of `status` that the API documents; later versions of the API may return others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum KnownStatus {
    SpinGenerateProcessing,
    SpinGenerateDone,
    SpinGenerateFailed,
    TrainingPreview,
    PreviewDone,
    PreviewFailed,
    TrainingRefine,
    RefineDone,
    RefineFailed,
}

/// The overall state of a session, which later versions of the API return in addition to `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SessionStatus {
    Queued,
    InProgress,
    Complete,
    Failed,
}

/// One of the views that a `turbo` session offers for selection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Spin {
    /// The URL of the view.
    pub image_url: String,
}

/// What was cut out of a session's image. An extension of this project's server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SessionCutout {
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub report: CutoutReport,
    /// The URL of the mask: a grayscale PNG with a longest edge of at most 512 pixels, in which white is
    /// the object.
    pub mask_url: String,
}

/// What a service has charged for a session's model. An extension of this project's server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SessionCost {
    /// The number of units.
    pub amount: f64,
    /// The unit in which the service counts.
    pub unit: CostUnit,
}

/// The unit in which a service counts what it charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CostUnit {
    /// The service's credits.
    Credits,
    /// The billable units of the model, whose price is on the model's page.
    BillableUnits,
}

/// The fields of a session that the API documents.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SessionFields {
    /// The record's id.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "_id")]
    pub id: Option<String>,
    /// The id of the session's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The session's code, which all calls for this session take: `SESSION_<digits>_<digits>`.
    pub session_code: String,
    /// The URL of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// The stage of the session and its state: a documented value, or a newer one.
    #[cfg_attr(feature = "typescript", tsify(type = "KnownStatus | (string & {})"))]
    pub status: KnownStatus,
    /// The overall state of the session. `"complete"` once all requested results exist; a later
    /// request for a refinement returns it to `"in_progress"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "typescript",
        tsify(type = "SessionStatus | (string & {})", optional)
    )]
    pub session_status: Option<SessionStatus>,
    /// The progress of all requested results, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(max = 100)))]
    pub percent_done: Option<u8>,
    /// The reason of the failure, if the session failed and the server knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The views for selection, once they exist; only with `preview_mesh: "turbo"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spins: Option<Vec<Spin>>,
    /// The URL of the preview as binary glTF, once it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_mesh_url_glb: Option<String>,
    /// The URL of the final model as binary glTF, once it exists: the refined model, or the preview
    /// if the session completed without a refinement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh_url_glb: Option<String>,
    /// The engine that generates the models. An extension of this project's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub engine: Option<String>,
    /// The engine's own status text. An extension of this project's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub engine_status: Option<String>,
    /// The names of the requested parameters that the engine ignores. An extension of this
    /// project's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub unsupported: Option<Vec<String>>,
    /// What was cut out of the image, once the first result exists. An extension of this project's
    /// server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub cutout: Option<SessionCutout>,
    /// The kind of shape of the model, once the first one exists; only from the built-in engine. An
    /// extension of this project's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub shape: Option<ModelShape>,
    /// What the engine's service has charged for the model, if it tells. An extension of this project's
    /// server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub cost: Option<SessionCost>,
    /// The origin of the session; `"external"` if it was created through the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The time of creation, as an ISO 8601 date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The time of the last change, as an ISO 8601 date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// The JSON object that wraps every response of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "{T}Response"))]
pub struct Envelope<T> {
    /// The error; empty on success.
    pub error: String,
    /// A description of the result or of the error.
    pub message: String,
    /// The HTTP status of the response.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// Why an image was rejected, for programs. An extension of this project's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-extension" = true)))]
    pub code: Option<ImageErrorCode>,
    /// The payload.
    pub data: T,
}

/// Why an image was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImageErrorCode {
    /// The file is empty, damaged, or of a format or kind that the server does not read.
    UnsupportedImage,
    /// The image has too many pixels, or decoding it needs too much memory.
    ImageTooLarge,
}
