//! AVIF files, compared with Chromium's pixels.

use std::path::Path;

use decode::{Decoder, Patience};
use image::{DynamicImage, GenericImageView};

fn read(name: &str) -> Vec<u8> {
    let pictures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/pictures");
    std::fs::read(Path::new(pictures).join(name)).unwrap()
}

fn decode(file: &[u8]) -> Result<DynamicImage, String> {
    let image = Decoder::default().decode(file, Patience::Request);
    image.map_err(|error| error.to_string())
}

/// Checks the pixels at 20 % and 75 % of the width and height: top left, top right, bottom left,
/// bottom right.
#[track_caller]
fn assert_pixels(file: &[u8], size: (u32, u32), expected: [[u8; 4]; 4]) {
    let image = decode(file).unwrap();
    assert_eq!(image.dimensions(), size);
    let at = |length: u32, percent: u32| length * percent / 100;
    let (left, right) = (at(size.0, 20), at(size.0, 75));
    let (top, bottom) = (at(size.1, 20), at(size.1, 75));
    let places = [(left, top), (right, top), (left, bottom), (right, bottom)];
    for ((x, y), expected) in places.into_iter().zip(expected) {
        let received = image.get_pixel(x, y).0;
        let differences = received.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b));
        assert!(
            differences.max() <= Some(4),
            "{x}, {y}: {received:?}, not {expected:?}"
        );
    }
}

const RED: [u8; 4] = [220, 40, 28, 255];
const GREEN: [u8; 4] = [29, 180, 61, 255];
const BLUE: [u8; 4] = [30, 60, 200, 255];
const GRADIENT: [u8; 4] = [180, 160, 127, 255];

#[test]
fn reads_all_depths_and_layouts() {
    for name in ["subsampled.avif", "bits-10.avif", "bits-12.avif"] {
        assert_pixels(&read(name), (61, 43), [RED, GREEN, BLUE, GRADIENT]);
    }
    let gray = [114, 156, 78, 163].map(|gray| [gray, gray, gray, 255]);
    assert_pixels(&read("gray.avif"), (61, 43), gray);
}

#[test]
fn applies_color_profiles() {
    assert_pixels(
        &read("display-p3.avif"),
        (61, 43),
        [RED, GREEN, BLUE, GRADIENT],
    );
}

#[test]
fn turns_images_upright() {
    assert_pixels(
        &read("turned.avif"),
        (43, 61),
        [BLUE, RED, [178, 171, 127, 255], GREEN],
    );
    assert_pixels(
        &read("mirrored.avif"),
        (43, 61),
        [RED, BLUE, GREEN, GRADIENT],
    );
    // By a quarter in the other direction.
    let mut turned = read("turned.avif");
    let angle = turned.windows(4).position(|name| name == b"irot").unwrap() + 4;
    assert_eq!(turned[angle], 3);
    turned[angle] = 1;
    let expected = [GREEN, [192, 158, 130, 255], RED, BLUE];
    assert_pixels(&turned, (43, 61), expected);
}

/// Chromium 150 shows 37 and 205: it takes the alpha channel, whose range is full, as limited.
#[test]
fn reads_alpha() {
    let transparent = |[red, green, blue, _]: [u8; 4], alpha| [red, green, blue, alpha];
    let expected = [
        RED,
        transparent(GREEN, 48),
        BLUE,
        transparent(GRADIENT, 192),
    ];
    assert_pixels(&read("alpha.avif"), (61, 43), expected);
}

/// Returns `photo.avif` with other codes of its colors.
fn with_codes(primaries: u8, transfer: u8, matrix: u8, range: u8) -> Vec<u8> {
    let mut file = read("photo.avif");
    let start = file.windows(4).position(|name| name == b"nclx").unwrap() + 4;
    file[start..start + 7].copy_from_slice(&[0, primaries, 0, transfer, 0, matrix, range]);
    file
}

