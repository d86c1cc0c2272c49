//! From a mask to a surface in space.

use glam::{DVec2, Vec2};
use image::RgbaImage;
use image::imageops::thumbnail;

use crate::contour::is_inside;
use crate::inset::Contour;
use crate::mask::ImageRect;
use crate::mesh::{Mesh, Rim};
use crate::planar_mesh::{MeshLayout, PlanarMesh, Tracing, triangulate};
use crate::poisson;
use crate::profile::Profile;
use crate::scalar_field::ScalarField;

/// The depth of an object in front of the plane, and behind it, in parts of a hemisphere's.
const ROUNDNESS: f64 = 0.8;
/// The depth of an extrusion in parts of the image's longer edge, at least and at most.
const EXTRUSION_DEPTH: [f64; 2] = [0.06, 0.16];
/// How far an extrusion's bevel goes inside of the contour, in grid steps of [`extrude`].
pub const BEVEL: f32 = 3.0;
/// Faces of a surface of revolution that meet at an angle of more than this, in radians, have an edge
/// between them.
const REVOLVED_CREASE: f64 = 0.6;
/// The same for an extrusion. Where its outline has a corner, the grid leaves a few smaller angles.
const EXTRUDED_CREASE: f64 = 0.3;
/// The height of a relief where the image is black, in parts of the image's longer edge.
const RELIEF_HEIGHT: f64 = 0.05;
/// How much higher a relief is where the image is white, in the same unit.
const RELIEF_CONTRAST: f64 = 0.06;
/// How much of an object's height is cut off where it stands, so that it stands on a surface in place
/// of a line.
const BASE_CUT: f64 = 0.03;
/// The largest number of grid points, also for a shape so thin that it would need more.
const MAX_GRID_POINTS: f32 = 400_000.0;
/// A grid that has less than this part of the covered area inside is too coarse for the shape.
const MIN_AREA_SHOWN: f64 = 0.9;

/// How many faces a surface has.
#[derive(Clone, Copy, Debug)]
pub struct MeshDensity {
    /// The number of grid cells inside; there are more if the shape is too thin for these.
    pub grid_cells: f32,
    /// With more faces, the surface is too dense.
    pub max_faces: f32,
    /// The layout of the faces on the grid.
    pub layout: MeshLayout,
}

impl MeshDensity {
    /// Returns the density of a grid whose cells are as large as the faces.
    pub fn coarse(self) -> Self {
        let area = self.layout.spacing * self.layout.spacing;
        Self {
            grid_cells: self.grid_cells / area.min(8.0),
            max_faces: f32::INFINITY,
            layout: MeshLayout {
                spacing: 1.0,
                insets: &[],
                tracing: Tracing::Crossings,
                ..self.layout
            },
        }
    }
}

/// The grid over a rectangle of the image.
struct Grid {
    /// With a border of zeros, and cut off at the base.
    coverage: ScalarField,
    /// The coverage where the contour does not end at the base, but goes on below: there the heights
    /// must not be 0.
    continued: ScalarField,
    /// The row of the base, between two rows of points.
    base: f32,
    /// Its columns and rows without the border and before the cut.
    size: (usize, usize),
    /// The length of the grid's steps, in pixels of the image.
    step: DVec2,
}

impl Grid {
    /// Creates a grid with at least this many cells inside, and fine enough to show what is covered.
    fn new(coverage: &ScalarField, rect: ImageRect, cells: f32) -> Self {
        let part_inside = |field: &ScalarField| {
            let values = field.values.iter();
            values.filter(|value| is_inside(**value)).count() as f64 / field.values.len() as f64
        };
        let covered = part_inside(coverage);
        let mut points = (cells / covered.max(f64::MIN_POSITIVE) as f32).min(MAX_GRID_POINTS);
        loop {
            let (inner, step) = Self::without_border(coverage, rect, points);
            let shown = part_inside(&inner) / covered;
            if shown >= MIN_AREA_SHOWN
                || points >= MAX_GRID_POINTS
                || points as usize >= 2 * coverage.values.len()
            {
                return Self::with_base(inner, step);
            }
            points *= 2.0;
        }
    }

