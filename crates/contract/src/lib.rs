//! What both sides of the Image-to-3D API agree on: the parameters and their checks, the session,
//! and the envelope around every answer. No I/O, and no JSON library: the client reads the
//! browser's own values, the server those of `serde_json`, both through [`Value`].

#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "typescript"))]
extern crate std;

mod media_type;
mod parameters;
mod session;
mod value;

pub use media_type::{IMAGE_TYPES, sniff};
pub use parameters::{
    Creativity, IMAGE_URL, Parameters, PreviewMesh, RefineSpeed, Resolution, TEXTURE_RESOLUTIONS,
    Topology,
};
pub use session::{Envelope, KnownStatus, SESSIONS_PATH, SessionFields, SessionStatus, Spin};
pub use value::{Invalid, Value};
