//! From a mask to a surface in space.

use image::RgbaImage;

use crate::area::Area;
use crate::field::Field;
use crate::flat::{Layout, cover};
use crate::inflate::inflate;
use crate::mesh::Mesh;
use crate::outline::{Point, is_inside};

/// An object is so much of a half sphere before the plane, and as much behind it.
const ROUNDNESS: f64 = 0.8;
/// A relief rises so far from its edges, and by so much more where the picture is bright; in parts
/// of the longer edge.
const RELIEF: (f64, f64) = (0.05, 0.06);
/// The grid has at most so many points, however thin the shape is.
const LARGEST: f32 = 400_000.0;
/// A grid that shows less of what is covered is too coarse for it.
const SHOWN: f64 = 0.9;

/// How fine a surface is.
#[derive(Clone, Copy, Debug)]
pub struct Fineness {
    /// As many grid squares as lie inside; more where the shape is finer than these would show.
    pub squares: f32,
    pub layout: Layout,
}

/// The grid that is laid over an area.
struct Grid {
    /// With a ring of zeros around it.
    coverage: Field,
    /// The length of its steps, in pixels of the picture.
    step: [f64; 2],
}

impl Grid {
    /// A grid of at least so many squares inside, but fine enough for what is covered.
    fn new(coverage: &Field, area: Area, squares: f32) -> Self {
        let inside = |field: &Field| {
            let inside = field
                .values
                .iter()
                .filter(|value| is_inside(**value))
                .count();
            inside as f64 / field.values.len() as f64
        };
        let all = inside(coverage);
        let mut points = (squares / all.max(f64::MIN_POSITIVE) as f32).min(LARGEST);
        loop {
            let grid = Self::of(coverage, area, points);
            let shown = inside(&grid.coverage) / all;
            if shown >= SHOWN || points >= LARGEST || points as usize >= 2 * coverage.values.len() {
                return grid.framed();
            }
            points *= 2.0;
        }
    }

    fn of(coverage: &Field, area: Area, points: f32) -> Self {
        let step = (f64::from(area.width) * f64::from(area.height) / f64::from(points)).sqrt();
        let [width, height] = [area.width, area.height]
            .map(|length| ((f64::from(length) / step).round() as usize).max(1));
        Self {
            coverage: coverage.clone().resized(width, height),
            step: [
                f64::from(area.width) / width as f64,
                f64::from(area.height) / height as f64,
            ],
        }
    }

    fn framed(self) -> Self {
        let Field { width, height, .. } = self.coverage;
        Self {
            coverage: self.coverage.cropped(-1, -1, width + 2, height + 2),
            ..self
        }
    }

    /// Where a point lies in the area, in pixels of the picture.
    fn pixels(&self, [x, y]: Point) -> [f64; 2] {
        // The first point within the ring lies in the middle of the first square.
        [
            (f64::from(x) - 0.5) * self.step[0],
            (f64::from(y) - 0.5) * self.step[1],
        ]
    }
}

/// An outline that swells where it is wide; `None` where there is nothing that a grid could show.
pub fn object(coverage: &Field, area: Area, fineness: Fineness) -> Option<Mesh> {
    raise(coverage, area, fineness, |_| {
        |_, swell| [ROUNDNESS * swell; 2]
    })
}

/// The whole picture as a relief with a plain back.
pub fn relief(
    picture: &RgbaImage,
    coverage: &Field,
    area: Area,
    fineness: Fineness,
) -> Option<Mesh> {
    let (width, height) = (coverage.width, coverage.height);
    let small = image::imageops::thumbnail(picture, width as u32, height as u32);
    let lightness = Field::new(width, height, |x, y| {
        let [red, green, blue, _] = small.get_pixel(x as u32, y as u32).0.map(f32::from);
        (0.3 * red + 0.59 * green + 0.11 * blue) / 255.0
    });
    let longer = f64::from(area.width.max(area.height));
    raise(coverage, area, fineness, |grid| {
        let lightness = lightness.resized(grid.coverage.width - 2, grid.coverage.height - 2);
        move |[x, y], swell| {
            // Steep at the edge, and level before long.
            let rise = 1.0 - (-swell / longer / RELIEF.0).exp();
            let bright = f64::from(lightness.sample(x - 1.0, y - 1.0));
            let front = RELIEF.0 + RELIEF.1 * bright;
            [front * rise * longer, 0.3 * RELIEF.0 * rise * longer]
        }
    })
}

/// A flat mesh over what is covered, raised. `depth` says how far before and behind the plane each
/// point of the grid comes, by how far it would if the whole swelled; both in pixels of the picture.
fn raise<D>(
    coverage: &Field,
    area: Area,
    fineness: Fineness,
    depth: impl FnOnce(&Grid) -> D,
) -> Option<Mesh>
where
    D: Fn(Point, f64) -> [f64; 2],
{
    let grid = Grid::new(coverage, area, fineness.squares);
    let flat = cover(&grid.coverage, fineness.layout);
    let heights = inflate(&grid.coverage);
    let depth = depth(&grid);
    let (width, height) = (f64::from(area.width), f64::from(area.height));
    let step = (grid.step[0] * grid.step[1]).sqrt();
    // Front and back never touch but on the outline.
    let least = 0.02 * grid.step[0].min(grid.step[1]);
    let mesh = Mesh::raised(
        &flat,
        |point| {
            let [x, y] = grid.pixels(point);
            ([(x / width) as f32, (y / height) as f32], [x, -y])
        },
        |point| {
            let swell = step * f64::from(heights.sample(point[0], point[1])).sqrt();
            depth(point, swell).map(|depth| depth.max(least))
        },
    );
    (!mesh.corners.is_empty()).then_some(mesh)
}
