//! The steps from an image to a model.

use contract::{ModelShape, Parameters, Resolution, Topology};
use glam::DVec3;
use image::{DynamicImage, RgbImage};

use crate::box_size::BoxSize;
use crate::error::ModelError;
use crate::images::{encode_jpeg, encode_png, to_rgba8};
use crate::mask::{Cutout, NoObjectError, crop};
use crate::mesh::Mesh;
use crate::planar_mesh::{MeshLayout, Tracing};
use crate::progress::{Progress, report};
use crate::request::{Detail, ModelRequest, is_textured};
use crate::surface::{self, MeshDensity};
use crate::texture::TextureLayout;
use crate::unwrap::unwrap;
use crate::views::{VIEW_COUNT, rotation};
use crate::{glb, render, texture};

/// The JPEG quality of textures, from 1 to 100: above it files grow without a visible difference.
const TEXTURE_QUALITY: u8 = 92;

/// The distance between points inside of a smooth shape, in grid steps.
const SMOOTH_SPACING: f32 = 2.0;
/// Where such a shape is steep: a tube with a radius of 100 grid steps is 5, 10 and 15 of them deep there.
/// Without these points, the faces next to the contour would be up to ten times as long as wide.
const STEEP: [f32; 3] = [0.12, 0.5, 1.2];
/// A mesh with more faces than this, in parts of those that it should have, is made again on a coarser
/// grid.
const MAX_EXCESS: f32 = 3.0;
/// How many times as many cells an extrusion's grid has, and how far apart its points inside are.
const EXTRUSION_CELLS: f32 = 8.0;
const EXTRUSION_SPACING: f32 = 6.0;

/// Makes a model: a binary glTF 2.0 file (`model/gltf-binary`) with a closed surface, y up, its front
/// towards +z. Its longest edge is 1 unless `scaled_bbox` sets another size.
///
/// # Errors
/// Returns [`ModelError::Cancelled`] if `progress` cancels the work. Fails if the object is too fine
/// for the mesh, or if `scaled_bbox` and `pivot_point` lead to coordinates beyond 32-bit floats.
pub fn sculpt(request: &ModelRequest, progress: &mut Progress) -> Result<Vec<u8>, ModelError> {
    let parameters = request.parameters;
    let texture_edge = match is_textured(parameters) {
        true => parameters.or_defaults().texture_resolution,
        false => None,
    };
    let Model { mut mesh, texture } = model(request, texture_edge, progress)?;
    mesh.rotate_y(rotation(request.view));
    mesh.fit(
        BoxSize::new(parameters),
        DVec3::from(parameters.pivot_point.unwrap_or_default()),
    );
    let jpeg = texture.as_ref();
    let jpeg = jpeg.map(|texture| encode_jpeg(texture, TEXTURE_QUALITY));
    let jpeg = jpeg.transpose()?;
    report(progress, 0.95)?;
    Ok(glb::encode(&mesh, jpeg.as_deref())?)
}

/// Renders the views of the model to choose from, as PNG files of 512 by 512 pixels with a transparent
/// background.
///
/// # Errors
/// Returns [`ModelError::Cancelled`] if `progress` cancels the work. Fails if the object is too fine
/// for the mesh.
pub fn render_views(
    image: &DynamicImage,
    cutout: &Cutout,
    parameters: &Parameters,
    progress: &mut Progress,
) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
    let request = ModelRequest {
        image,
        cutout,
        parameters,
        detail: Detail::Preview,
        view: 0,
    };
    let texture_edge = parameters.or_defaults().texture_resolution;
    let first_half = &mut |part| progress(part / 2.0);
    let Model { mesh, texture } = model(&request, texture_edge, first_half)?;
    let texture = texture.unwrap_or_default();
    let mut files = [const { Vec::new() }; VIEW_COUNT];
    for (view, file) in files.iter_mut().enumerate() {
        report(progress, 0.5 + view as f32 / VIEW_COUNT as f32 / 2.0)?;
        let mut mesh = mesh.clone();
        mesh.rotate_y(rotation(view));
        mesh.fit(BoxSize::AUTOMATIC, DVec3::ZERO);
        *file = encode_png(&render::render(&mesh, &texture).into())?;
    }
    Ok(files)
}

/// A model before it is rotated, scaled and written.
struct Model {
    mesh: Mesh,
    texture: Option<RgbImage>,
}

