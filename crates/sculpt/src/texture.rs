//! The texture of a model: the image projected from the front, with its colors extended past the
//! contour, so that no background shows on the rim.

use glam::Vec3;
use image::imageops::{crop_imm, thumbnail};
use image::{Rgb, RgbImage, RgbaImage};

use crate::images::lerp;
use crate::mask::ImageRect;
use crate::scalar_field::ScalarField;

/// Makes the texture of a rectangle of the image. Its longer edge has at most `max_edge` pixels, and
/// never more than the rectangle has. `coverage` is that of the rectangle; colors within `margin` of
/// its contour, in pixels of the coverage, are replaced by those farther inside.
pub fn project(
    image: &RgbaImage,
    rect: ImageRect,
    coverage: &ScalarField,
    margin: f32,
    max_edge: u32,
) -> RgbImage {
    let part = scaled_part(image, rect, max_edge);
    let (width, height) = (part.width() as usize, part.height() as usize);
    // From the texture's pixels to the coverage's.
    let step = [
        coverage.width as f32 / width as f32,
        coverage.height as f32 / height as f32,
    ];
    let reach = margin.max(1.5 * step[0].max(step[1])).min(margin * 8.0);
    let confidence = |x: usize, y: usize| {
        let [x, y] = [(x, step[0]), (y, step[1])].map(|(at, step)| (at as f32 + 0.5) * step - 0.5);
        let offsets = [(reach, 0.0), (-reach, 0.0), (0.0, reach), (0.0, -reach)];
        let around = offsets.map(|(dx, dy)| coverage.sample(x + dx, y + dy));
        let here = coverage.sample(x, y);
        let least = around.into_iter().fold(here, f32::min);
        // In a line one pixel wide all is near the contour: there the most covered counts a little.
        ((least - 0.5) * 4.0).clamp(0.0, 1.0) + 0.001 * here.powi(4)
    };
    let mut layer = Layer::new(width, height);
    for (x, y, pixel) in part.enumerate_pixels() {
        let opacity = f32::from(pixel[3]);
        if opacity > 0.0 {
            let at = y as usize * width + x as usize;
            let [red, green, blue, _] = pixel.0.map(f32::from);
            let color = 255.0 * Vec3::new(red, green, blue) / opacity;
            layer.set(at, color, confidence(x as usize, y as usize));
        }
    }
    layer.fill();
    RgbImage::from_fn(part.width(), part.height(), |x, y| {
        let color = layer.colors[y as usize * width + x as usize];
        Rgb((color + 0.5).to_array().map(|channel| channel as u8))
    })
}

/// Returns a rectangle of the image with premultiplied colors, scaled down to `max_edge`.
fn scaled_part(image: &RgbaImage, rect: ImageRect, max_edge: u32) -> RgbaImage {
    let mut part = crop_imm(image, rect.left, rect.top, rect.width, rect.height).to_image();
    // Premultiplied, so that clear pixels do not count when pixels are averaged.
    for pixel in part.pixels_mut() {
        let opacity = u32::from(pixel[3]);
        for channel in 0..3 {
            pixel[channel] = ((u32::from(pixel[channel]) * opacity + 127) / 255) as u8;
        }
    }
    let longer = rect.width.max(rect.height);
    if longer <= max_edge {
        return part;
    }
    // Rounded to the nearest, for the proportions nearest to the rectangle's.
    let scaled = |length: u32| {
        let scaled = f64::from(length) * f64::from(max_edge) / f64::from(longer);
        (scaled.round() as u32).max(1)
    };
    thumbnail(&part, scaled(rect.width), scaled(rect.height))
}

/// Colors with their confidence.
struct Layer {
    width: usize,
    height: usize,
    /// Each channel from 0 to 255.
    colors: Vec<Vec3>,
    /// From 0 (unknown) to 1 (certain).
    confidence: Vec<f32>,
}

impl Layer {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            colors: vec![Vec3::ZERO; width * height],
            confidence: vec![0.0; width * height],
        }
    }

    fn set(&mut self, at: usize, color: Vec3, confidence: f32) {
        self.colors[at] = color;
        self.confidence[at] = confidence.min(1.0);
    }

    /// Blends uncertain colors with those around them: the colors of a layer with half the
    /// resolution, which is filled in the same way first (the pull-push algorithm).
    fn fill(&mut self) {
        if self.width.max(self.height) == 1 || self.confidence.iter().all(|it| *it >= 1.0) {
            return;
        }
        let mut half = self.halved();
        half.fill();
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y * self.width + x;
                if self.confidence[at] < 1.0 {
                    let around = half.sample_doubled(x, y);
                    self.colors[at] = lerp(around, self.colors[at], self.confidence[at]);
                }
            }
        }
    }

    fn halved(&self) -> Self {
        let mut half = Self::new(self.width.div_ceil(2), self.height.div_ceil(2));
        for y in 0..half.height {
            for x in 0..half.width {
                let (mut sum, mut weight) = (Vec3::ZERO, 0.0);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (x, y) = (2 * x + dx, 2 * y + dy);
                    if x < self.width && y < self.height {
                        let at = y * self.width + x;
                        weight += self.confidence[at];
                        sum += self.confidence[at] * self.colors[at];
                    }
                }
                if weight > 0.0 {
                    half.set(y * half.width + x, sum / weight, weight);
                }
            }
        }
        half
    }

    /// Returns the bilinearly interpolated color at a pixel of a layer with twice the resolution.
    fn sample_doubled(&self, x: usize, y: usize) -> Vec3 {
        let neighbors = |at: usize, length: usize| {
            let nearest = at / 2;
            let other = if at.is_multiple_of(2) {
                nearest.saturating_sub(1)
            } else {
                nearest + 1
            };
            [(nearest, 0.75), (other.min(length - 1), 0.25)]
        };
        let mut color = Vec3::ZERO;
        for (y, down) in neighbors(y, self.height) {
            for (x, across) in neighbors(x, self.width) {
                color += self.colors[y * self.width + x] * down * across;
            }
        }
        color
    }
}
