//! The part of the picture that the model is made of.

use crate::field::Field;
use crate::mask::Mask;

/// A rectangle of the picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// The area that the mask covers, with a little around it, and the coverage there.
pub fn covered(mask: &Mask, (width, height): (u32, u32)) -> Option<(Area, Field)> {
    let coverage = &mask.coverage;
    let is_covered = |x: usize, y: usize| coverage.at(x, y) > 0.5;
    let columns =
        || (0..coverage.width).filter(|x| (0..coverage.height).any(|y| is_covered(*x, y)));
    let rows = || (0..coverage.height).filter(|y| (0..coverage.width).any(|x| is_covered(x, *y)));
    // The outline lies outside of the pixels that are covered for the most part.
    let around = |first: usize, last: usize, length: usize| {
        (first.saturating_sub(2), (last + 3).min(length))
    };
    let (left, right) = around(columns().next()?, columns().next_back()?, coverage.width);
    let (top, bottom) = around(rows().next()?, rows().next_back()?, coverage.height);
    // From the mask's pixels to the picture's: whole ones, so that both are of the same area.
    let picture =
        |at: usize, length: usize, full: u32| (at as u64 * u64::from(full) / length as u64) as u32;
    let (x, y) = (
        [left, right].map(|at| picture(at, coverage.width, width)),
        [top, bottom].map(|at| picture(at, coverage.height, height)),
    );
    let area = Area {
        left: x[0],
        top: y[0],
        width: (x[1] - x[0]).max(1),
        height: (y[1] - y[0]).max(1),
    };
    let (left, top) = (left as isize, top as isize);
    let (width, height) = (right - left as usize, bottom - top as usize);
    Some((area, coverage.cropped(left, top, width, height)))
}
