//! The kinds of TIFF files.

mod support;

use support::tiff::{Value, short, tiff};
use support::*;

const REFUSED: &str = "this server does not read this kind of TIFF file. Save it as PNG or JPEG.";
const DAMAGED: &str = "the TIFF file is damaged";

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/pictures/"
    );
    std::fs::read(format!("{folder}{name}")).unwrap()
}

/// Returns the entries of an image with one sample for each pixel.
fn single(bits: u16, photometric: u16) -> Vec<(u16, Value)> {
    vec![short(258, bits), short(262, photometric), short(277, 1)]
}

#[test]
fn reads_palettes() {
    assert_close(
        "pal.tif",
        pixel(&fixture("pal.tif"), 2, 2),
        [220, 40, 30, 255],
    );
    for bits in [1_u16, 2, 4, 8] {
        let count = 1_usize << bits;
        let mut map = vec![0_u16; 3 * count];
        // The color with the index 1.
        map[1] = 0xc8c8;
        map[count + 1] = 0x6464;
        map[2 * count + 1] = 0x3232;
        let mut entries = single(bits, 3);
        entries.push((320, Value::Shorts(map)));
        let data = match bits {
            8 => &[0, 1][..],
            4 => &[0x01],
            2 => &[0x10],
            _ => &[0x40],
        };
        let file = tiff([2, 1], &entries, data);
        assert_eq!(pixel(&file, 0, 0), [0, 0, 0, 255], "{bits}");
        assert_eq!(pixel(&file, 1, 0), [200, 100, 50, 255], "{bits}");
    }
}

#[test]
fn reads_grays_of_all_depths() {
    for (bits, data, expected) in [
        (1, vec![0b0100_0000], [0, 255]),
        (2, vec![0b0110_0000], [85, 170]),
        (4, vec![0x3c], [51, 204]),
        (8, vec![7, 200], [7, 200]),
        (16, vec![0, 7, 0, 200], [7, 200]),
    ] {
        for (photometric, is_inverted) in [(1, false), (0, true)] {
            let file = tiff([2, 1], &single(bits, photometric), &data);
            for (x, gray) in expected.into_iter().enumerate() {
                let gray = if is_inverted { 255 - gray } else { gray };
                let expected = [gray, gray, gray, 255];
                assert_close(
                    &format!("{bits} {photometric}"),
                    pixel(&file, x as u32, 0),
                    expected,
                );
            }
        }
    }
}

#[test]
fn divides_colors_by_associated_alpha() {
    let file = fixture("rgba_assoc.tif");
    // Stored: 110, 20, 15, 128.
    assert_close("rgba_assoc.tif", pixel(&file, 2, 2), [219, 39, 29, 128]);
    for (extra, expected) in [
        (0, [110, 20, 15, 255]),
        (1, [219, 39, 29, 128]),
        (2, [110, 20, 15, 128]),
    ] {
        let bits = |bits| (258, Value::Shorts(vec![bits; 4]));
        let rest = [short(277, 4), short(338, extra)];
        let bytes = tiff(
            [1, 1],
            &[&[bits(8)], &rest[..]].concat(),
            &[110, 20, 15, 128],
        );
        assert_close("8", pixel(&bytes, 0, 0), expected);
        let data = [110_u16, 20, 15, 128]
            .map(|value| (value * 257).to_le_bytes())
            .concat();
        let words = tiff([1, 1], &[&[bits(16)], &rest[..]].concat(), &data);
        assert_close("16", pixel(&words, 0, 0), expected);
    }
    let gray = [
        (258, Value::Shorts(vec![8; 2])),
        short(262, 1),
        short(277, 2),
        short(338, 1),
    ];
    let file = tiff([1, 1], &gray, &[50, 128]);
    assert_close("gray", pixel(&file, 0, 0), [100, 100, 100, 128]);
}

#[test]
fn reads_bits_in_reverse_order() {
    let data = [0x12, 0x34, 0x56].map(u8::reverse_bits);
    let file = tiff([1, 1], &[short(266, 2)], &data);
    assert_eq!(pixel(&file, 0, 0), [0x12, 0x34, 0x56, 255]);
}

#[test]
fn reads_big_tiff() {
    assert_close(
        "bigtiff.tif",
        pixel(&fixture("bigtiff.tif"), 2, 2),
        [220, 40, 30, 255],
    );
}

#[test]
fn reads_separate_planes_of_strips() {
    let entries = [
        short(284, 2),
        (273, Value::Longs(vec![8, 10, 12])),
        (279, Value::Longs(vec![2, 2, 2])),
    ];
    let file = tiff([2, 1], &entries, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(pixel(&file, 0, 0), [1, 3, 5, 255]);
    assert_eq!(pixel(&file, 1, 0), [2, 4, 6, 255]);
}

/// Returns a JPEG file without markers about its colors, as TIFF files contain them.
fn jpeg(size: u16, color: [u8; 3]) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 100);
    let pixels = color.repeat(usize::from(size).pow(2));
    encoder
        .encode(&pixels, size, size, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    file
}

