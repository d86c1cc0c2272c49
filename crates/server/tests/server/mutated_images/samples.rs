//! The undamaged images.

use std::io::Cursor;

use api::image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use crate::support::bombs::small_webp;
use crate::support::repository_files;

/// The folders with more images.
const FOLDERS: [&str; 2] = ["tests/fixtures", "crates/server/tests/fixtures/images"];

/// Returns small images of all formats that the server decodes.
pub fn all() -> Vec<Vec<u8>> {
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ];
    let image = DynamicImage::from(RgbaImage::from_fn(24, 17, |x, y| {
        Rgba([x as u8 * 9, y as u8 * 13, (x * y) as u8, 255 - x as u8])
    }));
    let variants = [
        image.clone(),
        image.to_rgb8().into(),
        image.to_luma8().into(),
        image.to_rgba16().into(),
    ];
    let mut files = Vec::new();
    for format in formats {
        for variant in &variants {
            let mut file = Cursor::new(Vec::new());
            // Not every format has every pixel type.
            if variant.write_to(&mut file, format).is_ok() {
                files.push(file.into_inner());
            }
        }
    }
    files.push(small_webp(40));
    for folder in FOLDERS {
        let fixtures = repository_files(folder);
        // The folders also have descriptions.
        let images = fixtures.into_iter();
        files.extend(images.filter(|file| contract::ImageFormat::detect(file).is_some()));
    }
    files
}
