//! Colors: pixels are what Chromium shows, in sRGB. The expected values were measured in Chromium.

mod support;

use std::io::Cursor;

use decode::{Decoder, Patience};
use image::{GrayImage, ImageFormat, Rgb, RgbImage};
use support::*;

const PICTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/pictures/"
);

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{PICTURES}{name}")).unwrap()
}

fn jpeg(image: impl Into<image::DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, ImageFormat::Jpeg).unwrap();
    file.into_inner()
}

fn gamma(gamma: u32) -> Vec<u8> {
    chunk(b"gAMA", &gamma.to_be_bytes())
}

fn primaries(points: [u32; 8]) -> Vec<u8> {
    chunk(b"cHRM", &points.map(u32::to_be_bytes).concat())
}

const DISPLAY_P3: [u32; 8] = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000];

#[test]
fn converts_display_p3() {
    let file = picture("icc_p3.jpg");
    // Stored: 202, 59, 43 and 85, 177, 78.
    assert_close("red", pixel(&file, 2, 2), [220, 40, 28, 255]);
    assert_close("green", pixel(&file, 93, 2), [29, 180, 61, 255]);
}

#[test]
fn converts_a_profile_that_exchanges_channels() {
    let file = picture("icc_swap.png");
    assert_close("png", pixel(&file, 2, 2), [40, 220, 30, 255]);
}

#[test]
fn converts_every_layout_of_pixels() {
    let swap = icc_chunk(&picture("swap.icc"));
    for (name, stored, expected) in [
        ("rgb", Stored::Rgb([109, 36, 0]), [36, 109, 0, 255]),
        ("rgba", Stored::Rgba([109, 36, 0, 128]), [36, 109, 0, 128]),
        ("rgb16", Stored::Rgb16([28013, 9252, 0]), [36, 109, 0, 255]),
    ] {
        assert_close(
            name,
            pixel(&png(stored, std::slice::from_ref(&swap)), 0, 0),
            expected,
        );
    }
    let gray = icc_chunk(&gray_profile(461));
    for (name, stored, expected) in [
        ("gray", Stored::Gray(100), [119, 119, 119, 255]),
        (
            "gray and alpha",
            Stored::GrayAlpha(100, 128),
            [119, 119, 119, 128],
        ),
        // As in Chromium, a gray profile is not used for colors.
        ("rgb", Stored::Rgb([109, 36, 0]), [109, 36, 0, 255]),
    ] {
        assert_close(
            name,
            pixel(&png(stored, std::slice::from_ref(&gray)), 0, 0),
            expected,
        );
    }
    let linear = icc_chunk(&linear_profile());
    assert_close(
        "gray with a profile of colors",
        pixel(&png(Stored::Gray(100), &[linear]), 0, 0),
        [168, 168, 168, 255],
    );
}

#[test]
fn converts_lookup_tables() {
    // L* 50, a* 0, b* 0.
    let table = table_profile(b"RGB ", 3, [0x7f80, 0x8000, 0x8000]);
    let file = png(Stored::Rgb([255, 0, 0]), &[icc_chunk(&table)]);
    assert_close("table", pixel(&file, 0, 0), [119, 119, 119, 255]);
}

