//! The picture as the model wears it: projected from the front, and its colours carried on past the
//! outline, so that nothing of the background shows on the rim.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{crop_imm, thumbnail};
use image::{Rgb, RgbImage, RgbaImage};

use crate::area::Area;
use crate::field::{Field, mix};

/// Of 100; above this a file grows and nothing is to be seen of it.
const QUALITY: u8 = 92;

/// The texture of an area of the picture, `edge` pixels long at most, and never longer than what it
/// shows. `coverage` is that of the same area; within `margin` of its edge, in its pixels, colours
/// are not to be trusted.
pub fn paint(
    picture: &RgbaImage,
    area: Area,
    coverage: &Field,
    margin: f32,
    edge: u32,
) -> RgbImage {
    let mut part = crop_imm(picture, area.left, area.top, area.width, area.height).to_image();
    // Colours count by their opacity when pixels are put together.
    for pixel in part.pixels_mut() {
        let opacity = u32::from(pixel[3]);
        for channel in 0..3 {
            pixel[channel] = (u32::from(pixel[channel]) * opacity / 255) as u8;
        }
    }
    let longer = area.width.max(area.height);
    if longer > edge {
        let scaled =
            |length: u32| (f64::from(length) * f64::from(edge) / f64::from(longer)).round();
        let [width, height] =
            [area.width, area.height].map(|length| (scaled(length) as u32).max(1));
        part = thumbnail(&part, width, height);
    }
    let (width, height) = (part.width() as usize, part.height() as usize);
    // From the texture's pixels to the mask's.
    let step = [
        coverage.width as f32 / width as f32,
        coverage.height as f32 / height as f32,
    ];
    let reach = margin.max(1.5 * step[0].max(step[1])).min(margin * 8.0);
    let sureness = |x: usize, y: usize| {
        let place = [(x, step[0]), (y, step[1])].map(|(at, step)| (at as f32 + 0.5) * step - 0.5);
        let [x, y] = place;
        let away = [(reach, 0.0), (-reach, 0.0), (0.0, reach), (0.0, -reach)];
        let around = away.map(|(dx, dy)| coverage.sample(x + dx, y + dy));
        let here = coverage.sample(x, y);
        let least = around.into_iter().fold(here, f32::min);
        // Where nothing is sure, as in a line one pixel wide, the likeliest counts.
        ((least - 0.5) * 4.0).clamp(0.0, 1.0) + 0.001 * here.powi(4)
    };
    let mut layer = Layer::new(width, height);
    for (x, y, pixel) in part.enumerate_pixels() {
        let opacity = f32::from(pixel[3]);
        if opacity > 0.0 {
            let at = y as usize * width + x as usize;
            let colour = [0, 1, 2].map(|channel| 255.0 * f32::from(pixel[channel]) / opacity);
            layer.set(at, colour, sureness(x as usize, y as usize));
        }
    }
    layer.fill();
    RgbImage::from_fn(part.width(), part.height(), |x, y| {
        Rgb(layer.colours[y as usize * width + x as usize].map(|part| (part + 0.5) as u8))
    })
}

/// Colours, each with how sure it is, from 0 to 1.
struct Layer {
    width: usize,
    height: usize,
    colours: Vec<[f32; 3]>,
    sureness: Vec<f32>,
}

impl Layer {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            colours: vec![[0.0; 3]; width * height],
            sureness: vec![0.0; width * height],
        }
    }

    fn set(&mut self, at: usize, colour: [f32; 3], sureness: f32) {
        self.colours[at] = colour;
        self.sureness[at] = sureness.min(1.0);
    }

    /// Gives what is not sure the colours around it: those of the same picture in half the size,
    /// which is filled in the same way first.
    fn fill(&mut self) {
        if self.width.max(self.height) == 1 || self.sureness.iter().all(|sure| *sure >= 1.0) {
            return;
        }
        let mut half = self.halved();
        half.fill();
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y * self.width + x;
                if self.sureness[at] < 1.0 {
                    let around = half.sample(x, y);
                    for (colour, around) in self.colours[at].iter_mut().zip(around) {
                        *colour = mix(around, *colour, self.sureness[at]);
                    }
                }
            }
        }
    }

    fn halved(&self) -> Self {
        let mut half = Self::new(self.width.div_ceil(2), self.height.div_ceil(2));
        for y in 0..half.height {
            for x in 0..half.width {
                let (mut sum, mut weight) = ([0.0; 3], 0.0);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (x, y) = (2 * x + dx, 2 * y + dy);
                    if x < self.width && y < self.height {
                        let at = y * self.width + x;
                        weight += self.sureness[at];
                        for (sum, colour) in sum.iter_mut().zip(self.colours[at]) {
                            *sum += self.sureness[at] * colour;
                        }
                    }
                }
                if weight > 0.0 {
                    half.set(y * half.width + x, sum.map(|sum| sum / weight), weight);
                }
            }
        }
        half
    }

    /// The colour at a pixel of the picture in twice the size, between the nearest four.
    fn sample(&self, x: usize, y: usize) -> [f32; 3] {
        let along = |at: usize, length: usize| {
            let nearest = at / 2;
            let other = if at.is_multiple_of(2) {
                nearest.saturating_sub(1)
            } else {
                nearest + 1
            };
            [(nearest, 0.75), (other.min(length - 1), 0.25)]
        };
        let mut colour = [0.0; 3];
        for (y, down) in along(y, self.height) {
            for (x, across) in along(x, self.width) {
                let at = y * self.width + x;
                for (colour, part) in colour.iter_mut().zip(self.colours[at]) {
                    *colour += part * down * across;
                }
            }
        }
        colour
    }
}

/// As a JPEG file.
///
/// # Errors
/// Why it cannot be written, in words.
pub fn jpeg(texture: &RgbImage) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, QUALITY);
    let written = texture.write_with_encoder(encoder);
    written.map_err(|error| error.to_string())?;
    Ok(file)
}
