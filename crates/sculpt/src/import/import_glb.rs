//! The steps from the file of a remote engine to a session's model.

use contract::{Parameters, Resolution, Topology};
use glam::DVec3;

use super::bounding_box::{Placement, fit_bounding_box};
use super::remove_materials::remove_materials;
use super::simplify::simplify;
use super::textures;
use crate::box_size::BoxSize;
use crate::glb::{Glb, GlbError};
use crate::request::is_textured;
use crate::views::rotation;

/// A model from a remote engine after the parameters were applied to it.
#[derive(Debug)]
pub struct ImportedGlb {
    /// The binary glTF 2.0 file.
    pub glb: Vec<u8>,
    /// The names of the requested parameters that could not be applied.
    pub unsupported: Vec<&'static str>,
}

/// Applies the parameters to a GLB file: rotates it to the chosen `view` (counted from 0), sets its
/// size and origin (`scaled_bbox`, `pivot_point`), shrinks its textures to `texture_resolution`,
/// removes textures and materials unless they are requested, and reduces the faces for `low_poly`.
///
/// # Errors
/// Fails if the bytes are not a GLB file.
pub fn import_glb(
    glb: &[u8],
    parameters: &Parameters,
    view: usize,
) -> Result<ImportedGlb, GlbError> {
    let mut file = Glb::read(glb)?;
    let with_defaults = parameters.or_defaults();
    let mut unsupported = Vec::new();
    if is_textured(parameters) {
        if !textures::has_colors(&file) {
            unsupported.push("generate_texture");
        }
        let max_edge = with_defaults.texture_resolution.unwrap_or(u32::MAX);
        let is_limited = textures::limit(&mut file, max_edge);
        // A texture with less detail than requested cannot be given more.
        let requested = parameters.texture_resolution;
        if !is_limited || requested.is_some_and(|edge| textures::longest_edge(&file) < edge) {
            unsupported.push("texture_resolution");
        }
    } else {
        remove_materials(&mut file);
    }
    // Before the bounding box is computed: it is that of the faces that are left.
    if with_defaults.resolution == Some(Resolution::LowPoly) && !simplify(&mut file) {
        unsupported.push("resolution");
    }
    let is_placed = fit_bounding_box(
        &mut file,
        &Placement {
            rotation: rotation(view),
            size: BoxSize::new(parameters),
            pivot: DVec3::from(parameters.pivot_point.unwrap_or_default()),
        },
    );
    if !is_placed {
        let requested = [
            ("scaled_bbox", !parameters.has_automatic_size()),
            ("pivot_point", parameters.pivot_point.is_some()),
        ];
        let requested = requested.iter().filter(|(_, is_requested)| *is_requested);
        unsupported.extend(requested.map(|(name, _)| *name));
    }
    if with_defaults.topology == Some(Topology::Quads) {
        unsupported.push("topology");
    }
    Ok(ImportedGlb {
        glb: file.write()?,
        unsupported,
    })
}