    fn without_border(
        coverage: &ScalarField,
        rect: ImageRect,
        points: f32,
    ) -> (ScalarField, DVec2) {
        let size = rect.size();
        let step = (size.x * size.y / f64::from(points)).sqrt();
        let [width, height] = [size.x, size.y].map(|edge| ((edge / step).round() as usize).max(1));
        let step = size / DVec2::new(width as f64, height as f64);
        (coverage.clone().resized(width, height), step)
    }

    /// Cuts the object off where it stands, or where it leaves the image at its lower edge.
    fn with_base(inner: ScalarField, step: DVec2) -> Self {
        let (width, height) = (inner.width, inner.height);
        let is_row_inside = |y: &usize| (0..width).any(|x| is_inside(inner.at(x, *y)));
        let top = (0..height).find(is_row_inside).unwrap_or_default();
        let bottom = (0..height).rfind(is_row_inside).unwrap_or_default();
        // Around an object in the image, the coverage has a margin.
        let cut = match bottom == height - 1 {
            true => 0,
            false => ((BASE_CUT * (bottom + 1 - top) as f64).round() as usize).min(bottom - top),
        };
        // In rows of the grid with its border.
        let last = bottom - cut + 1;
        let inner = inner.cropped(-1, -1, width + 2, height + 2);
        let coverage = ScalarField::new(width + 2, last + 2, |x, y| match y > last {
            false => inner.at(x, y),
            // The contour is then exactly in the middle between the rows.
            true => Some(inner.at(x, last))
                .filter(|it| is_inside(*it))
                .map_or(0.0, |it| 1.0 - it),
        });
        // The contour goes on straight below its last third: what has a flat lower end keeps its full
        // depth there, and what is round gets no thicker.
        let foot = bottom - cut / 3 + 1;
        let end = foot + (bottom + 1 - top) / 2;
        let continued = ScalarField::new(width + 2, end + 2, |x, y| match y > end {
            true => 0.0,
            false => inner.at(x, y.min(foot)),
        });
        Self {
            coverage,
            continued,
            base: last as f32 + 0.5,
            size: (width, height),
            step,
        }
    }

    /// Returns how far a hemisphere's surface would rise above each point of the grid, in pixels of the
    /// image.
    fn swell(&self) -> impl Fn(Vec2) -> f64 + use<> {
        let heights = poisson::extended(&self.continued, poisson::solve(&self.continued));
        let step = (self.step.x * self.step.y).sqrt();
        move |point| step * f64::from(poisson::sample(&heights, point.x, point.y)).sqrt()
    }

    /// Returns where a point of the grid is in the rectangle, in pixels of the image. The first point
    /// inside the border is in the middle of the first cell.
    fn to_pixels(&self, point: Vec2) -> DVec2 {
        (point.as_dvec2() - 0.5) * self.step
    }
}

/// Inflates what is covered: the wider a part, the thicker. Returns `None` if nothing is left at the
/// grid's resolution.
pub fn inflate(coverage: &ScalarField, rect: ImageRect, density: MeshDensity) -> Option<Mesh> {
    raise(coverage, rect, density, Rim::Sharp, |grid, _| {
        let swell = grid.swell();
        move |point| [ROUNDNESS * swell(point); 2]
    })
}

/// Turns what is covered about an upright axis: each row becomes a disc. Returns `None` if nothing is
/// left at the grid's resolution.
pub fn revolve(coverage: &ScalarField, rect: ImageRect, density: MeshDensity) -> Option<Mesh> {
    let mesh = raise(coverage, rect, density, Rim::Sharp, |grid, planar| {
        let profile = Profile::new(planar.contour_lines());
        let step = grid.step.x;
        move |point| {
            let (left, right) = profile.span(point.y).unwrap_or((point.x, point.x));
            let squared = ((point.x - left) * (right - point.x)).max(0.0);
            [step * f64::from(squared).sqrt(); 2]
        }
    });
    mesh.map(|mesh| mesh.with_creases(REVOLVED_CREASE))
}

