//! A picture becomes a model: a decoded picture and the API's parameters in, files out. No I/O.
//!
//! What stands here for now is the simplest model that shows the picture: a slab.

mod glb;
mod slab;
mod spin;

use contract::{Parameters, PreviewMesh};
use image::{ColorType, DynamicImage};

pub use spin::{SPINS, spin};

/// The files of a model, each whole.
#[derive(Clone, Debug)]
pub struct Files {
    /// Binary glTF 2.0 (`model/gltf-binary`), one unit long at most unless `scaled_bbox` says
    /// otherwise.
    pub glb: Vec<u8>,
}

/// Makes the model of a picture.
///
/// The parameters that have an effect: `generate_texture` (with `"turbo"`, where the API says that
/// it does not apply, the model always has its texture), `texture_resolution`, `scaled_bbox` and
/// `pivot_point`. What is left out is as the API documents its defaults.
///
/// # Errors
/// Why there can be no such model, in words.
pub fn sculpt(picture: &DynamicImage, parameters: &Parameters) -> Result<Files, String> {
    let parameters = parameters.or_defaults();
    let size = slab::size(picture.width(), picture.height(), parameters.scaled_bbox)?;
    let pivot = parameters.pivot_point.unwrap_or_default();
    let textured = parameters.generate_texture == Some(true)
        || parameters.preview_mesh == Some(PreviewMesh::Turbo);
    let texture = match parameters.texture_resolution {
        Some(edge) if textured => Some(texture(picture, edge)?),
        _ => None,
    };
    let glb = slab::write(size, pivot, texture.as_deref())?;
    Ok(Files { glb })
}

/// The picture as a PNG, `edge` pixels long at most.
fn texture(picture: &DynamicImage, edge: u32) -> Result<Vec<u8>, String> {
    // Never enlarged: that adds bytes and shows nothing new.
    if picture.width().max(picture.height()) <= edge {
        return png(picture);
    }
    png(&picture.thumbnail(edge, edge))
}

/// A picture as a PNG file of 8 bits a channel.
///
/// # Errors
/// Why it cannot be written, in words.
pub fn png(picture: &DynamicImage) -> Result<Vec<u8>, String> {
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};

    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Sub);
    let written = match picture.color() {
        ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8 => picture.write_with_encoder(encoder),
        // Viewers need not read more bits than 8.
        _ => DynamicImage::from(picture.to_rgba8()).write_with_encoder(encoder),
    };
    written.map_err(|error| error.to_string())?;
    Ok(png)
}
