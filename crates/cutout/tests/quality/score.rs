//! The results of pictures.

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
