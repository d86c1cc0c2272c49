//! The texture of a model: the image on its front, and on its back only the colors of the rim, since
//! the image does not show it.

use glam::{DVec2, Vec2, Vec3};
use image::imageops::{crop_imm, thumbnail};
use image::{Rgb, RgbImage, RgbaImage};

use crate::images::lerp;
use crate::mask::ImageRect;
use crate::scalar_field::ScalarField;

/// The space around the image in its part of the texture, in parts of the longer edge: the sides of
/// the object are there.
const PADDING: f64 = 0.05;
/// The width of the rim whose colors the back shows, in parts of the texture's longer edge. The colors
/// fade out over the same width.
const RIM_WIDTH: f32 = 0.03;

/// Where the front and the back are in a texture: side by side along the shorter edge, the back with
/// half of the resolution, as it has no detail.
#[derive(Clone, Copy, Debug)]
pub struct TextureLayout {
    rect: ImageRect,
    /// The size of the image's rectangle in pixels of the texture.
    image: (u32, u32),
    /// The space around it, an even number of pixels.
    padding: u32,
}

impl TextureLayout {
    /// Creates the layout of a texture with a longer edge of at most `max_edge` pixels. The front has
    /// at most the resolution of the image.
    pub fn new(rect: ImageRect, max_edge: u32) -> Self {
        let mut scale = 1.0;
        loop {
            let scaled = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
            let image = (scaled(rect.width), scaled(rect.height));
            let padding = f64::from(image.0.max(image.1)) * PADDING / 2.0;
            let layout = Self {
                rect,
                image,
                padding: 2 * padding.ceil() as u32,
            };
            let (width, height) = layout.size();
            let longer = width.max(height);
            if longer <= max_edge || image == (1, 1) {
                return layout;
            }
            scale *= (f64::from(max_edge) / f64::from(longer)).min(0.995);
        }
    }

    /// Returns the space around the image, in its pixels.
    pub fn padding(self) -> f64 {
        f64::from(self.padding * self.rect.width) / f64::from(self.image.0)
    }

    fn front_size(self) -> (u32, u32) {
        (
            self.image.0 + 2 * self.padding,
            self.image.1 + 2 * self.padding,
        )
    }

    fn back_size(self) -> (u32, u32) {
        let (width, height) = self.front_size();
        (width.div_ceil(2), height.div_ceil(2))
    }

    fn is_wide(self) -> bool {
        self.image.0 > self.image.1
    }

    fn size(self) -> (u32, u32) {
        let ((width, height), back) = (self.front_size(), self.back_size());
        match self.is_wide() {
            true => (width, height + back.1),
            false => (width + back.0, height),
        }
    }

    /// Returns the texture coordinates of a point of the rectangle, in pixels of the image, in front.
    pub fn front(self, point: DVec2) -> Vec2 {
        self.to_uv(self.to_texture(point))
    }

    /// Returns the texture coordinates of a point of the rectangle, in pixels of the image, behind.
    pub fn back(self, point: DVec2) -> Vec2 {
        let (width, height) = self.front_size();
        let offset = match self.is_wide() {
            true => DVec2::new(0.0, height.into()),
            false => DVec2::new(width.into(), 0.0),
        };
        self.to_uv(self.to_texture(point) / 2.0 + offset)
    }

    fn to_texture(self, point: DVec2) -> DVec2 {
        let image = DVec2::new(self.image.0.into(), self.image.1.into());
        point / self.rect.size() * image + f64::from(self.padding)
    }

    fn to_uv(self, pixel: DVec2) -> Vec2 {
        let (width, height) = self.size();
        (pixel / DVec2::new(width.into(), height.into())).as_vec2()
    }
}

