//! The input of a model.

use contract::{Parameters, PreviewMesh};
use image::DynamicImage;

use crate::mask::Cutout;

/// The image and the parameters of a model.
#[derive(Clone, Copy, Debug)]
pub struct ModelRequest<'a> {
    /// The image, upright.
    pub image: &'a DynamicImage,
    /// The part of the image that becomes the model.
    pub cutout: &'a Cutout,
    /// The parameters; those left out have the defaults that the API documents. `creativity` and
    /// `refine_speed` have no effect.
    pub parameters: &'a Parameters,
    /// How many faces the model has.
    pub detail: Detail,
    /// Which of the [`crate::render_views`] faces +z, counted from 0. 0 is the image's own.
    pub view: usize,
}

/// How many faces a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// About 20,000 faces, or 300 with `"low_poly"`.
    Preview,
    /// About 60,000 faces, or 600 with `"low_poly"`.
    Refined,
}

/// Whether the model has a texture: on request, and always with `"turbo"`, where the API ignores
/// `generate_texture`.
pub fn is_textured(parameters: &Parameters) -> bool {
    parameters.generate_texture == Some(true) || parameters.preview_mesh == Some(PreviewMesh::Turbo)
}
