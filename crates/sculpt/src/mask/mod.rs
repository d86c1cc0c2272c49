//! Which part of an image becomes the model.

mod background;
mod components;
mod crop;
mod cut_out;
mod fill_holes;
mod guided_filter;
mod network;
pub mod oklab;
mod pixel_grid;
mod segmenter;

pub use crop::{ImageRect, crop};
pub use cut_out::{
    Cutout, CutoutError, CutoutRequest, NoObjectError, check_mask, cut_out, prepare_network_input,
};
pub use network::network_input;
pub use segmenter::{SegmentError, Segmenter};
