//! The picture as engines take it.

use std::io::Cursor;

use api::image::codecs::jpeg::JpegEncoder;
use api::image::imageops::FilterType;
use api::image::{DynamicImage, ImageFormat, RgbaImage};
use base64_simd::STANDARD;

/// A PNG of the object alone, at most `edge` pixels long, as bare base64.
///
/// # Errors
/// There is nothing in the picture, in words.
pub fn cut_out(picture: &DynamicImage, edge: u32) -> Result<String, String> {
    let picture = sculpt::remove_background(picture, edge)?;
    Ok(STANDARD.encode_to_string(png(&picture.into())?))
}

/// A `data:` URI of the picture, at most `edge` pixels long: PNG where it is transparent somewhere,
/// and JPEG otherwise.
///
/// # Errors
/// It cannot be written, in words.
pub fn data_uri(picture: &DynamicImage, edge: u32) -> Result<String, String> {
    let smaller = match picture.width().max(picture.height()) > edge {
        true => &picture.resize(edge, edge, FilterType::Triangle),
        false => picture,
    };
    let clear = |picture: &RgbaImage| picture.pixels().any(|pixel| pixel[3] < 255);
    let (media_type, bytes) = match smaller.color().has_alpha() && clear(&smaller.to_rgba8()) {
        true => ("image/png", png(smaller)?),
        false => {
            let mut file = Cursor::new(Vec::new());
            let encoder = JpegEncoder::new_with_quality(&mut file, 92);
            let written = smaller.to_rgb8().write_with_encoder(encoder);
            written.map_err(|error| error.to_string())?;
            ("image/jpeg", file.into_inner())
        }
    };
    let base64 = STANDARD.encode_to_string(bytes);
    Ok(format!("data:{media_type};base64,{base64}"))
}

fn png(picture: &DynamicImage) -> Result<Vec<u8>, String> {
    let mut file = Cursor::new(Vec::new());
    let written = picture.write_to(&mut file, ImageFormat::Png);
    written.map_err(|error| error.to_string())?;
    Ok(file.into_inner())
}
