//! Draws meshes from the front, in parallel projection.

use glam::{DVec3, Vec3};
use image::{Rgb, RgbImage, Rgba, RgbaImage, imageops};

use crate::solid::Solid;

/// A square in the plane of the picture.
#[derive(Clone, Copy)]
pub struct Frame {
    /// Its middle.
    pub x: f64,
    pub y: f64,
    pub edge: f64,
}

impl Frame {
    /// Returns a square around a mesh with a margin of 5 %.
    pub fn around(solid: &Solid) -> Self {
        let (low, high) = solid.bounds();
        let (middle, size) = ((low + high) / 2.0, high - low);
        Self {
            x: middle.x,
            y: middle.y,
            edge: 1.1 * size.x.max(size.y),
        }
    }
}

/// What is seen at a pixel.
#[derive(Clone, Copy)]
pub struct Seen {
    pub depth: f64,
    /// The direction of the face, towards the viewer.
    pub normal: DVec3,
    /// The direction of the surface in the light: the face's, or one between those of its corners.
    pub shading: DVec3,
    /// From 0 to 255; a light grey without a texture.
    pub color: Vec3,
}

/// Returns what is seen in each pixel of a square picture of `pixels` by `pixels`.
pub fn draw(solid: &Solid, frame: Frame, pixels: usize) -> Vec<Option<Seen>> {
    let mut seen: Vec<Option<Seen>> = vec![None; pixels * pixels];
    let scale = pixels as f64 / frame.edge;
    for triangle in &solid.triangles {
        let corners = solid.corners(*triangle);
        let [a, b, c] = corners.map(|point| {
            let x = (point.x - frame.x) * scale + pixels as f64 / 2.0;
            let y = (frame.y - point.y) * scale + pixels as f64 / 2.0;
            DVec3::new(x, y, point.z)
        });
        let cross =
            |p: DVec3, q: DVec3, x: f64, y: f64| (q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x);
        let doubled = cross(a, b, c.x, c.y);
        let normal = (corners[1] - corners[0])
            .cross(corners[2] - corners[0])
            .normalize_or_zero();
        if doubled == 0.0 || normal == DVec3::ZERO {
            continue;
        }
        let normal = if normal.z < 0.0 { -normal } else { normal };
        let low = a.min(b).min(c);
        let high = a.max(b).max(c);
        let range = |low: f64, high: f64| {
            low.max(0.0) as usize..(high.ceil().max(0.0) as usize).min(pixels)
        };
        for y in range(low.y, high.y) {
            for x in range(low.x, high.x) {
                let (px, py) = (x as f64 + 0.5, y as f64 + 0.5);
                let weights = [
                    cross(b, c, px, py),
                    cross(c, a, px, py),
                    cross(a, b, px, py),
                ];
                let weights = DVec3::from(weights) / doubled;
                let depth = weights.dot(DVec3::new(a.z, b.z, c.z));
                let before = &mut seen[y * pixels + x];
                if weights.min_element() < 0.0 || before.is_some_and(|before| before.depth >= depth)
                {
                    continue;
                }
                let color = solid
                    .texture
                    .as_ref()
                    .map_or(Vec3::splat(205.0), |texture| {
                        let [ua, ub, uc] = triangle.map(|at| solid.uvs[at as usize].as_dvec2());
                        let uv = ua * weights.x + ub * weights.y + uc * weights.z;
                        let pixel = imageops::sample_bilinear(
                            texture,
                            uv.x.clamp(0.0, 1.0) as f32,
                            uv.y.clamp(0.0, 1.0) as f32,
                        );
                        Vec3::from(pixel.unwrap_or(Rgb([0; 3])).0.map(f32::from))
                    });
                let shading = match solid.normals.is_empty() {
                    true => normal,
                    false => {
                        let [a, b, c] = triangle.map(|at| solid.normals[at as usize]);
                        (a * weights.x + b * weights.y + c * weights.z).normalize_or(normal)
                    }
                };
                *before = Some(Seen {
                    depth,
                    normal,
                    shading,
                    color,
                });
            }
        }
    }
    seen
}

/// The direction to the light: from above, from the left and from the front.
const LIGHT: DVec3 = DVec3::new(-0.35, 0.5, 0.79);

/// How strongly the light counts.
#[derive(Clone, Copy, PartialEq)]
pub enum Shading {
    /// A picture of a model without colors.
    Strong,
    /// A textured model.
    Soft,
}

/// Draws a mesh on a transparent ground.
pub fn picture(solid: &Solid, frame: Frame, pixels: usize, shading: Shading) -> RgbaImage {
    let seen = draw(solid, frame, 2 * pixels);
    let ambient = if shading == Shading::Strong {
        0.35
    } else {
        0.6
    };
    let large = RgbaImage::from_fn(2 * pixels as u32, 2 * pixels as u32, |x, y| {
        match &seen[y as usize * 2 * pixels + x as usize] {
            Some(seen) => {
                let light = ambient + (1.0 - ambient) * seen.shading.dot(LIGHT).max(0.0);
                let [red, green, blue] = (seen.color * light as f32)
                    .to_array()
                    .map(|channel| channel as u8);
                Rgba([red, green, blue, 255])
            }
            None => Rgba([0; 4]),
        }
    });
    let mut small = RgbaImage::new(pixels as u32, pixels as u32);
    // Averages the covered pixels' colors, so that no black mixes into the edge.
    for (x, y, pixel) in small.enumerate_pixels_mut() {
        let around = [(0, 0), (1, 0), (0, 1), (1, 1)]
            .map(|(dx, dy)| *large.get_pixel(2 * x + dx, 2 * y + dy));
        let count = around.iter().filter(|pixel| pixel[3] > 0).count() as u32;
        if count > 0 {
            let mean = |channel: usize| {
                (around
                    .iter()
                    .map(|pixel| u32::from(pixel[channel]))
                    .sum::<u32>()
                    / count) as u8
            };
            *pixel = Rgba([mean(0), mean(1), mean(2), (count * 255 / 4) as u8]);
        }
    }
    small
}

/// Puts a picture on a white ground into a sheet.
pub fn put(sheet: &mut RgbImage, picture: &RgbaImage, left: u32, top: u32) {
    for (x, y, pixel) in picture.enumerate_pixels() {
        let opacity = u32::from(pixel[3]);
        let over =
            |channel: u8| ((u32::from(channel) * opacity + 255 * (255 - opacity)) / 255) as u8;
        sheet.put_pixel(
            left + x,
            top + y,
            Rgb([over(pixel[0]), over(pixel[1]), over(pixel[2])]),
        );
    }
}
