//! Compares outlines.

use image::GrayImage;

use crate::scene::{Background, Scene};

/// The result of one picture.
pub struct Score {
    pub name: String,
    pub background: Background,
    pub iou: f32,
    /// The numbers of holes: the true one and that of the cutout.
    pub holes: (usize, usize),
    pub is_relief: bool,
    pub confidence: Option<f32>,
    pub scene: Scene,
    pub mask: GrayImage,
}

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

pub fn mean(scores: &[&Score]) -> f32 {
    scores.iter().map(|score| score.iou).sum::<f32>() / scores.len() as f32
}

/// Returns the part of the pictures with an IoU of 0.9 or more.
pub fn good_part(scores: &[&Score]) -> f32 {
    let good = scores.iter().filter(|score| score.iou >= 0.9);
    good.count() as f32 / scores.len() as f32
}

/// Returns the mean part of the holes that were found in each picture, and the number of holes in all
/// pictures that were invented.
pub fn holes(scores: &[Score]) -> (f32, usize) {
    let parts = scores.iter().filter_map(|score| {
        let (truth, found) = score.holes;
        (truth > 0).then(|| found.min(truth) as f32 / truth as f32)
    });
    let parts: Vec<_> = parts.collect();
    let invented = scores.iter().map(|score| {
        let (truth, found) = score.holes;
        found.saturating_sub(truth)
    });
    let found = parts.iter().sum::<f32>() / parts.len() as f32;
    (found, invented.sum())
}

/// Prints a line for each background, and one for each picture below 0.9.
pub fn print(scores: &[Score]) {
    for background in Background::ALL {
        let of_background = |score: &&Score| score.background == background;
        let scores: Vec<_> = scores.iter().filter(of_background).collect();
        if scores.is_empty() {
            continue;
        }
        let reliefs = scores.iter().filter(|score| score.is_relief).count();
        println!(
            "{:<12} mean IoU {:.3}, {:>3.0} % at 0.9 or more, {reliefs} reliefs",
            background.name(),
            mean(&scores),
            100.0 * good_part(&scores),
        );
    }
    for score in scores.iter().filter(|score| score.iou < 0.9) {
        let Score {
            name,
            iou,
            is_relief,
            confidence,
            holes: (truth, found),
            ..
        } = score;
        println!(
            "  {name}: {iou:.3}, relief {is_relief}, confidence {confidence:?}, {found} of {truth} holes"
        );
    }
}
