//! Which part of an image becomes the model: what is opaque, what differs from the background, or all
//! of it.

use image::{Rgba, RgbaImage};

use super::background;
use crate::images::shrink_to_fit;
use crate::scalar_field::ScalarField;

/// The longest edge of a mask, in pixels.
const MAX_EDGE: u32 = 512;
/// An image with at least this part of clear pixels, in percent, has its object cut out already.
const CLEAR_PERCENT: usize = 1;
/// The widths of the edges where the colors are still mixed with the background's, in pixels of the
/// mask.
const CUT_OUT_MARGIN: f32 = 1.5;
const SEGMENTED_MARGIN: f32 = 3.0;

/// How much of each part of an image belongs to the model.
#[derive(Clone, Debug)]
pub struct Mask {
    /// From 0 to 1, over the whole image.
    pub coverage: ScalarField,
    /// The covered area.
    pub subject: Subject,
    /// The colors this far inside the contour, in pixels of the mask, are free of the background's.
    pub margin: f32,
}

/// The area that a mask covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An object that stands out from the background.
    Object,
    /// The whole image, in which no object stands out.
    WholeImage,
}

/// Why an image has nothing that could become a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoObjectError {
    /// All pixels are more than half transparent.
    #[error("The image is fully transparent: expected an image with a visible object")]
    Transparent,
    /// The object has no part that a model could show.
    #[error("The object in the image is too small or too fine for a 3D model")]
    TooFine,
}

/// Detects what becomes the model.
///
/// # Errors
/// Fails if the image is transparent all over.
pub fn detect(image: &RgbaImage) -> Result<Mask, NoObjectError> {
    let pixels = image.pixels().len();
    let clear = image.pixels().filter(|pixel| is_clear(pixel)).count();
    let small = shrink_to_fit(image, MAX_EDGE);
    let (width, height) = (small.width() as usize, small.height() as usize);
    if clear == pixels {
        return Err(NoObjectError::Transparent);
    }
    if clear * 100 >= CLEAR_PERCENT * pixels {
        let opacity = |x, y| f32::from(small.get_pixel(x as u32, y as u32)[3]) / 255.0;
        return Ok(Mask {
            coverage: ScalarField::new(width, height, opacity),
            subject: Subject::Object,
            margin: CUT_OUT_MARGIN,
        });
    }
    Ok(match background::segment(&small) {
        Some(coverage) => Mask {
            coverage,
            subject: Subject::Object,
            margin: SEGMENTED_MARGIN,
        },
        None => Mask {
            coverage: ScalarField::new(width, height, |_, _| 1.0),
            subject: Subject::WholeImage,
            margin: 0.0,
        },
    })
}

/// Whether a pixel is more than half transparent.
fn is_clear(pixel: &Rgba<u8>) -> bool {
    pixel[3] < 128
}
