//! The connected parts of an object.

use super::pixel_grid::PixelGrid;

/// The connected parts of a set of pixels.
struct Parts {
    /// The number of each pixel's part, from 1; 0 for a pixel outside of the set.
    part_of: Vec<usize>,
    /// The number of pixels of each part, by its number.
    sizes: Vec<usize>,
}

impl Parts {
    fn of(grid: PixelGrid, is_member: impl Fn(usize) -> bool) -> Self {
        let mut part_of = vec![0; grid.width * grid.height];
        let mut sizes = vec![0];
        for start in 0..part_of.len() {
            if !is_member(start) || part_of[start] != 0 {
                continue;
            }
            let number = sizes.len();
            let mut size = 0;
            let mut waiting = vec![start];
            part_of[start] = number;
            while let Some(at) = waiting.pop() {
                size += 1;
                for next in grid.neighbors(at) {
                    if is_member(next) && part_of[next] == 0 {
                        part_of[next] = number;
                        waiting.push(next);
                    }
                }
            }
            sizes.push(size);
        }
        Self { part_of, sizes }
    }
}

/// Returns the largest connected part, and others of at least a tenth of its area.
pub fn keep_large_parts(grid: PixelGrid, is_object: &[bool]) -> Vec<bool> {
    let Parts { part_of, sizes } = Parts::of(grid, |at| is_object[at]);
    let largest = sizes.iter().copied().max().unwrap_or_default();
    let is_kept = |number: usize| number != 0 && sizes[number] * 10 >= largest;
    part_of.into_iter().map(is_kept).collect()
}

/// Returns the object with its holes of less than `min_size` pixels filled.
pub fn fill_small_holes(grid: PixelGrid, is_object: &[bool], min_size: usize) -> Vec<bool> {
    let Parts { part_of, sizes } = Parts::of(grid, |at| !is_object[at]);
    let mut is_open = vec![false; sizes.len()];
    for at in grid.border() {
        is_open[part_of[at]] = true;
    }
    let is_filled = |number: usize| number == 0 || (!is_open[number] && sizes[number] < min_size);
    part_of.into_iter().map(is_filled).collect()
}

/// Returns what is not background, without parts that are only one pixel wide (a morphological opening
/// by squares of 2 by 2 pixels).
pub fn remove_thin_parts(grid: PixelGrid, is_background: &[bool]) -> Vec<bool> {
    const SQUARE: [(usize, usize); 4] = [(0, 0), (1, 0), (0, 1), (1, 1)];
    let PixelGrid { width, height } = grid;
    let is_object = |x: usize, y: usize| x < width && y < height && !is_background[y * width + x];
    let mut is_kept = vec![false; is_background.len()];
    for y in 0..height {
        for x in 0..width {
            if SQUARE.iter().all(|(dx, dy)| is_object(x + dx, y + dy)) {
                for (dx, dy) in SQUARE {
                    is_kept[(y + dy) * width + x + dx] = true;
                }
            }
        }
    }
    is_kept
}
