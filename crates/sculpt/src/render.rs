//! A picture of a model, seen from the front without perspective.

use image::imageops::thumbnail;
use image::{RgbImage, Rgba, RgbaImage};

use crate::field::mix;
use crate::mesh::Mesh;

/// The picture's edge in pixels.
const EDGE: u32 = 512;
/// Drawn so many times larger first, for soft edges.
const FINER: u32 = 2;
/// The part of the edge that the model takes at most.
const FILLED: f64 = 0.9;
/// From above, from the left, and from the front; of length 1.
const LIGHT: [f32; 3] = [-0.35, 0.5, 0.79];
/// How bright what turns away from the light still is.
const AMBIENT: f32 = 0.55;

/// Draws a textured model on nothing.
pub fn render(mesh: &Mesh, texture: &RgbImage) -> RgbaImage {
    let edge = EDGE * FINER;
    let scale = scale(mesh) * FILLED * f64::from(edge);
    let middle = f64::from(edge) / 2.0;
    let normals = mesh.normals();
    let corner = |at: u32| {
        let [x, y, z] = mesh.positions[at as usize];
        let [nx, ny, nz] = normals[at as usize];
        Corner {
            x: (middle + scale * x) as f32,
            y: (middle - scale * y) as f32,
            z: z as f32,
            uv: mesh.uvs[at as usize],
            light: (nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2]).max(0.0),
        }
    };
    let mut canvas = Canvas {
        picture: RgbaImage::new(edge, edge),
        nearest: vec![f32::NEG_INFINITY; (edge * edge) as usize],
    };
    for triangle in mesh.triangles() {
        canvas.draw(triangle.map(corner), texture);
    }
    thumbnail(&canvas.picture, EDGE, EDGE)
}

/// What makes the larger of width and height 1.
fn scale(mesh: &Mesh) -> f64 {
    let extents = mesh
        .positions
        .iter()
        .flat_map(|[x, y, _]| [x.abs(), y.abs()]);
    0.5 / extents.fold(f64::MIN_POSITIVE, f64::max)
}

#[derive(Clone, Copy)]
struct Corner {
    x: f32,
    y: f32,
    z: f32,
    uv: [f32; 2],
    light: f32,
}

struct Canvas {
    picture: RgbaImage,
    /// The depth of what is drawn at each pixel.
    nearest: Vec<f32>,
}

impl Canvas {
    fn draw(&mut self, [a, b, c]: [Corner; 3], texture: &RgbImage) {
        let doubled = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        // Seen from behind, or from the side.
        if doubled >= 0.0 {
            return;
        }
        let (width, height) = self.picture.dimensions();
        let pixels = |places: [f32; 3], length: u32| {
            let low = places
                .into_iter()
                .fold(f32::INFINITY, f32::min)
                .floor()
                .max(0.0);
            let high = places.into_iter().fold(0.0, f32::max).ceil();
            low as u32..(high as u32).min(length)
        };
        for y in pixels([a.y, b.y, c.y], height) {
            for x in pixels([a.x, b.x, c.x], width) {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                let opposite = |p: Corner, q: Corner| {
                    ((q.x - p.x) * (py - p.y) - (q.y - p.y) * (px - p.x)) / doubled
                };
                let weights = [opposite(b, c), opposite(c, a), opposite(a, b)];
                if weights.iter().any(|weight| *weight < 0.0) {
                    continue;
                }
                let at = |of: fn(&Corner) -> f32| {
                    let values = [a, b, c].map(|corner| of(&corner));
                    values
                        .iter()
                        .zip(weights)
                        .map(|(value, weight)| value * weight)
                        .sum::<f32>()
                };
                let z = at(|corner| corner.z);
                let nearest = &mut self.nearest[(y * width + x) as usize];
                if z > *nearest {
                    *nearest = z;
                    let light = AMBIENT + (1.0 - AMBIENT) * at(|corner| corner.light);
                    let [red, green, blue] = colour(
                        texture,
                        at(|corner| corner.uv[0]),
                        at(|corner| corner.uv[1]),
                    )
                    .map(|part| (part * light + 0.5).min(255.0) as u8);
                    self.picture.put_pixel(x, y, Rgba([red, green, blue, 255]));
                }
            }
        }
    }
}

/// The texture's colour at a place, between the nearest four pixels.
fn colour(texture: &RgbImage, u: f32, v: f32) -> [f32; 3] {
    let along = |part: f32, length: u32| {
        let place = (part * length as f32 - 0.5).clamp(0.0, (length - 1) as f32);
        let low = place as u32;
        (low, (low + 1).min(length - 1), place - low as f32)
    };
    let (left, right, across) = along(u, texture.width());
    let (top, bottom, down) = along(v, texture.height());
    [0, 1, 2].map(|channel| {
        let at = |x, y| f32::from(texture.get_pixel(x, y)[channel]);
        let row = |y| mix(at(left, y), at(right, y), across);
        mix(row(top), row(bottom), down)
    })
}
