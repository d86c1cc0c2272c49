//! Removes the background of an image, for engines that take an object alone.

use image::imageops::{FilterType, resize};
use image::{DynamicImage, RgbaImage};

use crate::images::scaled_size;
use crate::mask::Cutout;

/// Returns the image with a longer edge of at most `max_edge` pixels, and transparent where the cutout
/// does not cover it.
pub fn remove_background(image: &DynamicImage, cutout: &Cutout, max_edge: u32) -> RgbaImage {
    let image = image.to_rgba8();
    let mut small = match image.width().max(image.height()) <= max_edge {
        true => image,
        false => {
            let (width, height) = scaled_size(image.dimensions(), max_edge);
            resize(&image, width, height, FilterType::Triangle)
        }
    };
    let coverage = cutout.coverage_of(&small);
    for (x, y, pixel) in small.enumerate_pixels_mut() {
        let opacity = (255.0 * coverage.at(x as usize, y as usize)) as u8;
        pixel[3] = pixel[3].min(opacity);
    }
    small
}
