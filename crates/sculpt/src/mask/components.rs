//! The connected parts of an object.

use super::pixel_grid::PixelGrid;

/// Returns the largest connected part, and others of at least a tenth of its area.
pub fn keep_large_parts(grid: PixelGrid, is_object: &[bool]) -> Vec<bool> {
    // The number of each pixel's part, from 1; 0 for none.
    let mut part_of = vec![0; is_object.len()];
    let mut sizes = vec![0];
    for start in 0..is_object.len() {
        if !is_object[start] || part_of[start] != 0 {
            continue;
        }
        let number = sizes.len();
        let mut size = 0;
        let mut waiting = vec![start];
        part_of[start] = number;
        while let Some(at) = waiting.pop() {
            size += 1;
            for next in grid.neighbors(at) {
                if is_object[next] && part_of[next] == 0 {
                    part_of[next] = number;
                    waiting.push(next);
                }
            }
        }
        sizes.push(size);
    }
    let largest = sizes.iter().copied().max().unwrap_or_default();
    let is_kept = |number: usize| number != 0 && sizes[number] * 10 >= largest;
    part_of.into_iter().map(is_kept).collect()
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
