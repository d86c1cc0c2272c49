//! A filter that moves the edges of a mask to the edges of the image.
//!
//! The color guided filter of Kaiming He, Jian Sun and Xiaoou Tang, "Guided Image Filtering" (2010).

use glam::{Mat3, Vec3};
use image::RgbaImage;

use crate::scalar_field::ScalarField;

/// The radius of the filter's windows, in parts of the longer edge.
const RADIUS: f32 = 1.0 / 128.0;
/// How much the colors (from 0 to 1) of one material vary, as a variance.
const NOISE: f32 = 1e-4;

/// Filters a mask of the same size as the image.
pub fn guided_filter(image: &RgbaImage, mask: &ScalarField) -> ScalarField {
    let ScalarField { width, height, .. } = *mask;
    let radius = ((width.max(height) as f32 * RADIUS).round() as usize).max(1);
    let colors: Vec<Vec3> = image
        .pixels()
        .map(|pixel| Vec3::new(pixel[0].into(), pixel[1].into(), pixel[2].into()) / 255.0)
        .collect();
    let mean = |values: &dyn Fn(usize) -> f32| box_mean(width, height, radius, values);
    let mean_color = [0, 1, 2].map(|channel| mean(&|at| colors[at][channel]));
    let mean_mask = mean(&|at| mask.values[at]);
    let mean_product = [0, 1, 2].map(|channel| mean(&|at| colors[at][channel] * mask.values[at]));
    const PAIRS: [(usize, usize); 6] = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
    let mean_square = PAIRS.map(|(a, b)| mean(&|at| colors[at][a] * colors[at][b]));

    // In each window the mask is approximated as a linear function of the color.
    let (slopes, offsets): (Vec<Vec3>, Vec<f32>) = (0..colors.len())
        .map(|at| {
            let color = Vec3::from([0, 1, 2].map(|channel: usize| mean_color[channel][at]));
            let product = Vec3::from([0, 1, 2].map(|channel: usize| mean_product[channel][at]));
            let mut variance = [[0.0; 3]; 3];
            for ((a, b), square) in PAIRS.into_iter().zip(&mean_square) {
                variance[a][b] = square[at] - color[a] * color[b];
                variance[b][a] = variance[a][b];
            }
            for (channel, row) in variance.iter_mut().enumerate() {
                row[channel] += NOISE;
            }
            let covariance = product - color * mean_mask[at];
            let slope = Mat3::from_cols_array_2d(&variance).inverse() * covariance;
            (slope, mean_mask[at] - slope.dot(color))
        })
        .unzip();
    let mean_slope = [0, 1, 2].map(|channel| mean(&|at| slopes[at][channel]));
    let mean_offset = mean(&|at| offsets[at]);
    ScalarField::new(width, height, |x, y| {
        let at = y * width + x;
        let slope = Vec3::from([0, 1, 2].map(|channel: usize| mean_slope[channel][at]));
        slope.dot(colors[at]) + mean_offset[at]
    })
}

/// Returns the mean over the square window around each pixel, cut off at the border.
fn box_mean(width: usize, height: usize, radius: usize, value: &dyn Fn(usize) -> f32) -> Vec<f32> {
    // The sums of all values above and to the left.
    let mut sums = vec![0.0f64; (width + 1) * (height + 1)];
    for y in 0..height {
        let mut row = 0.0;
        for x in 0..width {
            row += f64::from(value(y * width + x));
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
        }
    }
    let sum_to = |x: usize, y: usize| sums[y * (width + 1) + x];
    let window =
        |at: usize, length: usize| (at.saturating_sub(radius), (at + radius + 1).min(length));
    let mut means = Vec::with_capacity(width * height);
    for y in 0..height {
        let (top, bottom) = window(y, height);
        for x in 0..width {
            let (left, right) = window(x, width);
            let sum = sum_to(right, bottom) - sum_to(left, bottom) - sum_to(right, top)
                + sum_to(left, top);
            means.push((sum / ((right - left) * (bottom - top)) as f64) as f32);
        }
    }
    means
}
