//! Estimates of the memory of decodes.

use contract::ImageFormat;
use image::metadata::Orientation;

/// Estimates the memory of a decode, in bytes. `decoded` is the size of the decoded image.
pub fn memory_of(format: ImageFormat, file: &[u8], decoded: u64, orientation: Orientation) -> u64 {
    let while_decoding = match format {
        // Lossless images are decoded with four channels and copied to three; animations are drawn.
        ImageFormat::Webp => 3 * decoded,
        // The coefficients of all scans, with 16 bits each.
        ImageFormat::Jpeg if is_progressive(file) => 3 * decoded,
        // The frame, which is drawn on the canvas.
        ImageFormat::Gif => 2 * decoded,
        _ => decoded,
    };
    let while_rotating = match orientation {
        Orientation::NoTransforms => decoded,
        _ => 2 * decoded,
    };
    // Buffers of rows and tables.
    (1 << 20) + while_decoding.max(while_rotating)
}

/// Returns whether a JPEG file has a frame header of a progressive image before its data.
fn is_progressive(file: &[u8]) -> bool {
    const PROGRESSIVE: u8 = 0xc2;
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = file.get(at..at + 4) {
        match marker {
            PROGRESSIVE => return true,
            START_OF_SCAN => return false,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    // The frame header was not found.
    true
}
