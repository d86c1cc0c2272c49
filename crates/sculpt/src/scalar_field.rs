//! Numbers on a regular grid.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma};

/// A grid of numbers by rows, the top row first. It has at least one row and one column wherever it
/// is sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalarField {
    pub width: usize,
    pub height: usize,
    /// `width * height` numbers.
    pub values: Vec<f32>,
}

impl ScalarField {
    /// Creates a field whose number at column `x` and row `y` is `value(x, y)`.
    pub fn new(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let value = &value;
        let values = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y)));
        Self {
            width,
            height,
            values: values.collect(),
        }
    }

    /// Returns the number at column `x` and row `y`.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// Returns the bilinearly interpolated value at any point: at whole `x` and `y` the numbers
    /// themselves, and beyond the border the value at the border.
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let neighbors = |at: f32, length: usize| {
            let at = at.clamp(0.0, (length - 1) as f32);
            let low = at as usize;
            (low, (low + 1).min(length - 1), at - low as f32)
        };
        let (left, right, across) = neighbors(x, self.width);
        let (top, bottom, down) = neighbors(y, self.height);
        let row = |y| lerp(self.at(left, y), self.at(right, y), across);
        lerp(row(top), row(bottom), down)
    }

    /// Returns the field at another resolution, with the same extent.
    pub fn resized(self, width: usize, height: usize) -> Self {
        let (from_width, from_height) = (self.width as u32, self.height as u32);
        let image: Option<ImageBuffer<Luma<f32>, Vec<f32>>> =
            ImageBuffer::from_raw(from_width, from_height, self.values);
        // Never `None`: there are `width * height` values.
        let image = image.unwrap_or_default();
        let image = resize(&image, width as u32, height as u32, FilterType::Triangle);
        Self {
            width,
            height,
            values: image.into_raw(),
        }
    }

    /// Returns the smaller number of both fields at each point. `other` has the same size.
    pub fn min(&self, other: &Self) -> Self {
        Self::new(self.width, self.height, |x, y| {
            self.at(x, y).min(other.at(x, y))
        })
    }

    /// Returns the rectangle whose upper left corner is at column `left` and row `top`, with zeros
    /// where it exceeds the field.
    pub fn cropped(&self, left: isize, top: isize, width: usize, height: usize) -> Self {
        Self::new(width, height, |x, y| {
            let (x, y) = (left + x as isize, top + y as isize);
            let is_inside =
                (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
            if is_inside {
                self.at(x as usize, y as usize)
            } else {
                0.0
            }
        })
    }
}

/// Returns the linear interpolation from `a` (`part` 0) to `b` (`part` 1).
pub fn lerp(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}