#[test]
fn reads_jpeg_compression() {
    let data = jpeg(16, [200, 100, 50]);
    let strip = [short(259, 7), short(262, 6)];
    let file = tiff([16, 16], &strip, &data);
    assert_close("strip", pixel(&file, 8, 8), [200, 100, 50, 255]);

    let size = data.len() as u32;
    let tile = [
        short(322, 16),
        short(323, 16),
        (324, Value::Longs(vec![8])),
        (325, Value::Longs(vec![size])),
    ];
    let mut file = tiff([16, 16], &[&strip[..], &tile].concat(), &data);
    // Strips are no part of tiled images: their tags become unknown ones.
    let start = 8 + data.len().next_multiple_of(2) + 2;
    for entry in file[start..].chunks_exact_mut(12).take(20) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        if matches!(tag, 273 | 278 | 279) {
            entry[..2].copy_from_slice(&(tag + 60_000).to_le_bytes());
        }
    }
    assert_close("tile", pixel(&file, 8, 8), [200, 100, 50, 255]);
}

#[test]
fn refuses_jpeg_data_of_another_size() {
    let data = jpeg(64, [200, 100, 50]);
    let file = tiff([16, 16], &[short(259, 7), short(262, 6)], &data);
    assert_eq!(refusal(&file), DAMAGED);
}

#[test]
fn applies_the_orientation() {
    let file = tiff([2, 1], &[short(274, 6)], &[1, 2, 3, 4, 5, 6]);
    let image = decode(&file).unwrap();
    assert_eq!((image.width(), image.height()), (1, 2));
}

#[test]
fn converts_profiles() {
    let profile = |profile| [(34675, Value::Bytes(profile))];
    let file = tiff([1, 1], &profile(fixture("swap.icc")), &[109, 36, 0]);
    assert_close("rgb", pixel(&file, 0, 0), [36, 109, 0, 255]);
    let gray = [&single(8, 1)[..], &profile(gray_profile(461))].concat();
    let file = tiff([1, 1], &gray, &[100]);
    assert_close("gray", pixel(&file, 0, 0), [119, 119, 119, 255]);
}

#[test]
fn refuses_other_kinds_in_one_sentence() {
    let lab = [short(262, 8)];
    let float = [
        (258, Value::Shorts(vec![32; 3])),
        (339, Value::Shorts(vec![3; 3])),
    ];
    let signed = [(339, Value::Shorts(vec![2; 3]))];
    let subsampled = [short(262, 6), (530, Value::Shorts(vec![2, 2]))];
    for (name, entries) in [
        ("Lab", &lab[..]),
        ("floating point", &float),
        ("signed", &signed),
        ("subsampled", &subsampled),
        ("Fax", &[short(259, 3)]),
        ("LZMA", &[short(259, 34925)]),
        ("ZSTD", &[short(259, 50000)]),
        ("old JPEG", &[short(259, 6)]),
    ] {
        assert_eq!(refusal(&tiff([1, 1], entries, &[0; 12])), REFUSED, "{name}");
    }
    let tiled_planar = include_bytes!("../../../tests/fixtures/tiled-planar.tif");
    assert_eq!(refusal(tiled_planar), REFUSED);
}

#[test]
fn refuses_damaged_directories() {
    let whole = tiff([1, 1], &[], &[1, 2, 3]);
    assert_eq!(pixel(&whole, 0, 0), [1, 2, 3, 255]);
    // The count of entries.
    let mut many = whole.clone();
    many[12..14].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(refusal(&many), DAMAGED);
    // The count of the bits of samples.
    let mut long = whole.clone();
    long[14 + 2 * 12 + 4..][..4].copy_from_slice(&[0xff; 4]);
    assert_eq!(refusal(&long), DAMAGED);
    // The height of strips is asked for twice.
    let mut twice = whole.clone();
    twice[14 + 12..][..2].copy_from_slice(&256_u16.to_le_bytes());
    assert_eq!(refusal(&twice), DAMAGED);
    assert!(refusal(&whole[..40]).starts_with(DAMAGED));
}

#[test]
fn counts_the_memory_of_large_tiles() {
    let tile = [
        short(322, 16),
        short(323, 16),
        (322, Value::Longs(vec![1 << 30])),
        (323, Value::Longs(vec![1])),
        (324, Value::Longs(vec![8])),
        (325, Value::Longs(vec![3])),
    ];
    assert!(decode(&tiff([1, 1], &tile, &[1, 2, 3])).is_err());
}
