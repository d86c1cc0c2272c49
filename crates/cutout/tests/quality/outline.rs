//! Compares outlines, in which white is the object.

use image::GrayImage;

fn is_object(mask: &GrayImage, x: u32, y: u32) -> bool {
    mask.get_pixel(x, y)[0] > 127
}

/// Returns the intersection over the union of two outlines of the same size.
pub fn iou(mask: &GrayImage, truth: &GrayImage) -> f32 {
    assert_eq!(mask.dimensions(), truth.dimensions());
    let (mut both, mut any) = (0, 0);
    for (x, y, _) in mask.enumerate_pixels() {
        let (a, b) = (is_object(mask, x, y), is_object(truth, x, y));
        both += u32::from(a && b);
        any += u32::from(a || b);
    }
    both as f32 / any.max(1) as f32
}

/// Returns the number of holes in an outline that are at least this part of the picture.
pub fn hole_count(mask: &GrayImage, min_part: f32) -> usize {
    let (width, height) = mask.dimensions();
    let min_size = (min_part * (width * height) as f32) as usize;
    let mut seen = vec![false; (width * height) as usize];
    let mut count = 0;
    for start in 0..width * height {
        let (mut size, mut is_open, mut waiting) = (0, false, vec![start]);
        while let Some(at) = waiting.pop() {
            let (x, y) = (at % width, at / width);
            if seen[at as usize] || is_object(mask, x, y) {
                continue;
            }
            seen[at as usize] = true;
            size += 1;
            is_open |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            for (x, y) in [
                (x.wrapping_sub(1), y),
                (x + 1, y),
                (x, y.wrapping_sub(1)),
                (x, y + 1),
            ] {
                if x < width && y < height {
                    waiting.push(y * width + x);
                }
            }
        }
        count += usize::from(size >= min_size && !is_open);
    }
    count
}
