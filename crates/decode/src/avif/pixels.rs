//! Converts decoded planes to RGB.

use image::RgbaImage;
use re_rav1d::dav1d::pixel::YUVRange;
use re_rav1d::dav1d::{Picture, PixelLayout, PlanarImageComponent};

/// How color differences become colors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Matrix {
    /// The planes are green, blue and red.
    Identity,
    /// With the parts of red and blue in the brightness.
    Weights {
        /// Of red.
        red: f32,
        /// Of blue.
        blue: f32,
    },
}

impl Matrix {
    /// Returns the matrix of a code (MatrixCoefficients of ITU-T H.273), or `None` for one that is not
    /// supported. Unspecified colors are those of BT.601, as in `libavif`.
    pub fn of_code(code: u16) -> Option<Self> {
        let (red, blue) = match code {
            0 => return Some(Self::Identity),
            1 => (0.2126, 0.0722),
            2 | 5 | 6 => (0.299, 0.114),
            4 => (0.3, 0.11),
            7 => (0.212, 0.087),
            9 => (0.2627, 0.0593),
            _ => return None,
        };
        Some(Self::Weights { red, blue })
    }
}

/// The values of a plane, of 8 to 12 bits.
struct Plane {
    samples: re_rav1d::dav1d::Plane,
    stride: usize,
    width: usize,
    height: usize,
    is_wide: bool,
}

impl Plane {
    fn new(picture: &Picture, component: PlanarImageComponent, half: [bool; 2]) -> Self {
        let halve = |length: u32, is_half: bool| match is_half {
            true => length.div_ceil(2) as usize,
            false => length as usize,
        };
        Self {
            samples: picture.plane(component),
            stride: picture.stride(component) as usize,
            width: halve(picture.width(), half[0]),
            height: halve(picture.height(), half[1]),
            is_wide: picture.bit_depth() > 8,
        }
    }

    /// Copies a row to numbers. Rows and columns after the last are equal to it.
    fn read_row(&self, row: usize, samples: &mut Vec<f32>) {
        samples.clear();
        let start = row.min(self.height.saturating_sub(1)) * self.stride;
        let rest = self.samples.get(start..).unwrap_or_default();
        match self.is_wide {
            true => samples.extend(
                rest.chunks_exact(2)
                    .take(self.width)
                    .map(|bytes| f32::from(u16::from_le_bytes([bytes[0], bytes[1]]))),
            ),
            false => samples.extend(rest.iter().take(self.width).map(|byte| f32::from(*byte))),
        }
    }
}

/// A plane that is read row by row, as wide and high as the image. Halved planes are interpolated
/// between the centers of their samples.
struct FullPlane {
    plane: Plane,
    half: [bool; 2],
    near: Vec<f32>,
    far: Vec<f32>,
}

impl FullPlane {
    fn new(picture: &Picture, component: PlanarImageComponent, half: [bool; 2]) -> Self {
        Self {
            plane: Plane::new(picture, component, half),
            half,
            near: Vec::new(),
            far: Vec::new(),
        }
    }

    fn read_row(&mut self, row: usize, width: usize, samples: &mut Vec<f32>) {
        let [is_half_width, is_half_height] = self.half;
        if is_half_height {
            let near = row / 2;
            let far = if row.is_multiple_of(2) {
                near.saturating_sub(1)
            } else {
                near + 1
            };
            self.plane.read_row(near, &mut self.near);
            self.plane.read_row(far, &mut self.far);
            for (near, far) in self.near.iter_mut().zip(&self.far) {
                *near = 0.75 * *near + 0.25 * far;
            }
        } else {
            self.plane.read_row(row, &mut self.near);
        }
        if !is_half_width {
            std::mem::swap(&mut self.near, samples);
            return;
        }
        samples.clear();
        let last = self.near.len().saturating_sub(1);
        samples.extend((0..width).map(|column| {
            let near = (column / 2).min(last);
            let far = match column % 2 {
                0 => near.saturating_sub(1),
                _ => (near + 1).min(last),
            };
            let value = |at: usize| self.near.get(at).copied().unwrap_or_default();
            0.75 * value(near) + 0.25 * value(far)
        }));
    }
}