#[test]
fn uses_the_statements_of_png_files_in_their_order() {
    let swap = icc_chunk(&picture("swap.icc"));
    let broken = icc_chunk(&[b'x'; 500]);
    let srgb = || chunk(b"sRGB", &[0]);
    let cicp = |primaries, transfer| chunk(b"cICP", &[primaries, transfer, 0, 1]);
    let plain = [109, 36, 0, 255];
    let swapped = [36, 109, 0, 255];
    let linear = [175, 105, 0, 255];
    for (name, chunks, expected) in [
        ("nothing", vec![], plain),
        ("gAMA 1", vec![gamma(100_000)], linear),
        ("gAMA 0.5556", vec![gamma(55_560)], [128, 48, 0, 255]),
        ("gAMA like sRGB", vec![gamma(45_455)], plain),
        ("gAMA 0", vec![gamma(0)], plain),
        (
            "gAMA 1 and cHRM",
            vec![gamma(100_000), primaries(DISPLAY_P3)],
            [186, 101, 0, 255],
        ),
        (
            "gAMA 0.45455 and cHRM",
            vec![gamma(45_455), primaries(DISPLAY_P3)],
            [119, 21, 0, 255],
        ),
        ("cHRM without gAMA", vec![primaries(DISPLAY_P3)], plain),
        (
            "cHRM of zeros",
            vec![gamma(100_000), primaries([0; 8])],
            plain,
        ),
        ("sRGB before gAMA", vec![srgb(), gamma(100_000)], plain),
        ("iCCP before sRGB", vec![swap.clone(), srgb()], swapped),
        (
            "iCCP before gAMA",
            vec![swap.clone(), gamma(100_000)],
            swapped,
        ),
        ("broken iCCP", vec![broken.clone()], plain),
        ("broken iCCP and gAMA", vec![broken, gamma(100_000)], linear),
        ("cICP of Display P3", vec![cicp(12, 13)], [119, 29, 0, 255]),
        ("cICP of BT.2020", vec![cicp(9, 1)], [127, 0, 0, 255]),
        ("cICP linear", vec![cicp(1, 8)], linear),
        ("cICP before iCCP", vec![cicp(1, 13), swap.clone()], plain),
        ("unknown cICP before iCCP", vec![cicp(2, 2), swap], swapped),
    ] {
        let file = png(Stored::Rgb([109, 36, 0]), &chunks);
        assert_close(name, pixel(&file, 0, 0), expected);
    }
}

#[test]
fn refuses_high_dynamic_range() {
    const PQ: u8 = 16;
    const HLG: u8 = 18;
    for transfer in [PQ, HLG] {
        let file = png(Stored::Gray(7), &[chunk(b"cICP", &[9, transfer, 0, 1])]);
        assert_eq!(
            refusal(&file),
            "this server does not read this kind of PNG file. Save it as JPEG."
        );
    }
}

#[test]
fn ignores_unusable_profiles() {
    let swap = picture("swap.icc");
    let print = table_profile(b"CMYK", 4, [0x7f80, 0x8000, 0x8000]);
    let wrong_table = table_profile(b"RGB ", 4, [0x7f80, 0x8000, 0x8000]);
    let mut wrong_checksum = icc_chunk(&swap);
    *wrong_checksum.last_mut().unwrap() ^= 1;
    for (name, chunk) in [
        ("cut", icc_chunk(&swap[..300])),
        ("of print", icc_chunk(&print)),
        ("table of four channels", icc_chunk(&wrong_table)),
        ("damaged stream", chunk(b"iCCP", b"x\0\0garbage")),
        (
            "no name",
            chunk(b"iCCP", &[b"\0\0", &deflated(&swap)[..]].concat()),
        ),
        ("wrong checksum", wrong_checksum),
    ] {
        let file = png(Stored::Rgb([109, 36, 0]), &[chunk]);
        assert_close(name, pixel(&file, 0, 0), [109, 36, 0, 255]);
    }
}

#[test]
fn bounds_profiles() {
    // It inflates to 64 MiB.
    let bomb = icc_chunk(&vec![0; 64 << 20]);
    assert_eq!(pixel(&png(Stored::Gray(7), &[bomb]), 0, 0), [7, 7, 7, 255]);

    let mut claims_more = picture("swap.icc");
    claims_more[..4].copy_from_slice(&(5_u32 << 20).to_be_bytes());
    claims_more.resize(5 << 20, 0);
    let file = png(Stored::Rgb([109, 36, 0]), &[icc_chunk(&claims_more)]);
    assert_eq!(pixel(&file, 0, 0), [109, 36, 0, 255]);
}

