//! What of a picture becomes the model: the part that is opaque, what stands out against the
//! background, or all of it.

use image::imageops::thumbnail;
use image::{Rgba, RgbaImage};

use crate::background;
use crate::field::Field;

/// A mask is as long as the picture, but not longer than this.
const EDGE: u32 = 512;

/// How much of each part of the picture belongs to the model, from 0 to 1.
#[derive(Clone, Debug)]
pub struct Mask {
    pub coverage: Field,
    /// Whether it is an object; otherwise it is the whole picture.
    pub object: bool,
    /// So far inside of its edge, in its pixels, nothing of the background is left in the colours.
    pub margin: f32,
}

/// Finds what becomes the model.
///
/// # Errors
/// There is nothing, in words.
pub fn find(picture: &RgbaImage) -> Result<Mask, String> {
    let pixels = picture.pixels().len();
    let clear = picture.pixels().filter(|pixel| is_clear(pixel)).count();
    let small = shrunk(picture, EDGE);
    let (width, height) = (small.width() as usize, small.height() as usize);
    // At least 1 %.
    if clear * 100 >= pixels {
        let opacity = |x, y| f32::from(small.get_pixel(x as u32, y as u32)[3]) / 255.0;
        let coverage = Field::new(width, height, opacity);
        return match clear == pixels {
            true => Err("the picture is transparent all over".into()),
            false => Ok(Mask {
                coverage,
                object: true,
                margin: 1.5,
            }),
        };
    }
    Ok(match background::object(&small) {
        Some(coverage) => Mask {
            coverage,
            object: true,
            margin: 3.0,
        },
        None => Mask {
            coverage: Field::new(width, height, |_, _| 1.0),
            object: false,
            margin: 0.0,
        },
    })
}

/// More than half transparent.
fn is_clear(pixel: &Rgba<u8>) -> bool {
    pixel[3] < 128
}

/// The picture, `edge` pixels long at most.
pub fn shrunk(picture: &RgbaImage, edge: u32) -> RgbaImage {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= edge {
        return picture.clone();
    }
    let scaled = |length: u32| {
        let scaled = u64::from(length) * u64::from(edge) / u64::from(longer);
        (scaled as u32).max(1)
    };
    thumbnail(picture, scaled(width), scaled(height))
}