/// Makes the texture of the layout's rectangle of the image. `coverage` is that of the rectangle;
/// colors within `margin` of its contour, in pixels of the coverage, are replaced by those farther
/// inside.
pub fn project(
    image: &RgbaImage,
    coverage: &ScalarField,
    margin: f32,
    layout: TextureLayout,
) -> RgbImage {
    let part = scaled_part(image, layout);
    let (width, height) = layout.front_size();
    let (width, height) = (width as usize, height as usize);
    // From the texture's pixels to the coverage's.
    let step = [
        coverage.width as f32 / part.width() as f32,
        coverage.height as f32 / part.height() as f32,
    ];
    let reach = margin.max(1.5 * step[0].max(step[1])).min(margin * 8.0);
    let covered = |x: u32, y: u32| {
        let [x, y] = [(x, step[0]), (y, step[1])].map(|(at, step)| (at as f32 + 0.5) * step - 0.5);
        let offsets = [(reach, 0.0), (-reach, 0.0), (0.0, reach), (0.0, -reach)];
        let around = offsets.map(|(dx, dy)| coverage.sample(x + dx, y + dy));
        let here = coverage.sample(x, y);
        (here, around.into_iter().fold(here, f32::min))
    };
    let mut front = Layer::new(width, height);
    let mut inside = vec![false; width * height];
    for (x, y, pixel) in part.enumerate_pixels() {
        let opacity = f32::from(pixel[3]);
        if opacity > 0.0 {
            let at = (y + layout.padding) as usize * width + (x + layout.padding) as usize;
            let [red, green, blue, _] = pixel.0.map(f32::from);
            let color = 255.0 * Vec3::new(red, green, blue) / opacity;
            let (here, least) = covered(x, y);
            // Evenly half-transparent, such as glass: far from the contour, although hardly covered.
            let is_even = least > 0.5 && least > 0.98 * here;
            // In a line one pixel wide all is near the contour: there the most covered counts a
            // little.
            let confidence = match is_even {
                true => 1.0,
                false => ((least - 0.5) * 4.0).clamp(0.0, 1.0) + 0.001 * here.powi(4),
            };
            front.set(at, color, confidence);
            inside[at] = here > 0.5;
        }
    }
    let mut back = front.rim(&inside, reach / step[0].max(step[1])).halved();
    front.fill();
    back.fill();
    let mut texture = RgbImage::new(layout.size().0, layout.size().1);
    let offset = match layout.is_wide() {
        true => (0, height as u32),
        false => (width as u32, 0),
    };
    front.draw(&mut texture, (0, 0));
    back.draw(&mut texture, offset);
    texture
}

/// Returns the layout's rectangle of the image with premultiplied colors, in the texture's resolution.
fn scaled_part(image: &RgbaImage, layout: TextureLayout) -> RgbaImage {
    let rect = layout.rect;
    let mut part = crop_imm(image, rect.left, rect.top, rect.width, rect.height).to_image();
    // Premultiplied, so that clear pixels do not count when pixels are averaged.
    for pixel in part.pixels_mut() {
        let opacity = u32::from(pixel[3]);
        for channel in 0..3 {
            pixel[channel] = ((u32::from(pixel[channel]) * opacity + 127) / 255) as u8;
        }
    }
    if part.dimensions() == layout.image {
        return part;
    }
    thumbnail(&part, layout.image.0, layout.image.1)
}

/// Returns how far each pixel is from the nearest one that is not inside, in pixels, with an error of
/// at most 8 % (the chamfer distance of Borgefors).
pub fn distances(inside: &[bool], width: usize) -> Vec<f32> {
    const DIAGONAL: f32 = 4.0 / 3.0;
    let height = inside.len() / width;
    let mut distances: Vec<f32> = (inside.iter())
        .map(|is| if *is { f32::INFINITY } else { 0.0 })
        .collect();
    let pixels = || (0..height as isize).flat_map(|y| (0..width as isize).map(move |x| (x, y)));
    let mut pass = |pixels: &mut dyn Iterator<Item = (isize, isize)>, sign: isize| {
        for (x, y) in pixels {
            let near = [
                (-1, 0, 1.0),
                (-1, -1, DIAGONAL),
                (0, -1, 1.0),
                (1, -1, DIAGONAL),
            ];
            let near = near.map(|(dx, dy, length)| {
                let (x, y) = (x + sign * dx, y + sign * dy);
                let is_there =
                    (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
                // Nothing is inside beyond the border.
                let there = if is_there {
                    distances[y as usize * width + x as usize]
                } else {
                    0.0
                };
                there + length
            });
            let here = &mut distances[y as usize * width + x as usize];
            *here = near.into_iter().fold(*here, f32::min);
        }
    };
    pass(&mut pixels(), 1);
    let backwards: Vec<_> = pixels().collect();
    pass(&mut backwards.into_iter().rev(), -1);
    distances
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

    /// Returns the layer with the colors near the contour only. `margin` is the width of the edge whose
    /// colors are uncertain.
    fn rim(&self, inside: &[bool], margin: f32) -> Self {
        let width = RIM_WIDTH * self.width.max(self.height) as f32;
        let confidence = self.confidence.iter().zip(distances(inside, self.width));
        let confidence = confidence.map(|(confidence, distance)| {
            let part = (margin + 2.0 * width - distance) / width;
            confidence * part.clamp(0.0, 1.0)
        });
        Self {
            width: self.width,
            height: self.height,
            colors: self.colors.clone(),
            confidence: confidence.collect(),
        }
    }

    /// Draws the layer into an image, with its upper left corner at `offset`.
    fn draw(&self, image: &mut RgbImage, (left, top): (u32, u32)) {
        let rows = self.colors.chunks_exact(self.width);
        for (y, row) in rows.enumerate() {
            for (x, color) in row.iter().enumerate() {
                let color = (color + 0.5).to_array().map(|channel| channel as u8);
                image.put_pixel(left + x as u32, top + y as u32, Rgb(color));
            }
        }
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