#[test]
fn counts_the_memory_of_profiles() {
    let mut profile = picture("swap.icc");
    profile.resize(1 << 20, 0);
    profile[..4].copy_from_slice(&(1_u32 << 20).to_be_bytes());
    let file = png(Stored::Gray(7), &[icc_chunk(&profile)]);
    let decoder = Decoder {
        max_bytes: 8 << 20,
        ..Decoder::default()
    };
    let error = decoder.decode(&file, Patience::Request).unwrap_err();
    assert!(
        error.to_string().ends_with("more than the limit of 8 MiB"),
        "{error}"
    );
    assert!(decode(&file).is_ok());
}

/// A table of tags may name the same megabytes thousands of times. Reading each takes minutes.
#[test]
fn reads_no_tag_of_a_profile_twice() {
    const COUNT: usize = 100_000;
    const HEADER: usize = 132;
    let table = table_profile(b"RGB ", 3, [0x7f80, 0x8000, 0x8000]);
    let mut tag = table[HEADER + 12..].to_vec();
    // 60 steps in each direction.
    tag[10] = 60;
    tag.resize(tag.len() + 6 * 60_usize.pow(3), 0);
    let entry = [
        &b"A2B2"[..],
        &((HEADER + 12 * COUNT) as u32).to_be_bytes(),
        &(tag.len() as u32).to_be_bytes(),
    ];
    let mut profile = table[..128].to_vec();
    profile.extend((COUNT as u32).to_be_bytes());
    profile.extend(entry.concat().repeat(COUNT));
    profile.extend(tag);
    let size = (profile.len() as u32).to_be_bytes();
    profile[..4].copy_from_slice(&size);
    let file = png(Stored::Gray(7), &[icc_chunk(&profile)]);
    assert_eq!(pixel(&file, 0, 0), [7, 7, 7, 255]);
}

#[test]
fn converts_jpeg_files_as_chromium_does() {
    let colors = jpeg(RgbImage::from_pixel(8, 8, Rgb([100, 100, 100])));
    let grays = jpeg(GrayImage::from_pixel(8, 8, image::Luma([100])));
    for (name, file, profile, expected) in [
        ("colors", &colors, linear_profile(), 168),
        ("colors and a gray profile", &colors, gray_profile(461), 100),
        (
            "grays and a profile of colors",
            &grays,
            linear_profile(),
            168,
        ),
        ("grays and a gray profile", &grays, gray_profile(461), 119),
    ] {
        let file = jpeg_with_profile(file, &profile);
        assert_close(
            name,
            pixel(&file, 4, 4),
            [expected, expected, expected, 255],
        );
    }
}

#[test]
fn converts_print_colors_with_their_profile_alone() {
    use jpeg_encoder::{ColorType, Encoder};
    for stored in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut file = Vec::new();
        let encoder = Encoder::new(&mut file, 95);
        // Cyan. Adobe stores what is left of the paper.
        encoder
            .encode(&[255, 0, 0, 0].repeat(64), 8, 8, stored)
            .unwrap();
        let naive = [0, 255, 255, 255];
        assert_close("no profile", pixel(&file, 4, 4), naive);
        let table = table_profile(b"CMYK", 4, [0x7f80, 0x8000, 0x8000]);
        let with_table = jpeg_with_profile(&file, &table);
        assert_close("table", pixel(&with_table, 4, 4), [119, 119, 119, 255]);
        let with_linear = jpeg_with_profile(&file, &linear_profile());
        assert_close("profile of RGB", pixel(&with_linear, 4, 4), naive);
        let damaged = jpeg_with_profile(&file, &table[..200]);
        assert_close("damaged", pixel(&damaged, 4, 4), naive);
    }
}

#[test]
fn ignores_the_orientation_of_webp_files() {
    for name in ["orient6.webp", "exif-prefixed.webp"] {
        let image = decode(&picture(name)).unwrap();
        assert_eq!((image.width(), image.height()), (64, 96), "{name}");
    }
}