/// The range of coded values.
#[derive(Clone, Copy)]
pub struct Range {
    /// The value of black.
    black: f32,
    /// From black to white.
    bright: f32,
    /// The value of gray in the planes of color differences.
    neutral: f32,
    /// From the smallest to the largest difference.
    differences: f32,
}

impl Range {
    /// Returns the range of values of a number of bits.
    pub fn new(bits: usize, range: YUVRange) -> Self {
        let scale = (1 << (bits.max(8) - 8)) as f32;
        let max = (1 << bits) as f32 - 1.0;
        let neutral = 128.0 * scale;
        match range {
            YUVRange::Full => Self {
                black: 0.0,
                bright: max,
                neutral,
                differences: max,
            },
            YUVRange::Limited => Self {
                black: 16.0 * scale,
                bright: 219.0 * scale,
                neutral,
                differences: 224.0 * scale,
            },
        }
    }
}

/// Converts a picture to RGB, opaque.
pub fn to_rgb(picture: &Picture, matrix: Matrix, range: Range) -> RgbaImage {
    let half = match picture.pixel_layout() {
        PixelLayout::I420 => [true, true],
        PixelLayout::I422 => [true, false],
        PixelLayout::I400 | PixelLayout::I444 => [false, false],
    };
    let has_colors = picture.pixel_layout() != PixelLayout::I400;
    let mut image = RgbaImage::new(picture.width(), picture.height());
    let width = picture.width() as usize;
    let mut brightness = FullPlane::new(picture, PlanarImageComponent::Y, [false; 2]);
    let mut differences = has_colors.then(|| {
        [PlanarImageComponent::U, PlanarImageComponent::V]
            .map(|component| FullPlane::new(picture, component, half))
    });
    let mut rows = [const { Vec::new() }; 3];
    for (row, pixels) in image.chunks_exact_mut(4 * width.max(1)).enumerate() {
        let [first, second, third] = &mut rows;
        brightness.read_row(row, width, first);
        if let Some([u, v]) = &mut differences {
            u.read_row(row, width, second);
            v.read_row(row, width, third);
        }
        for (column, pixel) in pixels.chunks_exact_mut(4).enumerate() {
            let value = |row: &[f32]| row.get(column).copied().unwrap_or_default();
            let bright = (value(first) - range.black) / range.bright;
            let colors = match (matrix, has_colors) {
                (_, false) => [bright; 3],
                (Matrix::Identity, true) => {
                    let other = |row: &[f32]| (value(row) - range.black) / range.bright;
                    [other(third), bright, other(second)]
                }
                (Matrix::Weights { red, blue }, true) => {
                    let difference = |row: &[f32]| (value(row) - range.neutral) / range.differences;
                    let r = bright + 2.0 * (1.0 - red) * difference(third);
                    let b = bright + 2.0 * (1.0 - blue) * difference(second);
                    [r, (bright - red * r - blue * b) / (1.0 - red - blue), b]
                }
            };
            let bytes = colors.map(|color| (color * 255.0).round() as u8);
            pixel[..3].copy_from_slice(&bytes);
            pixel[3] = u8::MAX;
        }
    }
    image
}

/// Sets the alpha channel of an image from the brightness of a picture of the same size.
pub fn set_alpha(image: &mut RgbaImage, picture: &Picture, range: Range) {
    let mut plane = FullPlane::new(picture, PlanarImageComponent::Y, [false; 2]);
    let width = image.width() as usize;
    let mut samples = Vec::new();
    for (row, pixels) in image.chunks_exact_mut(4 * width.max(1)).enumerate() {
        plane.read_row(row, width, &mut samples);
        for (pixel, sample) in pixels.chunks_exact_mut(4).zip(&samples) {
            pixel[3] = ((sample - range.black) / range.bright * 255.0).round() as u8;
        }
    }
}

/// Divides the colors of an image by its alpha channel.
pub fn divide_by_alpha(image: &mut RgbaImage) {
    for pixel in image.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        if alpha > 0 {
            let divide = |color: u8| {
                let color = (u32::from(color) * 255 + u32::from(alpha) / 2) / u32::from(alpha);
                color.min(255) as u8
            };
            pixel.0 = [divide(red), divide(green), divide(blue), alpha];
        }
    }
}
