//! Makes a 3D model from an image: takes a decoded image and the API's parameters, returns files.
//! No I/O.
//!
//! The model is geometry from a contour, without a learned model: the part of the image that shows
//! the object ([`mask`]) is inflated where it is wide and cut off where it stands ([`surface`],
//! [`poisson`]). The image is projected onto its front, and the colors of the rim onto its back
//! ([`texture`], [`unwrap`]).

mod box_size;
mod contour;
mod convert;
mod error;
mod glb;
mod images;
#[cfg(feature = "import")]
mod import;
mod inset;
mod mask;
mod mesh;
mod planar_mesh;
mod poisson;
mod profile;
mod progress;
#[cfg(feature = "import")]
mod remove_background;
mod render;
mod request;
mod scalar_field;
mod sculpt;
mod shape;
mod silhouette;
mod surface;
mod texture;
mod unwrap;
mod views;

pub use convert::{ConvertError, Format, can_convert, convert};
pub use error::ModelError;
pub use glb::{GlbError, check_glb};
#[cfg(feature = "import")]
pub use import::{ImportedGlb, import_glb};
pub use mask::{
    Cutout, CutoutError, CutoutRequest, NoObjectError, SegmentError, Segmenter, check_mask,
    cut_out, network_input, prepare_network_input,
};
pub use progress::Progress;
#[cfg(feature = "import")]
pub use remove_background::remove_background;
pub use request::{Detail, ModelRequest, is_textured};
pub use sculpt::{render_views, sculpt};
pub use views::VIEW_COUNT;
