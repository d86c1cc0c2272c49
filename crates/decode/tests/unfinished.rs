//! Files that end early.

mod support;

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use support::*;

const ENDS_EARLY: &str = "the JPEG file ends early: its upload or download broke off";

/// Returns a JPEG file without smooth surfaces.
fn jpeg(is_progressive: bool) -> Vec<u8> {
    let image = RgbImage::from_fn(96, 80, |x, y| {
        Rgb([
            (x * 37 % 256) as u8,
            (y * 53 % 256) as u8,
            ((x * y) % 256) as u8,
        ])
    });
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    encoder.set_progressive(is_progressive);
    let color = jpeg_encoder::ColorType::Rgb;
    encoder.encode(&image, 96, 80, color).unwrap();
    file
}

#[test]
fn refuses_jpeg_files_without_all_rows() {
    for is_progressive in [false, true] {
        let file = jpeg(is_progressive);
        for percent in [5, 30, 60, 90, 97] {
            let cut = &file[..file.len() * percent / 100];
            assert_eq!(refusal(cut), ENDS_EARLY, "{is_progressive} {percent}");
        }
    }
    let fixture = include_bytes!("../../../tests/fixtures/pictures/trunc60.jpg");
    assert_eq!(refusal(fixture), ENDS_EARLY);
}

#[test]
fn reads_jpeg_files_without_the_marker_for_the_end() {
    for is_progressive in [false, true] {
        let file = jpeg(is_progressive);
        let whole = decode(&file).unwrap();
        for missing in [1, 2] {
            let cut = decode(&file[..file.len() - missing]).unwrap();
            assert_eq!(cut, whole, "{is_progressive} {missing}");
        }
    }
}

#[test]
fn reads_jpeg_files_with_something_behind_the_end() {
    let mut file = jpeg(false);
    let whole = decode(&file).unwrap();
    file.extend_from_slice(b"\xff\xd8\xff\xe1 another image");
    assert_eq!(decode(&file).unwrap(), whole);
}

#[test]
fn reads_png_files_without_the_last_chunk() {
    let fixture = include_bytes!("../../../tests/fixtures/pictures/noiend.png");
    assert_close("noiend.png", pixel(fixture, 2, 2), [220, 40, 30, 255]);
}

#[test]
fn refuses_png_files_without_all_rows() {
    let mut file = Cursor::new(Vec::new());
    let image = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * y) as u8, x as u8, y as u8]));
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    let file = file.into_inner();
    assert!(decode(&file[..file.len() - 40]).is_err());
}