#[test]
fn reads_codes_of_colors() {
    const FULL: u8 = 0x80;
    let srgb = [
        [220, 41, 29, 255],
        [28, 180, 59, 255],
        [38, 61, 219, 255],
        [229, 211, 40, 255],
    ];
    let p3 = [
        [240, 0, 0, 255],
        [0, 183, 28, 255],
        [30, 62, 228, 255],
        [233, 210, 0, 255],
    ];
    let limited = [
        [233, 31, 18, 255],
        [17, 190, 52, 255],
        [27, 52, 231, 255],
        [247, 227, 33, 255],
    ];
    let size = (96, 64);
    assert_pixels(&with_codes(1, 13, 6, FULL), size, srgb);
    assert_pixels(&with_codes(2, 2, 2, FULL), size, srgb);
    assert_pixels(&with_codes(1, 1, 6, FULL), size, srgb);
    assert_pixels(&with_codes(12, 13, 6, FULL), size, p3);
    assert_pixels(&with_codes(1, 13, 6, 0), size, limited);
    for matrix in [0, 8, 14] {
        let message = "this server does not read this kind of AVIF file. Save it as PNG or JPEG.";
        assert_eq!(
            decode(&with_codes(1, 13, matrix, FULL)).unwrap_err(),
            message
        );
    }
}

/// Replaces the first occurrence.
fn replace(file: &mut [u8], from: &[u8], to: &[u8]) {
    let start = file
        .windows(from.len())
        .position(|part| part == from)
        .unwrap();
    file[start..start + to.len()].copy_from_slice(to);
}

#[test]
fn names_kinds_that_are_not_read() {
    let mut grid = read("photo.avif");
    replace(&mut grid, b"av01", b"grid");
    let mut animation = read("photo.avif");
    replace(&mut animation, b"meta", b"moov");
    let mut cropped = read("turned.avif");
    replace(&mut cropped, b"irot", b"clap");
    let cases = [
        (grid, "it consists of several images. Save it as JPEG."),
        (animation, "it is an animation. Save a frame as JPEG."),
        (cropped, "a part of it is cut off. Save it as JPEG."),
    ];
    for (file, reason) in cases {
        let message = format!("the AVIF file cannot be read: {reason}");
        assert_eq!(decode(&file).unwrap_err(), message);
    }
}

#[test]
fn memory_is_known_before_decoding() {
    let mut large = read("photo.avif");
    replace(
        &mut large,
        b"ispe\0\0\0\0\0\0\0\x60\0\0\0\x40",
        b"ispe\0\0\0\0\0\0\x20\0\0\0\x1c\0",
    );
    let limit = Decoder {
        max_bytes: 64 << 20,
        ..Decoder::default()
    };
    let message = limit
        .decode(&large, Patience::Request)
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("decoding the image needs about "),
        "{message}"
    );
    // The image in it has another size.
    let damaged = "the AVIF file cannot be read: it is damaged. Save it again, or as JPEG.";
    for width in [8, 0x68] {
        let mut other = read("photo.avif");
        let header = [b"ispe\0\0\0\0\0\0\0".as_slice(), &[width]].concat();
        replace(&mut other, b"ispe\0\0\0\0\0\0\0\x60", &header);
        assert_eq!(decode(&other).unwrap_err(), damaged);
    }
}

#[test]
fn changed_files_do_not_crash() {
    let names = [
        "photo.avif",
        "alpha.avif",
        "bits-10.avif",
        "subsampled.avif",
        "turned.avif",
    ];
    let files = names.map(read);
    let mut random = fastrand::Rng::with_seed(18);
    for _ in 0..1500 {
        let mut file = files[random.usize(..files.len())].clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(12..file.len());
            file[at] = random.u8(..);
        }
        if random.u8(..8) == 0 {
            file.truncate(random.usize(12..file.len()));
        }
        if let Err(message) = decode(&file) {
            assert!(!message.contains("crashed"), "{message}: {file:02x?}");
        }
    }
}
