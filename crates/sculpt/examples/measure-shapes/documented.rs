//! The contact sheets in the documentation.

use std::error::Error;
use std::f64::consts::PI;
use std::path::Path;

use contract::ShapeChoice;
use glam::DMat3;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::thumbnail;
use image::{Rgb, RgbImage};

use crate::raster::{Frame, Shading, picture, put};
use crate::sculpted;

/// The emoji whose fronts and backs are shown, by the names of their files.
const BACKS: [&str; 12] = [
    "1f600", "1f60d", "1f436", "1f98a", "1f43c", "1f42f", "1f437", "1f438", "1f354", "1f344",
    "1f697", "1f9f8",
];
/// The emoji that are shown with each kind of shape: a bell, a star, a light bulb and a house.
const KINDS: [&str; 4] = ["1f514", "2b50", "1f4a1", "1f3e0"];
const CHOICES: [ShapeChoice; 4] = [
    ShapeChoice::Round,
    ShapeChoice::Revolved,
    ShapeChoice::Extruded,
    ShapeChoice::Relief,
];
/// How far models are turned to the side, in radians.
const TURN: f64 = -0.9;
const PAIRS_PER_ROW: u32 = 4;
/// The edge of a picture.
const CELL: u32 = 136;
/// The JPEG quality.
const QUALITY: u8 = 88;

/// Writes `backs.jpg`, with fronts and backs, and `kinds.jpg`, with images and their models of each kind.
pub fn write(emoji: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let open = |name: &str| image::open(emoji.join(name).with_extension("webp"));
    let rows = BACKS.len() as u32 / PAIRS_PER_ROW;
    let mut backs = sheet(2 * PAIRS_PER_ROW, rows);
    for (at, name) in (0..).zip(BACKS) {
        let solid = sculpted(&open(name)?, ShapeChoice::Auto)?;
        for (side, angle) in [(0, 0.0), (1, PI)] {
            let left = CELL * (2 * (at % PAIRS_PER_ROW) + side);
            let solid = solid.clone().rotated(DMat3::from_rotation_y(angle));
            let image = picture(&solid, Frame::around(&solid), CELL as usize, Shading::Soft);
            put(&mut backs, &image, left, CELL * (at / PAIRS_PER_ROW));
        }
    }
    save(&backs, &folder.join("backs.jpg"))?;

    let mut kinds = sheet(1 + CHOICES.len() as u32, KINDS.len() as u32);
    for (row, name) in (0..).zip(KINDS) {
        let image = open(name)?;
        let small = thumbnail(&image.to_rgba8(), CELL, CELL);
        put(&mut kinds, &small, 0, CELL * row);
        for (column, choice) in (1..).zip(CHOICES) {
            let solid = sculpted(&image, choice)?.rotated(DMat3::from_rotation_y(TURN));
            let image = picture(&solid, Frame::around(&solid), CELL as usize, Shading::Soft);
            put(&mut kinds, &image, CELL * column, CELL * row);
        }
    }
    save(&kinds, &folder.join("kinds.jpg"))
}

fn sheet(columns: u32, rows: u32) -> RgbImage {
    RgbImage::from_pixel(columns * CELL, rows * CELL, Rgb([255; 3]))
}

fn save(sheet: &RgbImage, file: &Path) -> Result<(), Box<dyn Error>> {
    let file = std::fs::File::create(file)?;
    Ok(JpegEncoder::new_with_quality(file, QUALITY).encode_image(sheet)?)
}
