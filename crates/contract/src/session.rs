//! The session, and the envelope in which it comes.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use tsify::Tsify;

/// Where sessions live below the API's base URL.
pub const SESSIONS_PATH: &str = "/image-to-3d-sessions";

/// The stages of a session that the API documents; later versions of it may answer others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
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

/// How a session is as a whole, which later versions of the API answer beside its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SessionStatus {
    Queued,
    InProgress,
    Complete,
    Failed,
}

/// One of the views that a `turbo` session offers to choose from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
pub struct Spin {
    /// Where the view can be fetched.
    pub image_url: String,
}

/// The fields of a session that the API documents.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
pub struct SessionFields {
    /// The record's id.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "_id")]
    pub id: Option<String>,
    /// Whose session it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The name by which the session is asked for: `SESSION_<digits>_<digits>`.
    pub session_code: String,
    /// Where the picture can be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// How far the session is: one of the documented words, or one that is newer than they are.
    #[cfg_attr(feature = "typescript", tsify(type = "KnownStatus | (string & {})"))]
    pub status: KnownStatus,
    /// How the session is as a whole. `"complete"` once all that was asked for is there; a
    /// refinement that is asked for later takes it back to `"in_progress"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "typescript",
        tsify(type = "SessionStatus | (string & {})", optional)
    )]
    pub session_status: Option<SessionStatus>,
    /// How much of all that was asked for is done, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent_done: Option<u8>,
    /// Why the session failed, where it did and a reason is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The views to choose from, once they exist; only with `preview_mesh: "turbo"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spins: Option<Vec<Spin>>,
    /// Where the preview can be fetched as binary glTF, once it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_mesh_url_glb: Option<String>,
    /// Where the finished model can be fetched as binary glTF, once it exists: the refined one, or
    /// the preview where the session is complete without a refinement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh_url_glb: Option<String>,
    /// The engine that makes the models, where the server names it; not one of the API's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What the engine waits for, in words, where it says so; not one of the API's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_status: Option<String>,
    /// The names of the parameters that were asked for and that the model does not honour; not one
    /// of the API's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<Vec<String>>,
    /// Where the session came from; `"external"` for one made through the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When the session was created, as an ISO 8601 date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When the session last changed, as an ISO 8601 date in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// What every answer of the API is wrapped in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// What went wrong; empty where nothing did.
    pub error: String,
    /// What was done, or why it was not.
    pub message: String,
    /// The HTTP status once more.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// The answer itself.
    pub data: T,
}
