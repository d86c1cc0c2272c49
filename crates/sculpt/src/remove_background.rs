//! Removes the background of an image, for engines that take an object alone.

use image::imageops::{FilterType, resize};
use image::{DynamicImage, RgbaImage};

use crate::images::scaled_size;
use crate::mask::{NoObjectError, detect};

/// Returns the image with a longer edge of at most `max_edge` pixels, and transparent where it does
/// not show the object. If no object stands out, all of it stays.
///
/// # Errors
/// Fails if the image is transparent all over.
pub fn remove_background(image: &DynamicImage, max_edge: u32) -> Result<RgbaImage, NoObjectError> {
    let image = image.to_rgba8();
    let mask = detect(&image)?;
    let mut small = match image.width().max(image.height()) <= max_edge {
        true => image,
        false => {
            let (width, height) = scaled_size(image.dimensions(), max_edge);
            resize(&image, width, height, FilterType::Triangle)
        }
    };
    let (width, height) = small.dimensions();
    let coverage = mask.coverage.resized(width as usize, height as usize);
    for (x, y, pixel) in small.enumerate_pixels_mut() {
        let opacity = (255.0 * coverage.at(x as usize, y as usize)) as u8;
        pixel[3] = pixel[3].min(opacity);
    }
    Ok(small)
}
