//! A picture becomes a model: a decoded picture and the API's parameters in, files out. No I/O.
//!
//! It is geometry from an outline and no learned model: what belongs to the object ([`mask`]) swells
//! where it is wide ([`inflate`]), and wears the picture on its front and on its back ([`texture`]).

mod area;
mod background;
mod convert;
mod field;
mod flat;
mod glb;
#[cfg(feature = "import")]
mod import;
mod inflate;
mod mask;
mod mesh;
mod open;
mod outline;
mod render;
mod shape;
mod texture;

use std::borrow::Cow;
use std::io::Cursor;
use std::ops::ControlFlow;

use contract::{Parameters, PreviewMesh, Resolution, Topology};
use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};

pub use convert::{Format, can_convert, convert};
#[cfg(feature = "import")]
pub use import::{GlbError, ImportedGlb, check_glb, import_glb, remove_background};

use flat::Layout;
use mesh::Mesh;
use shape::Fineness;

/// What a model is to be made of, and how.
#[derive(Clone, Copy, Debug)]
pub struct ModelRequest<'a> {
    /// The picture, upright.
    pub picture: &'a DynamicImage,
    /// What is left out is as the API documents its defaults. `creativity` and `refine_speed` have
    /// no effect: an outline leaves no room for the one, and no time for the other.
    pub parameters: &'a Parameters,
    /// How fine the model becomes.
    pub detail: Detail,
    /// Which of the [`render_views`] looks towards +z, counted from 0; 0 is the picture's own.
    pub view: usize,
}

/// How fine a model becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Soon there.
    Preview,
    /// About three times as many faces; twice as many with `"low_poly"`.
    Refined,
}

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// Nobody wants it any more.
    Cancelled,
    /// There can be none, and why, in words.
    Failed(String),
}

impl From<String> for ModelError {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// Told how much is done, from 0 to 1; a break cancels the work.
pub type Progress<'a> = dyn FnMut(f32) -> ControlFlow<()> + 'a;

/// As many views as a `turbo` session offers to choose from.
pub const VIEW_COUNT: usize = 4;

/// How far the model is turned for each view, in parts of a full turn: from the front, from both
/// sides of it, and from behind.
const TURNS: [f64; VIEW_COUNT] = [0.0, 0.125, 0.5, 0.875];

/// Makes the model: a binary glTF 2.0 file (`model/gltf-binary`) with a closed surface, y up, its
/// front towards +z, its longest edge 1 unless `scaled_bbox` says otherwise.
///
/// # Errors
/// There can be no such model, or nobody wants it any more.
pub fn sculpt(request: &ModelRequest, progress: &mut Progress) -> Result<Vec<u8>, ModelError> {
    let parameters = request.parameters;
    let textured = is_textured(parameters);
    let Shaped { mut mesh, texture } = shape(request, textured, progress)?;
    mesh.turn(TURNS[request.view % VIEW_COUNT]);
    mesh.fit(
        parameters.scaled_bbox,
        parameters.pivot_point.unwrap_or_default(),
    );
    let jpeg = texture.as_ref().map(texture::jpeg).transpose()?;
    go_on(progress, 0.95)?;
    Ok(glb::write(&mesh, jpeg.as_deref())?)
}

/// The views of the model to choose from, as PNG files of 512 by 512 pixels.
///
/// # Errors
/// As those of [`sculpt`].
pub fn render_views(
    picture: &DynamicImage,
    parameters: &Parameters,
    progress: &mut Progress,
) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
    let request = ModelRequest {
        picture,
        parameters,
        detail: Detail::Preview,
        view: 0,
    };
    let Shaped { mesh, texture } = shape(&request, true, &mut |part| progress(part / 2.0))?;
    let texture = texture.unwrap_or_default();
    let mut files = [const { Vec::new() }; VIEW_COUNT];
    for (view, file) in files.iter_mut().enumerate() {
        go_on(progress, 0.5 + view as f32 / VIEW_COUNT as f32 / 2.0)?;
        let mut mesh = mesh.clone();
        mesh.turn(TURNS[view]);
        mesh.fit(None, [0.0; 3]);
        let picture = render::render(&mesh, &texture);
        let written = picture.write_to(&mut Cursor::new(&mut *file), ImageFormat::Png);
        written.map_err(|error| error.to_string())?;
    }
    Ok(files)
}

/// Whether the model is to have a texture. With `turbo`, where the API says that the parameter does
/// not apply, there always is one.
pub fn is_textured(parameters: &Parameters) -> bool {
    parameters.generate_texture == Some(true) || parameters.preview_mesh == Some(PreviewMesh::Turbo)
}

struct Shaped {
    mesh: Mesh,
    texture: Option<RgbImage>,
}

fn shape(
    request: &ModelRequest,
    textured: bool,
    progress: &mut Progress,
) -> Result<Shaped, ModelError> {
    go_on(progress, 0.0)?;
    let parameters = request.parameters.or_defaults();
    let picture: Cow<RgbaImage> = match request.picture.as_rgba8() {
        Some(picture) => Cow::Borrowed(picture),
        None => Cow::Owned(request.picture.to_rgba8()),
    };
    let mask = mask::find(&picture)?;
    go_on(progress, 0.25)?;
    let too_fine =
        || "what stands out in the picture is too small or too fine for a model".to_owned();
    let (area, coverage) = area::covered(&mask, picture.dimensions()).ok_or_else(too_fine)?;
    let fineness = fineness(&parameters, request.detail);
    let mesh = match mask.object {
        true => shape::object(&coverage, area, fineness),
        false => shape::relief(&picture, &coverage, area, fineness),
    };
    let mesh = mesh.ok_or_else(too_fine)?;
    go_on(progress, 0.6)?;
    let edge = parameters.texture_resolution.filter(|_| textured);
    let texture = edge.map(|edge| texture::paint(&picture, area, &coverage, mask.margin, edge));
    go_on(progress, 0.85)?;
    Ok(Shaped { mesh, texture })
}

/// How many faces there are to be. A square of the grid becomes two triangles in front and two
/// behind; a quad is cut out of half a square in each direction.
fn fineness(parameters: &Parameters, detail: Detail) -> Fineness {
    let low = parameters.resolution == Some(Resolution::LowPoly);
    let quads = parameters.topology == Some(Topology::Quads);
    let refined = detail == Detail::Refined;
    if low {
        // The outline is found on a finer grid than the faces have. A triangle makes about two and
        // a half quads.
        let squares = 4000.0;
        let faces: f32 = if refined { 600.0 } else { 300.0 };
        let triangles = if quads { faces / 2.5 } else { faces };
        let outline = triangles / 5.0;
        let inner = (triangles / 2.0 - outline) / 2.0;
        let spacing = (squares / inner).sqrt();
        return Fineness {
            squares,
            layout: Layout {
                outline: Some(outline as usize),
                spacing,
                quads,
            },
        };
    }
    let faces = if refined { 60_000.0 } else { 20_000.0 };
    Fineness {
        squares: if quads { faces / 8.0 } else { faces / 4.0 },
        layout: Layout {
            outline: None,
            spacing: 1.0,
            quads,
        },
    }
}

fn go_on(progress: &mut Progress, part: f32) -> Result<(), ModelError> {
    match progress(part) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Cancelled),
    }
}
