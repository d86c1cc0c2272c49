//! A filter that moves the edges of a mask to the edges of the image.
//!
//! The color guided filter of Kaiming He, Jian Sun and Xiaoou Tang, "Guided Image Filtering" (2010); its
//! model may be applied at another resolution than it was fitted at, as in their "Fast Guided Filter"
//! (2015).

use glam::{Mat3, Vec3};
use image::RgbaImage;

use crate::scalar_field::ScalarField;

/// The radius of the filter's windows, in parts of the longer edge.
const RADIUS: f32 = 1.0 / 128.0;
/// How much the colors (from 0 to 1) of one material vary, as a variance.
const NOISE: f32 = 1e-4;
/// The pairs of channels in a covariance matrix.
const PAIRS: [(usize, usize); 6] = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];

/// A mask as a function of the image: linear in the color, with other coefficients at each pixel.
pub struct GuidedMask {
    slope: [ScalarField; 3],
    offset: ScalarField,
}

impl GuidedMask {
    /// Fits the function to a mask of the same size as the image.
    pub fn fit(image: &RgbaImage, mask: &ScalarField) -> Self {
        let ScalarField { width, height, .. } = *mask;
        let radius = ((width.max(height) as f32 * RADIUS).round() as usize).max(1);
        let colors: Vec<Vec3> = image.pixels().map(|pixel| color(pixel.0)).collect();
        let mean = |value: &dyn Fn(usize) -> f32| box_mean((width, height), radius, value);
        let mean_color = channels(|channel| mean(&|at| colors[at][channel]));
        let mean_mask = mean(&|at| mask.values[at]);
        let mean_product = channels(|channel| mean(&|at| colors[at][channel] * mask.values[at]));
        let mean_square = PAIRS.map(|(a, b)| mean(&|at| colors[at][a] * colors[at][b]));

        let fit_window = |at: usize| {
            let color = Vec3::from(channels(|channel| mean_color[channel].values[at]));
            let product = Vec3::from(channels(|channel| mean_product[channel].values[at]));
            let mut variance = [[0.0; 3]; 3];
            for ((a, b), square) in PAIRS.into_iter().zip(&mean_square) {
                variance[a][b] = square.values[at] - color[a] * color[b];
                variance[b][a] = variance[a][b];
            }
            for (channel, row) in variance.iter_mut().enumerate() {
                row[channel] += NOISE;
            }
            let covariance = product - color * mean_mask.values[at];
            let slope = Mat3::from_cols_array_2d(&variance).inverse() * covariance;
            (slope, mean_mask.values[at] - slope.dot(color))
        };
        let (slopes, offsets): (Vec<Vec3>, Vec<f32>) = (0..colors.len()).map(fit_window).unzip();
        Self {
            slope: channels(|channel| mean(&|at| slopes[at][channel])),
            offset: mean(&|at| offsets[at]),
        }
    }

    /// Returns the mask at the resolution of an image, which may be another than that of the fit.
    /// Values may be slightly outside of 0 to 1.
    pub fn apply(&self, image: &RgbaImage) -> ScalarField {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let scale =
            |at: usize, to: usize, from: usize| (at as f32 + 0.5) * to as f32 / from as f32 - 0.5;
        ScalarField::new(width, height, |x, y| {
            let color = color(image.get_pixel(x as u32, y as u32).0);
            let (x, y) = (
                scale(x, self.offset.width, width),
                scale(y, self.offset.height, height),
            );
            let slope = Vec3::from(channels(|channel| self.slope[channel].sample(x, y)));
            slope.dot(color) + self.offset.sample(x, y)
        })
    }
}

fn channels<T>(value: impl Fn(usize) -> T) -> [T; 3] {
    [value(0), value(1), value(2)]
}

fn color([red, green, blue, _]: [u8; 4]) -> Vec3 {
    Vec3::new(red.into(), green.into(), blue.into()) / 255.0
}

/// Returns the mean over the square window around each pixel, cut off at the border.
fn box_mean(
    (width, height): (usize, usize),
    radius: usize,
    value: &dyn Fn(usize) -> f32,
) -> ScalarField {
    // The sums of all values above and to the left.
    let stride = width + 1;
    let mut sums = vec![0.0f64; stride * (height + 1)];
    for y in 0..height {
        let mut row = 0.0;
        for x in 0..width {
            row += f64::from(value(y * width + x));
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
        }
    }
    let window =
        |at: usize, length: usize| (at.saturating_sub(radius), (at + radius + 1).min(length));
    ScalarField::new(width, height, |x, y| {
        let (left, right) = window(x, width);
        let (top, bottom) = window(y, height);
        let sum_to = |x: usize, y: usize| sums[y * stride + x];
        let sum =
            sum_to(right, bottom) - sum_to(left, bottom) - sum_to(right, top) + sum_to(left, top);
        (sum / ((right - left) * (bottom - top)) as f64) as f32
    })
}
