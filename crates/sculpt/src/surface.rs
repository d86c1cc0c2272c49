//! From a mask to a surface in space.

use glam::{DVec2, Vec2};
use image::RgbaImage;
use image::imageops::thumbnail;

use crate::contour::is_inside;
use crate::mask::ImageRect;
use crate::mesh::Mesh;
use crate::planar_mesh::{MeshLayout, triangulate};
use crate::poisson;
use crate::scalar_field::ScalarField;

/// The depth of an object in front of the plane, and behind it, in parts of a hemisphere's.
const ROUNDNESS: f64 = 0.8;
/// The height of a relief where the image is black, in parts of the image's longer edge.
const RELIEF_HEIGHT: f64 = 0.05;
/// How much higher a relief is where the image is white, in the same unit.
const RELIEF_CONTRAST: f64 = 0.06;
/// The largest number of grid points, also for a shape so thin that it would need more.
const MAX_GRID_POINTS: f32 = 400_000.0;
/// A grid that has less than this part of the covered area inside is too coarse for the shape.
const MIN_AREA_SHOWN: f64 = 0.9;

/// How many faces a surface has.
#[derive(Clone, Copy, Debug)]
pub struct MeshDensity {
    /// The number of grid cells inside; there are more if the shape is too thin for these.
    pub grid_cells: f32,
    /// The layout of the faces on the grid.
    pub layout: MeshLayout,
}

/// The grid over a rectangle of the image.
struct Grid {
    /// With a border of zeros.
    coverage: ScalarField,
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
            let grid = Self::without_border(coverage, rect, points);
            let shown = part_inside(&grid.coverage) / covered;
            if shown >= MIN_AREA_SHOWN
                || points >= MAX_GRID_POINTS
                || points as usize >= 2 * coverage.values.len()
            {
                return grid.with_border();
            }
            points *= 2.0;
        }
    }

    fn without_border(coverage: &ScalarField, rect: ImageRect, points: f32) -> Self {
        let size = rect.size();
        let step = (size.x * size.y / f64::from(points)).sqrt();
        let [width, height] = [size.x, size.y].map(|edge| ((edge / step).round() as usize).max(1));
        Self {
            coverage: coverage.clone().resized(width, height),
            step: size / DVec2::new(width as f64, height as f64),
        }
    }

    fn with_border(self) -> Self {
        let ScalarField { width, height, .. } = self.coverage;
        Self {
            coverage: self.coverage.cropped(-1, -1, width + 2, height + 2),
            ..self
        }
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
    raise(coverage, rect, density, |_| {
        |_, swell| [ROUNDNESS * swell; 2]
    })
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
    raise(coverage, rect, density, |grid| {
        let luminance = luminance.resized(grid.coverage.width - 2, grid.coverage.height - 2);
        move |point: Vec2, swell: f64| {
            // Steep at the image's edge, and level at a few times `RELIEF_HEIGHT` from it.
            let rise = 1.0 - (-swell / longer / RELIEF_HEIGHT).exp();
            let brightness = f64::from(luminance.sample(point.x - 1.0, point.y - 1.0));
            let front = RELIEF_HEIGHT + RELIEF_CONTRAST * brightness;
            [front * rise * longer, 0.3 * RELIEF_HEIGHT * rise * longer]
        }
    })
}

/// Raises a planar mesh over what is covered. `depth` gets a point of the grid and how far a
/// hemisphere's surface would rise there, and returns how far the surface is in front of the plane
/// and behind it; all in pixels of the image.
fn raise<D>(
    coverage: &ScalarField,
    rect: ImageRect,
    density: MeshDensity,
    depth: impl FnOnce(&Grid) -> D,
) -> Option<Mesh>
where
    D: Fn(Vec2, f64) -> [f64; 2],
{
    let grid = Grid::new(coverage, rect, density.grid_cells);
    let planar = triangulate(&grid.coverage, density.layout);
    let heights = poisson::solve(&grid.coverage);
    let depth = depth(&grid);
    let size = rect.size();
    let step = (grid.step.x * grid.step.y).sqrt();
    // Front and back must not touch inside the contour, or the solid would not be closed.
    let least = 0.02 * grid.step.min_element();
    let mesh = Mesh::raised(
        &planar,
        |point| {
            let pixels = grid.to_pixels(point);
            ((pixels / size).as_vec2(), DVec2::new(pixels.x, -pixels.y))
        },
        |point| {
            let swell = step * f64::from(heights.sample(point.x, point.y)).sqrt();
            depth(point, swell).map(|depth| depth.max(least))
        },
    );
    (!mesh.indices.is_empty()).then_some(mesh)
}
