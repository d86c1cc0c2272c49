//! The rectangle of the image that the model is made of.

use glam::DVec2;

use crate::scalar_field::ScalarField;

/// A rectangle of the image, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageRect {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

impl ImageRect {
    /// Returns its width and height.
    pub fn size(self) -> DVec2 {
        DVec2::new(self.width.into(), self.height.into())
    }
}

/// Returns the rectangle around what is covered, with a margin of two pixels of the coverage, and the
/// coverage in it. The size is the image's. Returns `None` if nothing is covered.
pub fn crop(
    coverage: &ScalarField,
    (width, height): (u32, u32),
) -> Option<(ImageRect, ScalarField)> {
    let is_covered = |x: usize, y: usize| coverage.at(x, y) > 0.5;
    let columns =
        || (0..coverage.width).filter(|x| (0..coverage.height).any(|y| is_covered(*x, y)));
    let rows = || (0..coverage.height).filter(|y| (0..coverage.width).any(|x| is_covered(x, *y)));
    // The contour is up to one pixel outside of the pixels that are mostly covered.
    let with_margin = |first: usize, last: usize, length: usize| {
        (first.saturating_sub(2), (last + 3).min(length))
    };
    let (left, right) = with_margin(columns().next()?, columns().next_back()?, coverage.width);
    let (top, bottom) = with_margin(rows().next()?, rows().next_back()?, coverage.height);
    // From the mask's pixels to whole pixels of the image.
    let to_image =
        |at: usize, length: usize, full: u32| (at as u64 * u64::from(full) / length as u64) as u32;
    let (x, y) = (
        [left, right].map(|at| to_image(at, coverage.width, width)),
        [top, bottom].map(|at| to_image(at, coverage.height, height)),
    );
    let rect = ImageRect {
        left: x[0],
        top: y[0],
        width: (x[1] - x[0]).max(1),
        height: (y[1] - y[0]).max(1),
    };
    let (width, height) = (right - left, bottom - top);
    let coverage = coverage.cropped(left as isize, top as isize, width, height);
    Some((rect, coverage))
}
