//! Encodes the input image in the forms that remote engines accept. The image is encoded from its
//! pixels: what its file contains besides, such as the place where a photo was taken, stays here.

use std::borrow::Cow;
use std::io::Cursor;

use api::image::codecs::jpeg::JpegEncoder;
use api::image::imageops::FilterType;
use api::image::{DynamicImage, ImageError, ImageFormat, RgbaImage};
use base64_simd::STANDARD;

use super::service::ModelRequest;

/// Returns the image as a PNG in base64, with a longest edge of at most `max_edge` pixels, and
/// transparent where the request's cutout does not cover it.
///
/// # Errors
/// Fails if the image cannot be encoded.
pub fn base64_png(request: &ModelRequest, max_edge: u32) -> Result<String, ImageError> {
    Ok(STANDARD.encode_to_string(png(&sent_image(request, max_edge))?))
}

/// An image file.
pub struct ImageFile {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl ImageFile {
    /// Returns a name for the file.
    pub fn name(&self) -> &'static str {
        match self.media_type {
            "image/png" => "image.png",
            _ => "image.jpg",
        }
    }
}

/// Returns the image as a file, with a longest edge of at most `max_edge` pixels, and transparent where
/// the request's cutout does not cover it: as PNG if it has transparent pixels, else as JPEG.
///
/// # Errors
/// Fails if the image cannot be encoded.
pub fn file(request: &ModelRequest, max_edge: u32) -> Result<ImageFile, ImageError> {
    let image = sent_image(request, max_edge);
    let is_transparent = |image: &RgbaImage| image.pixels().any(|pixel| pixel[3] < 255);
    match image.color().has_alpha() && is_transparent(&image.to_rgba8()) {
        true => Ok(ImageFile {
            media_type: "image/png",
            bytes: png(&image)?,
        }),
        false => {
            let mut file = Cursor::new(Vec::new());
            let encoder = JpegEncoder::new_with_quality(&mut file, 92);
            image.to_rgb8().write_with_encoder(encoder)?;
            Ok(ImageFile {
                media_type: "image/jpeg",
                bytes: file.into_inner(),
            })
        }
    }
}

/// Returns the image as a `data:` URI, as [`file`] does.
///
/// # Errors
/// Fails if the image cannot be encoded.
pub fn data_uri(request: &ModelRequest, max_edge: u32) -> Result<String, ImageError> {
    let ImageFile { media_type, bytes } = file(request, max_edge)?;
    let base64 = STANDARD.encode_to_string(bytes);
    Ok(format!("data:{media_type};base64,{base64}"))
}

fn sent_image<'a>(request: &ModelRequest<'a>, max_edge: u32) -> Cow<'a, DynamicImage> {
    let image = request.image;
    if let Some(cutout) = request.cutout {
        return Cow::Owned(sculpt::remove_background(image, cutout, max_edge).into());
    }
    match image.width().max(image.height()) > max_edge {
        true => Cow::Owned(image.resize(max_edge, max_edge, FilterType::Triangle)),
        false => Cow::Borrowed(image),
    }
}

fn png(image: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}
