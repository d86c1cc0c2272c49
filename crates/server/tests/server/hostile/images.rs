//! Small files that describe large images, or inflate to large texts.

use crate::support::bombs::{png_with_inflating_chunk, small_webp};
use crate::support::*;

/// Slow sessions: no job decodes the image again while the test runs.
const NO_JOBS: [&str; 2] = ["--speed", "0.001"];

/// Creates a session with an image, and checks the status of the response and the memory of the
/// server.
fn assert_fits(media_type: &str, file: &[u8], status: u16, most_mib: u64) {
    assert!(file.len() < 4 << 20);
    let server = Server::start(&NO_JOBS);
    let response = server.post(SESSIONS, "", &image_body(media_type, file));
    let response = response.expect("the connection was closed without a response");
    let text = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, status, "{text}");
    let peak = server.peak_memory() / MIB;
    assert!(peak < most_mib, "{peak} MiB");
}

/// Checks that a header alone leads to a 400, without memory for its pixels.
fn assert_header_is_rejected(media_type: &str, header: &[u8]) {
    let file = [header, &[0; 100]].concat();
    assert_fits(media_type, &file, 400, 64);
}

/// Returns a PNG whose header has these edge lengths.
fn png_of(edge: u32) -> Vec<u8> {
    let mut png = solid_png(1);
    png[16..20].copy_from_slice(&edge.to_be_bytes());
    png[20..24].copy_from_slice(&edge.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    png
}

/// Returns a TIFF file with one field for each edge and none for the pixels.
fn tiff_of(edge: u32) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0\x02\0".to_vec();
    for tag in [256u16, 257] {
        file.extend(tag.to_le_bytes());
        file.extend(b"\x04\0\x01\0\0\0");
        file.extend(edge.to_le_bytes());
    }
    file
}

/// Returns the header of a BMP file with these edge lengths.
fn bmp_of(edge: u32) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    file.extend(edge.to_le_bytes());
    file.extend(edge.to_le_bytes());
    file.extend(b"\x01\0\x20\0");
    file
}

cases! {
    assert_header_is_rejected:
    png_with_edges_of_2_31_pixels: "image/png", &png_of(0x7fff_ffff);
    png_with_edges_of_2_32_pixels: "image/png", &png_of(u32::MAX);
    png_without_pixels: "image/png", &png_of(0);
    gif_with_edges_of_65_535_pixels: "image/gif", b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08";
    jpeg_with_edges_of_65_535_pixels: "image/jpeg", b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0";
    webp_with_edges_of_16_million_pixels: "image/webp", b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff";
    tiff_with_edges_of_2_31_pixels: "image/tiff", &tiff_of(0x7fff_ffff);
    bmp_with_edges_of_2_31_pixels: "image/bmp", &bmp_of(0x7fff_ffff);
}

cases! {
    assert_fits:
    // The largest that fits into the default of --decode-mib.
    webp_of_36_bytes_with_64_million_pixels: "image/webp", &small_webp(8000), 400, 64;
    webp_of_36_bytes_with_16_million_pixels: "image/webp", &small_webp(4000), 201, 300;
    compressed_text: "image/png", &png_with_inflating_chunk(&solid_png(1), b"zTXt", b"text\0\0", 400 * MIB), 201, 64;
    compressed_international_text: "image/png", &png_with_inflating_chunk(&solid_png(1), b"iTXt", b"text\0\x01\0\0\0", 400 * MIB), 201, 64;
}

/// The engine's name is checked before the image is decoded.
#[test]
fn unknown_engine_is_reported_without_decoding() {
    let server = Server::start(&NO_JOBS);
    let mut body = image_body("image/webp", &small_webp(4000));
    body["engine"] = "unknown".into();
    let response = server.post(SESSIONS, "", &body).unwrap();
    assert_eq!(response.status, 400);
    assert!(
        response.message().contains("engine"),
        "{}",
        response.message()
    );
    let peak = server.peak_memory() / MIB;
    assert!(peak < 64, "{peak} MiB");
}