/// Makes the mesh, and a texture of at most `texture_edge` pixels if there is one.
fn model(
    request: &ModelRequest,
    texture_edge: Option<u32>,
    progress: &mut Progress,
) -> Result<Model, ModelError> {
    report(progress, 0.0)?;
    let image = to_rgba8(request.image);
    let cutout = request.cutout;
    let (rect, coverage) =
        crop(&cutout.coverage, image.dimensions()).ok_or(NoObjectError::TooFine)?;
    let raise = |density: MeshDensity| match cutout.shape {
        ModelShape::Round => surface::inflate(&coverage, rect, density),
        ModelShape::Revolved => surface::revolve(&coverage, rect, density),
        ModelShape::Extruded => surface::extrude(&coverage, rect, density),
        ModelShape::Relief => surface::relief(&image, &coverage, rect, density),
    };
    let density = mesh_density(request.parameters, request.detail, cutout.shape);
    let mut mesh = raise(density).ok_or(NoObjectError::TooFine)?;
    if mesh.faces().count() as f32 > density.max_faces {
        // Such as noise: it has more contour than area.
        mesh = raise(density.coarse()).ok_or(NoObjectError::TooFine)?;
    }
    report(progress, 0.6)?;
    let texture = texture_edge.map(|edge| {
        let layout = TextureLayout::new(rect, edge);
        mesh.uvs = unwrap(&mesh, rect, &coverage, layout);
        texture::project(&image, &coverage, cutout.margin(), layout)
    });
    if texture.is_none() {
        mesh = mesh.weld();
    }
    report(progress, 0.85)?;
    Ok(Model { mesh, texture })
}

/// Returns the density at which the mesh has about the faces that `detail` promises.
///
/// A grid cell gives two triangles in front and two behind. As quads, the two triangles of a side are
/// cut into four. In a low-poly mesh fewer triangles pair up: one gives about 2.5 quads.
fn mesh_density(parameters: &Parameters, detail: Detail, shape: ModelShape) -> MeshDensity {
    let topology = parameters.topology.unwrap_or(Topology::Tris);
    if parameters.resolution != Some(Resolution::LowPoly) {
        let faces = match detail {
            Detail::Preview => 20_000.0,
            Detail::Refined => 60_000.0,
        };
        let faces_per_cell = match topology {
            Topology::Tris => 4.0,
            Topology::Quads => 8.0,
        };
        let contour_points = None;
        if shape == ModelShape::Extruded {
            // The contour alone has details.
            return MeshDensity {
                grid_cells: EXTRUSION_CELLS * faces / faces_per_cell,
                max_faces: MAX_EXCESS * faces,
                layout: MeshLayout {
                    contour_points,
                    spacing: EXTRUSION_SPACING,
                    insets: &[surface::BEVEL],
                    tracing: Tracing::Straight,
                    topology,
                },
            };
        }
        // The contour is traced on a grid that is finer than the faces.
        let is_smooth = matches!(shape, ModelShape::Round | ModelShape::Revolved);
        let spacing = if is_smooth { SMOOTH_SPACING } else { 1.0 };
        return MeshDensity {
            grid_cells: faces / faces_per_cell * spacing * spacing,
            max_faces: MAX_EXCESS * faces,
            layout: MeshLayout {
                contour_points,
                spacing,
                insets: if is_smooth { &STEEP } else { &[] },
                tracing: match (shape, detail) {
                    (ModelShape::Round, Detail::Preview) => Tracing::Smooth {
                        passes: 8,
                        spacing: 1.6,
                    },
                    (ModelShape::Round, Detail::Refined) => Tracing::Smooth {
                        passes: 3,
                        spacing: 0.8,
                    },
                    _ => Tracing::Crossings,
                },
                topology,
            },
        };
    }
    let faces = match detail {
        Detail::Preview => 300.0,
        Detail::Refined => 600.0,
    };
    let triangles: f32 = match topology {
        Topology::Tris => faces,
        Topology::Quads => faces / 2.5,
    };
    // The contour is traced on a finer grid than the faces have, and simplified to a fifth of the
    // triangles. The other points are inside: a lattice point makes two triangles on each side.
    let grid_cells = 4000.0;
    let contour_points = triangles / 5.0;
    let inner_points = (triangles / 2.0 - contour_points) / 2.0;
    MeshDensity {
        grid_cells,
        max_faces: f32::INFINITY,
        layout: MeshLayout {
            contour_points: Some(contour_points as usize),
            spacing: (grid_cells / inner_points).sqrt(),
            insets: &[],
            tracing: Tracing::Crossings,
            topology,
        },
    }
}