/// Gives what is covered a flat front and a flat back, with an upright side and a bevel. Returns `None`
/// if nothing is left at the grid's resolution.
pub fn extrude(coverage: &ScalarField, rect: ImageRect, density: MeshDensity) -> Option<Mesh> {
    let bevel = density.layout.insets.last().copied().unwrap_or_default();
    let mesh = raise(coverage, rect, density, Rim::Upright, |grid, planar| {
        let contour = Contour::of_edges(planar.contour_lines(), bevel.max(1.0));
        let step = (grid.step.x * grid.step.y).sqrt();
        let half = extrusion_depth(grid, planar) / 2.0;
        let bevel = bevel.min((half / step / 3.0) as f32);
        move |point| {
            let above = contour.distance(point).min(bevel) - bevel;
            [half + step * f64::from(above); 2]
        }
    });
    mesh.map(|mesh| mesh.with_creases(EXTRUDED_CREASE))
}

/// Returns the depth of an extrusion: about the width of its strokes.
fn extrusion_depth(grid: &Grid, planar: &PlanarMesh) -> f64 {
    let area = (grid.coverage.values.iter()).filter(|value| is_inside(**value));
    let length: f32 = planar.contour_lines().map(|[a, b]| a.distance(b)).sum();
    // The width of a stroke that is much longer than wide.
    let width = 2.0 * area.count() as f64 / f64::from(length.max(1.0));
    let longer = grid.size.0.max(grid.size.1) as f64;
    let [least, most] = EXTRUSION_DEPTH;
    width.clamp(least * longer, most * longer) * (grid.step.x * grid.step.y).sqrt()
}

/// Makes the whole image a relief with a smooth back: the brighter, the higher. Returns `None` if
/// nothing is left at the grid's resolution.
pub fn relief(
    image: &RgbaImage,
    coverage: &ScalarField,
    rect: ImageRect,
    density: MeshDensity,
) -> Option<Mesh> {
    let (width, height) = (coverage.width, coverage.height);
    let small = thumbnail(image, width as u32, height as u32);
    let luminance = ScalarField::new(width, height, |x, y| {
        let [red, green, blue, _] = small.get_pixel(x as u32, y as u32).0.map(f32::from);
        (0.3 * red + 0.59 * green + 0.11 * blue) / 255.0
    });
    let longer = rect.size().max_element();
    raise(coverage, rect, density, Rim::Sharp, |grid, _| {
        let (width, height) = grid.size;
        let luminance = luminance.resized(width, height);
        let swell = grid.swell();
        move |point: Vec2| {
            // Steep at the image's edge, and level at a few times `RELIEF_HEIGHT` from it.
            let rise = 1.0 - (-swell(point) / longer / RELIEF_HEIGHT).exp();
            let brightness = f64::from(luminance.sample(point.x - 1.0, point.y - 1.0));
            let front = RELIEF_HEIGHT + RELIEF_CONTRAST * brightness;
            [front * rise * longer, 0.3 * RELIEF_HEIGHT * rise * longer]
        }
    })
}

/// Raises a planar mesh over what is covered. `depth` gets a point of the grid, and returns how far the
/// surface is in front of the plane and behind it, in pixels of the image.
fn raise<D>(
    coverage: &ScalarField,
    rect: ImageRect,
    density: MeshDensity,
    rim: Rim,
    depth: impl FnOnce(&Grid, &PlanarMesh) -> D,
) -> Option<Mesh>
where
    D: Fn(Vec2) -> [f64; 2],
{
    let grid = Grid::new(coverage, rect, density.grid_cells);
    let planar = triangulate(&grid.coverage, density.layout, Some(grid.base));
    let depth = depth(&grid, &planar);
    // Front and back must not touch inside the contour, or the solid would not be closed.
    let least = 0.02 * grid.step.min_element();
    let mesh = Mesh::raised(
        &planar,
        rim,
        |point| {
            let pixels = grid.to_pixels(point);
            DVec2::new(pixels.x, -pixels.y)
        },
        |point| depth(point).map(|depth| depth.max(least)),
    );
    (!mesh.indices.is_empty()).then_some(mesh)
}
