//! Files for tests, made byte by byte.

#![allow(dead_code, reason = "each test crate uses some of it")]

pub mod tiff;

use std::io::Write;

use decode::{DecodeError, Decoder, Patience};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::DynamicImage;

/// Decodes a file without waiting.
pub fn decode(file: &[u8]) -> Result<DynamicImage, DecodeError> {
    Decoder::default().decode(file, Patience::Request)
}

/// Returns the pixel at a position of a file's image.
#[track_caller]
pub fn pixel(file: &[u8], x: u32, y: u32) -> [u8; 4] {
    decode(file).unwrap().to_rgba8().get_pixel(x, y).0
}

/// Checks that two colors differ by at most 4 of 255 in each channel.
#[track_caller]
pub fn assert_close(name: &str, actual: [u8; 4], expected: [u8; 4]) {
    let mut pairs = actual.iter().zip(&expected);
    assert!(
        pairs.all(|(a, b)| a.abs_diff(*b) <= 4),
        "{name}: {actual:?} instead of {expected:?}"
    );
}

/// Returns the message for a file that is not decoded.
#[track_caller]
pub fn refusal(file: &[u8]) -> String {
    decode(file).unwrap_err().to_string()
}

/// Compresses bytes as zlib does.
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns a chunk of a PNG file.
pub fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(name);
    checksum.update(data);
    [
        &(data.len() as u32).to_be_bytes()[..],
        name,
        data,
        &checksum.sum().to_be_bytes(),
    ]
    .concat()
}

/// Returns an `iCCP` chunk.
pub fn icc_chunk(profile: &[u8]) -> Vec<u8> {
    chunk(b"iCCP", &[b"profile\0\0", &deflated(profile)[..]].concat())
}

/// How a pixel of a PNG file is stored.
#[derive(Clone, Copy)]
pub enum Stored {
    /// A shade of gray.
    Gray(u8),
    /// A shade of gray and the opacity.
    GrayAlpha(u8, u8),
    /// A color.
    Rgb([u8; 3]),
    /// A color and the opacity.
    Rgba([u8; 4]),
    /// A color with 16 bits in each channel.
    Rgb16([u16; 3]),
}

/// Returns a PNG file of one pixel with chunks about its colors.
pub fn png(pixel: Stored, chunks: &[Vec<u8>]) -> Vec<u8> {
    let (kind, depth, bytes) = match pixel {
        Stored::Gray(gray) => (0, 8, vec![gray]),
        Stored::GrayAlpha(gray, alpha) => (4, 8, vec![gray, alpha]),
        Stored::Rgb(color) => (2, 8, color.to_vec()),
        Stored::Rgba(color) => (6, 8, color.to_vec()),
        Stored::Rgb16(color) => (2, 16, color.map(u16::to_be_bytes).concat()),
    };
    let header = [0, 0, 0, 1, 0, 0, 0, 1, depth, kind, 0, 0, 0];
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunks.concat(),
        chunk(b"IDAT", &deflated(&[&[0], &bytes[..]].concat())),
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// Returns an ICC profile of version 2. `space`: of the pixels, and of what they are converted to.
pub fn profile(space: [&[u8; 4]; 2], tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0; 128];
    file[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    file[12..16].copy_from_slice(b"mntr");
    file[16..20].copy_from_slice(space[0]);
    file[20..24].copy_from_slice(space[1]);
    file[36..40].copy_from_slice(b"acsp");
    file.extend((tags.len() as u32).to_be_bytes());
    let mut start = file.len() + 12 * tags.len();
    for (name, data) in tags {
        file.extend_from_slice(*name);
        file.extend((start as u32).to_be_bytes());
        file.extend((data.len() as u32).to_be_bytes());
        start += data.len();
    }
    for (_, data) in tags {
        file.extend_from_slice(data);
    }
    let size = file.len() as u32;
    file[..4].copy_from_slice(&size.to_be_bytes());
    file
}

/// Returns a curve of a profile. `gamma`: in units of 1 / 256.
pub fn curve(gamma: u16) -> Vec<u8> {
    let [high, low] = gamma.to_be_bytes();
    [b"curv\0\0\0\0\0\0\0\x01", &[high, low, 0, 0][..]].concat()
}

/// Returns a gray profile.
pub fn gray_profile(gamma: u16) -> Vec<u8> {
    profile([b"GRAY", b"XYZ "], &[(b"kTRC", curve(gamma))])
}

/// Returns a profile with the primaries of sRGB and linear channels.
pub fn linear_profile() -> Vec<u8> {
    let xyz = |values: [f32; 3]| {
        let values = values.map(|value| ((value * 65_536.) as i32).to_be_bytes());
        [b"XYZ \0\0\0\0", &values.concat()[..]].concat()
    };
    profile(
        [b"RGB ", b"XYZ "],
        &[
            (b"rXYZ", xyz([0.43607, 0.22249, 0.01392])),
            (b"gXYZ", xyz([0.38515, 0.71687, 0.09708])),
            (b"bXYZ", xyz([0.14307, 0.06061, 0.7141])),
            (b"rTRC", curve(256)),
            (b"gTRC", curve(256)),
            (b"bTRC", curve(256)),
        ],
    )
}

/// Returns a profile with a lookup table that turns every color into one. `ink`: the number of
/// channels of the pixels. `lab`: in the encoding of version 2.
pub fn table_profile(space: &[u8; 4], channels: u8, lab: [u16; 3]) -> Vec<u8> {
    let identity = [1, 0, 0, 0, 1, 0, 0, 0, 1].map(|one: i32| (one << 16).to_be_bytes());
    let ramp = [0_u16, 0xffff].map(u16::to_be_bytes).concat();
    let table = [
        b"mft2\0\0\0\0".to_vec(),
        vec![channels, 3, 2, 0],
        identity.concat(),
        [2_u16, 2].map(u16::to_be_bytes).concat(),
        ramp.repeat(channels.into()),
        lab.map(u16::to_be_bytes).concat().repeat(1 << channels),
        ramp.repeat(3),
    ];
    profile([space, b"Lab "], &[(b"A2B0", table.concat())])
}

/// Returns a JPEG file with a profile.
pub fn jpeg_with_profile(jpeg: &[u8], profile: &[u8]) -> Vec<u8> {
    let size = u16::try_from(profile.len() + 16).unwrap().to_be_bytes();
    let segment = [b"\xff\xe2", &size[..], b"ICC_PROFILE\0\x01\x01", profile];
    [&jpeg[..2], &segment.concat(), &jpeg[2..]].concat()
}
