//! Shared definitions of the client and the server of the Image-to-3D API: the parameters and their
//! validation, the session, the response envelope, media types and error messages.
//!
//! The crate does no I/O and depends on no JSON parser: the validation reads the browser's values
//! and those of `serde_json` through the trait [`Value`].

mod cutout;
mod image_format;
mod message;
mod parameters;
mod session;
mod shape;
mod value;

pub use cutout::{CUTOUT, CutoutChoice, CutoutMethod, CutoutReport, CutoutShape, MASK_URL};
pub use image_format::{ImageFormat, Support, UnrecognizedFormat};
pub use message::{Invalid, MAX_QUOTED_CHARS, Missing, one_of, one_of_quoted, quote};
pub use parameters::{
    AUTOMATIC_EDGE, Creativity, IMAGE_URL, Parameters, PreviewMesh, RefineSpeed, Resolution,
    TEXTURE_RESOLUTIONS, Topology,
};
pub use session::{
    CostUnit, Envelope, ImageErrorCode, KnownStatus, SESSIONS_PATH, SessionCost, SessionCutout,
    SessionFields, SessionStatus, Spin,
};
pub use shape::{ModelShape, SHAPE, ShapeChoice};
pub use value::{MAX_ITEMS, Value, describe_array};
