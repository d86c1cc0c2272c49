//! Encodes the input image in the forms that remote engines accept. The image is encoded from its
//! pixels: what its file contains besides, such as the place where a photo was taken, stays here.

use std::io::Cursor;

use api::image::codecs::jpeg::JpegEncoder;
use api::image::imageops::FilterType;
use api::image::{DynamicImage, ImageError, ImageFormat, RgbaImage};
use base64_simd::STANDARD;
use thiserror::Error;

/// Why the image cannot be sent.
#[derive(Debug, Error)]
pub enum InputImageError {
    /// There is no object in the image.
    #[error(transparent)]
    NoObject(#[from] sculpt::NoObjectError),
    /// The image cannot be encoded.
    #[error("the image cannot be encoded: {0}")]
    Encoding(#[from] ImageError),
}

/// Returns the object without its background as a PNG in base64, with a longest edge of at most
/// `max_edge` pixels.
///
/// # Errors
/// Fails if there is no object in the image.
pub fn cutout_base64(image: &DynamicImage, max_edge: u32) -> Result<String, InputImageError> {
    let cutout = sculpt::remove_background(image, max_edge)?;
    Ok(STANDARD.encode_to_string(png(&cutout.into())?))
}

/// Returns the image as a `data:` URI, with a longest edge of at most `max_edge` pixels: as PNG if it
/// has transparent pixels, else as JPEG.
///
/// # Errors
/// Fails if the image cannot be encoded.
pub fn data_uri(image: &DynamicImage, max_edge: u32) -> Result<String, InputImageError> {
    let resized = match image.width().max(image.height()) > max_edge {
        true => &image.resize(max_edge, max_edge, FilterType::Triangle),
        false => image,
    };
    let is_transparent = |image: &RgbaImage| image.pixels().any(|pixel| pixel[3] < 255);
    let (media_type, bytes) =
        match resized.color().has_alpha() && is_transparent(&resized.to_rgba8()) {
            true => ("image/png", png(resized)?),
            false => {
                let mut file = Cursor::new(Vec::new());
                let encoder = JpegEncoder::new_with_quality(&mut file, 92);
                resized.to_rgb8().write_with_encoder(encoder)?;
                ("image/jpeg", file.into_inner())
            }
        };
    let base64 = STANDARD.encode_to_string(bytes);
    Ok(format!("data:{media_type};base64,{base64}"))
}

fn png(image: &DynamicImage) -> Result<Vec<u8>, InputImageError> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}
