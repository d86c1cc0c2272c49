//! Fills the holes of an object: only what the background reaches from the image's border is
//! background, so that an area of its color inside the object belongs to the object.

use super::pixel_grid::PixelGrid;

/// Marks the background by a flood fill from the border.
///
/// `starts` tells whether it begins at a pixel of the border, `spreads` whether it goes on from a
/// pixel (the first argument) to its neighbor. Returns for each pixel whether it is background.
pub fn flood_from_border(
    grid: PixelGrid,
    starts: impl Fn(usize) -> bool,
    spreads: impl Fn(usize, usize) -> bool,
) -> Vec<bool> {
    let mut is_background = vec![false; grid.width * grid.height];
    let mut waiting: Vec<_> = grid.border().filter(|at| starts(*at)).collect();
    for at in &waiting {
        is_background[*at] = true;
    }
    while let Some(at) = waiting.pop() {
        for next in grid.neighbors(at) {
            if !is_background[next] && spreads(at, next) {
                is_background[next] = true;
                waiting.push(next);
            }
        }
    }
    is_background
}
