//! Small image files that are dangerous to decode.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::MIB;

/// A valid file on which the TIFF decoder panics.
pub const TILED_PLANAR: &[u8] = include_bytes!("../../../../../tests/fixtures/tiled-planar.tif");
/// A damaged file on which the WebP decoder panics.
pub const ZERO_WIDTH_FRAME: &[u8] =
    include_bytes!("../../../../../tests/fixtures/zero-width-frame.webp");

/// Returns a lossless WebP file of 36 bytes with an image of one color.
pub fn small_webp(side: u32) -> Vec<u8> {
    // 14 bits for each edge minus one, no alpha; then codes with one symbol each.
    let size = (side - 1) | (side - 1) << 14;
    let mut file = b"RIFF\x1c\0\0\0WEBPVP8L\x10\0\0\0\x2f".to_vec();
    file.extend(size.to_le_bytes());
    file.extend([0x88, 0x88, 0x08]);
    file.resize(36, 0);
    file
}

/// Adds a color profile of this many bytes to a PNG file, all zeros.
pub fn png_with_profile(png: &[u8], length: u64) -> Vec<u8> {
    png_with_inflating_chunk(png, b"iCCP", b"profile\0\0", length)
}

/// Adds a chunk to a PNG file. `start` is what the chunk contains before compressed zeros, of which
/// there are `length` bytes.
pub fn png_with_inflating_chunk(png: &[u8], name: &[u8; 4], start: &[u8], length: u64) -> Vec<u8> {
    let mut data = ZlibEncoder::new(start.to_vec(), Compression::fast());
    let zeros = vec![0; MIB as usize];
    for _ in 0..length / MIB {
        data.write_all(&zeros).unwrap();
    }
    let data = data.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(&data);
    let header = 8 + 25;
    let length = u32::try_from(data.len()).unwrap();
    let checksum = crc.sum();
    let parts: [&[u8]; 6] = [
        &png[..header],
        &length.to_be_bytes(),
        name,
        &data,
        &checksum.to_be_bytes(),
        &png[header..],
    ];
    parts.concat()
}
