//! Numbers on a regular grid.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma};

/// Rows of numbers, the top row first.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Field {
    pub fn new(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let value = &value;
        let values = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y)));
        Self {
            width,
            height,
            values: values.collect(),
        }
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The value at any place, the numbers being those at whole `x` and `y`; beyond the edge it is
    /// that of the edge.
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let along = |place: f32, length: usize| {
            let place = place.clamp(0.0, (length - 1) as f32);
            let low = place as usize;
            (low, (low + 1).min(length - 1), place - low as f32)
        };
        let (left, right, across) = along(x, self.width);
        let (top, bottom, down) = along(y, self.height);
        let row = |y| mix(self.at(left, y), self.at(right, y), across);
        mix(row(top), row(bottom), down)
    }

    /// The same picture in another size.
    pub fn resized(self, width: usize, height: usize) -> Self {
        let (from_width, from_height) = (self.width as u32, self.height as u32);
        let picture: Option<ImageBuffer<Luma<f32>, Vec<f32>>> =
            ImageBuffer::from_raw(from_width, from_height, self.values);
        // There are as many values as the size says.
        let picture = picture.unwrap_or_default();
        let picture = resize(&picture, width as u32, height as u32, FilterType::Triangle);
        Self {
            width,
            height,
            values: picture.into_raw(),
        }
    }

    /// A part of it; outside of the field there are zeros.
    pub fn cropped(&self, left: isize, top: isize, width: usize, height: usize) -> Self {
        Self::new(width, height, |x, y| {
            let (x, y) = (left + x as isize, top + y as isize);
            let inside =
                (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
            if inside {
                self.at(x as usize, y as usize)
            } else {
                0.0
            }
        })
    }
}

/// From `a` to `b`.
pub fn mix(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}
