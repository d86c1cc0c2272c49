//! Renders a model from the front in orthographic projection.

use glam::{DVec3, Vec2, Vec3};
use image::imageops::thumbnail;
use image::{RgbImage, Rgba, RgbaImage};

use crate::images::sample_texture;
use crate::mesh::Mesh;

/// The image's edge in pixels.
const EDGE: u32 = 512;
/// The model is drawn this many times larger first, for smooth edges.
const SUPERSAMPLING: u32 = 2;
/// The part of the edge that the longer edge of the model takes.
const MODEL_PART: f64 = 0.9;
/// The direction to the light, of length 1: from above, from the left and from the front.
const LIGHT: Vec3 = Vec3::new(-0.35, 0.5, 0.79);
/// The brightness of a surface that faces away from the light, from 0 to 1.
const AMBIENT: f32 = 0.55;

/// Draws a textured model, centered at the origin, on a transparent background.
pub fn render(mesh: &Mesh, texture: &RgbImage) -> RgbaImage {
    let edge = EDGE * SUPERSAMPLING;
    let scale = unit_scale(mesh) * MODEL_PART * f64::from(edge);
    let middle = f64::from(edge) / 2.0;
    let normals = mesh.normals();
    let vertex = |at: u32| {
        let at = at as usize;
        let DVec3 { x, y, z } = mesh.positions[at];
        Vertex {
            screen: Vec3::new(
                (middle + scale * x) as f32,
                (middle - scale * y) as f32,
                z as f32,
            ),
            uv: mesh.uvs[at],
            light: normals[at].dot(LIGHT).max(0.0),
        }
    };
    let mut canvas = Canvas {
        image: RgbaImage::new(edge, edge),
        nearest: vec![f32::NEG_INFINITY; (edge * edge) as usize],
    };
    for triangle in mesh.triangles() {
        canvas.draw(triangle.map(vertex), texture);
    }
    thumbnail(&canvas.image, EDGE, EDGE)
}

/// Returns the scale at which the longer of the model's width and height is 1.
fn unit_scale(mesh: &Mesh) -> f64 {
    let extents = mesh.positions.iter().map(|at| at.x.abs().max(at.y.abs()));
    0.5 / extents.fold(f64::MIN_POSITIVE, f64::max)
}

#[derive(Clone, Copy)]
struct Vertex {
    /// Its place in pixels, with y downwards, and its depth, the nearer the greater.
    screen: Vec3,
    uv: Vec2,
    /// How much it faces the light, from 0 to 1.
    light: f32,
}

struct Canvas {
    image: RgbaImage,
    /// The depth of what is drawn at each pixel.
    nearest: Vec<f32>,
}

impl Canvas {
    fn draw(&mut self, [a, b, c]: [Vertex; 3], texture: &RgbImage) {
        let [pa, pb, pc] = [a, b, c].map(|vertex| vertex.screen.truncate());
        let doubled_area = (pb - pa).perp_dot(pc - pa);
        // Seen from behind or edge-on.
        if doubled_area >= 0.0 {
            return;
        }
        let (width, height) = self.image.dimensions();
        let (low, high) = (pa.min(pb).min(pc), pa.max(pb).max(pc));
        let pixels = |low: f32, high: f32, length: u32| {
            low.floor().max(0.0) as u32..(high.ceil() as u32).min(length)
        };
        for y in pixels(low.y, high.y, height) {
            for x in pixels(low.x, high.x, width) {
                let pixel = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                let opposite = |p: Vec2, q: Vec2| (q - p).perp_dot(pixel - p) / doubled_area;
                let weights = Vec3::new(opposite(pb, pc), opposite(pc, pa), opposite(pa, pb));
                if weights.min_element() < 0.0 {
                    continue;
                }
                let interpolated = |of: fn(&Vertex) -> f32| {
                    Vec3::from([a, b, c].map(|vertex| of(&vertex))).dot(weights)
                };
                let z = interpolated(|vertex| vertex.screen.z);
                let nearest = &mut self.nearest[(y * width + x) as usize];
                if z > *nearest {
                    *nearest = z;
                    let light = AMBIENT + (1.0 - AMBIENT) * interpolated(|vertex| vertex.light);
                    let color = sample_texture(
                        texture,
                        interpolated(|vertex| vertex.uv.x),
                        interpolated(|vertex| vertex.uv.y),
                    );
                    let [red, green, blue] = (color * light + 0.5)
                        .to_array()
                        .map(|channel| channel.min(255.0) as u8);
                    self.image.put_pixel(x, y, Rgba([red, green, blue, 255]));
                }
            }
        }
    }
}
