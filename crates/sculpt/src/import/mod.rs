//! Models that somebody else made: what they are, and how the API's parameters come to them.

mod accessor;
mod container;
mod place;
mod primitive;
mod simplify;
mod strip;
mod textures;

use contract::{Parameters, Resolution, Topology};
use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbaImage};

pub use container::{GlbError, check_glb};

use crate::{TURNS, VIEW_COUNT, is_textured, mask};
use container::Glb;

/// A binary glTF file that was made elsewhere, with what was asked for done to it.
pub struct ImportedGlb {
    /// The file.
    pub glb: Vec<u8>,
    /// The names of the parameters that were asked for and could not be done to it.
    pub unsupported: Vec<&'static str>,
}

/// Gives a foreign model what the parameters ask for: its place and size (`scaled_bbox`,
/// `pivot_point`, and the chosen `view`), textures no longer than `texture_resolution`, neither
/// textures nor materials where none are asked for, and few faces with `low_poly`.
///
/// # Errors
/// The file cannot be read, in words.
pub fn import_glb(
    glb: &[u8],
    parameters: &Parameters,
    view: usize,
) -> Result<ImportedGlb, GlbError> {
    let mut file = Glb::read(glb)?;
    let asked = parameters.or_defaults();
    let mut unsupported = Vec::new();
    if is_textured(parameters) {
        if !textures::has_look(&file) {
            unsupported.push("generate_texture");
        }
        let edge = asked.texture_resolution.unwrap_or(u32::MAX);
        let limited = textures::limit(&mut file, edge);
        // No detail is added to a texture that has less.
        let asked = parameters.texture_resolution;
        if !limited || asked.is_some_and(|asked| textures::longest(&file) < asked) {
            unsupported.push("texture_resolution");
        }
    } else {
        strip::materials(&mut file);
    }
    // The box is that of the faces that are left.
    if asked.resolution == Some(Resolution::LowPoly) && !simplify::simplify(&mut file) {
        unsupported.push("resolution");
    }
    let placed = place::place(
        &mut file,
        TURNS[view % VIEW_COUNT],
        asked.scaled_bbox,
        asked.pivot_point.unwrap_or_default(),
    );
    if !placed {
        let asked = [
            ("scaled_bbox", asked.scaled_bbox.is_some()),
            ("pivot_point", parameters.pivot_point.is_some()),
        ];
        unsupported.extend(asked.iter().filter(|(_, is)| *is).map(|(name, _)| *name));
    }
    if asked.topology == Some(Topology::Quads) {
        unsupported.push("topology");
    }
    Ok(ImportedGlb {
        glb: file.write()?,
        unsupported,
    })
}

/// The picture, `edge` pixels long at most, with what does not belong to the object transparent.
/// Where nothing stands out it is whole.
///
/// # Errors
/// There is nothing in it, in words.
pub fn remove_background(picture: &DynamicImage, edge: u32) -> Result<RgbaImage, String> {
    let picture = picture.to_rgba8();
    let mask = mask::find(&picture)?;
    let mut small = match picture.width().max(picture.height()) <= edge {
        true => picture,
        false => {
            let (width, height) = scaled(picture.dimensions(), edge);
            imageops::resize(&picture, width, height, FilterType::Triangle)
        }
    };
    let (width, height) = small.dimensions();
    let coverage = mask.coverage.resized(width as usize, height as usize);
    for (x, y, pixel) in small.enumerate_pixels_mut() {
        let covered = (255.0 * coverage.at(x as usize, y as usize)) as u8;
        pixel[3] = pixel[3].min(covered);
    }
    Ok(small)
}

/// A size with the same proportions whose longer edge is this.
fn scaled((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height)).max(1);
    let scaled = |length: u32| ((u64::from(length) * u64::from(edge) / longer) as u32).max(1);
    (scaled(width), scaled(height))
}
