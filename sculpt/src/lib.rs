//! A picture becomes a model: a decoded picture and the API's parameters in, files out. No I/O.
//!
//! What stands here for now is the simplest model that shows the picture: a slab.

mod glb;
mod slab;

use std::ops::ControlFlow;

use contract::{Parameters, PreviewMesh};
use image::{ColorType, DynamicImage};

/// What a model is to be made of, and how.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The picture, upright.
    pub picture: &'a DynamicImage,
    /// What is left out is as the API documents its defaults.
    pub parameters: &'a Parameters,
    /// How fine the model becomes.
    pub detail: Detail,
    /// Which of the [`views`] looks towards +z, counted from 0; 0 is the picture's own.
    pub view: usize,
}

/// How fine a model becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Soon there.
    Preview,
    /// Finer than the preview.
    Refined,
}

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nobody wants it any more.
    Cancelled,
    /// There can be none, and why, in words.
    Because(String),
}

/// Told how much is done, from 0 to 1; a break cancels the work.
pub type Progress<'a> = dyn FnMut(f32) -> ControlFlow<()> + 'a;

/// As many views as a `turbo` session offers to choose from.
pub const VIEWS: usize = 4;

/// Makes the model: a binary glTF 2.0 file (`model/gltf-binary`).
///
/// # Errors
/// There can be no such model, or nobody wants it any more.
pub fn sculpt(order: &Order, progress: &mut Progress) -> Result<Vec<u8>, Stopped> {
    if progress(0.0).is_break() {
        return Err(Stopped::Cancelled);
    }
    let parameters = order.parameters.or_defaults();
    let picture = turned(order.picture, order.view);
    let made = slab::size(picture.width(), picture.height(), parameters.scaled_bbox);
    let size = made.map_err(Stopped::Because)?;
    let pivot = parameters.pivot_point.unwrap_or_default();
    let textured = parameters.generate_texture == Some(true)
        || parameters.preview_mesh == Some(PreviewMesh::Turbo);
    let texture = match parameters.texture_resolution {
        Some(edge) if textured => Some(texture(&picture, edge).map_err(Stopped::Because)?),
        _ => None,
    };
    slab::write(size, pivot, texture.as_deref()).map_err(Stopped::Because)
}

/// The views of the model to choose from, as PNG files.
///
/// # Errors
/// As those of [`sculpt`].
pub fn views(
    picture: &DynamicImage,
    _parameters: &Parameters,
    _progress: &mut Progress,
) -> Result<[Vec<u8>; VIEWS], Stopped> {
    let mut views = [const { Vec::new() }; VIEWS];
    for (view, png_file) in views.iter_mut().enumerate() {
        *png_file = png(&turned(picture, view)).map_err(Stopped::Because)?;
    }
    Ok(views)
}

/// What a model is offered as beside GLB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Wavefront OBJ alone, with neither material nor texture.
    Obj,
    /// A zip of OBJ, MTL and texture.
    Zip,
    /// STL in millimetres, standing on the x-y plane's side: z points up.
    Stl,
}

/// Writes a binary glTF file as another format.
///
/// # Errors
/// The file cannot be read, in words.
pub fn convert(glb: &[u8], format: Format) -> Result<Vec<u8>, String> {
    let _ = gltf::Glb::from_slice(glb).map_err(|error| error.to_string())?;
    Err(format!("{format:?} cannot be written yet"))
}

fn turned(picture: &DynamicImage, view: usize) -> DynamicImage {
    match view % VIEWS {
        0 => picture.clone(),
        1 => picture.fliph(),
        2 => picture.flipv(),
        _ => picture.rotate180(),
    }
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
fn png(picture: &DynamicImage) -> Result<Vec<u8>, String> {
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
