//! Helpers for images: sizes, sampling, PNG and JPEG files.

use std::borrow::Cow;
use std::io::Cursor;

use glam::Vec3;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::thumbnail;
use image::{DynamicImage, ImageFormat, ImageResult, RgbImage, RgbaImage};

/// Returns the image's pixels with 8 bits per channel, without a copy if they already are.
pub fn to_rgba8(image: &DynamicImage) -> Cow<'_, RgbaImage> {
    match image.as_rgba8() {
        Some(image) => Cow::Borrowed(image),
        None => Cow::Owned(image.to_rgba8()),
    }
}

/// Returns the size with the same proportions whose longer edge is `edge`, in whole pixels, rounded
/// down and at least 1.
pub fn scaled_size((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height)).max(1);
    let scaled = |length: u32| ((u64::from(length) * u64::from(edge) / longer) as u32).max(1);
    (scaled(width), scaled(height))
}

/// Returns the image with a longer edge of at most `max_edge` pixels.
pub fn shrink_to_fit(image: &RgbaImage, max_edge: u32) -> RgbaImage {
    if image.width().max(image.height()) <= max_edge {
        return image.clone();
    }
    let (width, height) = scaled_size(image.dimensions(), max_edge);
    thumbnail(image, width, height)
}

/// Returns the bilinearly interpolated color at texture coordinates, each channel from 0 to 255.
pub fn sample_texture(texture: &RgbImage, u: f32, v: f32) -> Vec3 {
    let neighbors = |part: f32, length: u32| {
        let at = (part * length as f32 - 0.5).clamp(0.0, (length - 1) as f32);
        let low = at as u32;
        (low, (low + 1).min(length - 1), at - low as f32)
    };
    let (left, right, across) = neighbors(u, texture.width());
    let (top, bottom, down) = neighbors(v, texture.height());
    let at = |x, y| Vec3::from(texture.get_pixel(x, y).0.map(f32::from));
    let row = |y| lerp(at(left, y), at(right, y), across);
    lerp(row(top), row(bottom), down)
}

/// Returns the linear interpolation from `a` (`part` 0) to `b` (`part` 1).
pub fn lerp(a: Vec3, b: Vec3, part: f32) -> Vec3 {
    a + (b - a) * part
}

/// Writes a PNG file.
///
/// # Errors
/// Fails if the image's pixels have a type that PNG does not support.
pub fn encode_png(image: &DynamicImage) -> ImageResult<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

/// Writes a JPEG file. `quality` is from 1 to 100.
///
/// # Errors
/// Fails if an edge is longer than 65,535 pixels.
pub fn encode_jpeg(image: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality))?;
    Ok(file)
}
