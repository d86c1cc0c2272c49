//! Which part of an image becomes the model.

mod background;
mod components;
mod crop;
mod detect;
mod fill_holes;
mod oklab;
mod pixel_grid;

pub use crop::{ImageRect, crop};
pub use detect::{NoObjectError, Subject, detect};
