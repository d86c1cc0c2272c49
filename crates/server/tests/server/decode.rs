//! Images that are dangerous to decode: the process survives them, and its memory stays bounded.

use std::fs;
use std::io::Write;
use std::thread;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use crate::support::*;

const MIB: u64 = 1 << 20;

/// Slow sessions: no job decodes the image again while the test runs.
const NO_JOBS: [&str; 2] = ["--speed", "0.001"];

/// Returns the highest resident memory of the server so far, in bytes.
fn peak_memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

fn body(media_type: &str, file: &[u8]) -> Value {
    let base64 = base64_simd::STANDARD.encode_to_string(file);
    json!({"image_url": format!("data:{media_type};base64,{base64}")})
}

/// Returns a lossless WebP file of 36 bytes with an image of one color.
fn small_webp(side: u32) -> Vec<u8> {
    // 14 bits for each edge minus one, no alpha; then codes with one symbol each.
    let size = (side - 1) | (side - 1) << 14;
    let mut file = b"RIFF\x1c\0\0\0WEBPVP8L\x10\0\0\0\x2f".to_vec();
    file.extend(size.to_le_bytes());
    file.extend([0x88, 0x88, 0x08]);
    file.resize(36, 0);
    file
}

/// Adds a color profile of this many bytes to a PNG file, all zeros.
fn with_profile(png: &[u8], length: u64) -> Vec<u8> {
    let mut profile = ZlibEncoder::new(b"profile\0\0".to_vec(), Compression::fast());
    let zeros = vec![0; MIB as usize];
    for _ in 0..length / MIB {
        profile.write_all(&zeros).unwrap();
    }
    let data = profile.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(b"iCCP");
    crc.update(&data);
    let header = 8 + 25;
    let length = u32::try_from(data.len()).unwrap();
    let checksum = crc.sum();
    let parts: [&[u8]; 6] = [
        &png[..header],
        &length.to_be_bytes(),
        b"iCCP",
        &data,
        &checksum.to_be_bytes(),
        &png[header..],
    ];
    parts.concat()
}

#[test]
fn responds_to_images_that_make_the_decoder_panic() {
    let server = Server::start(&NO_JOBS);
    let tiff: &[u8] = include_bytes!("../../../../tests/fixtures/tiled-planar.tif");
    let webp: &[u8] = include_bytes!("../../../../tests/fixtures/zero-width-frame.webp");
    for (media_type, file) in [("image/tiff", tiff), ("image/webp", webp)] {
        let response = server.post(SESSIONS, "", &body(media_type, file));
        let response = response.expect("the connection was closed without a response");
        assert_eq!(response.status, 400);
        assert!(response.message().starts_with("image_url: the image/"));
    }
    assert_eq!(server.sessions().len(), 0);
}

#[test]
fn rejects_an_image_that_never_fits_and_states_the_limit() {
    let server = Server::start(&["--decode-mib", "16"]);
    let response = server.post(SESSIONS, "", &body("image/webp", &small_webp(8000)));
    let response = response.unwrap();
    assert_eq!(response.status, 400);
    let message = response.message();
    assert!(
        message.ends_with("more than the limit of 16 MiB"),
        "{message}"
    );
}

#[test]
fn decodes_sent_at_once_wait_for_each_other() {
    let flags = [&NO_JOBS[..], &["--decode-mib", "150"]].concat();
    let server = Server::start(&flags);
    let body = body("image/webp", &small_webp(4000));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                // Each takes some 110 MiB.
                let status = server.post(SESSIONS, "", &body).map(|sent| sent.status);
                assert!(matches!(status, Some(201 | 503)), "{status:?}");
            });
        }
    });
    assert!(!server.sessions().is_empty());
    let peak = peak_memory(&server);
    assert!(peak < 400 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn does_not_inflate_color_profiles() {
    let server = Server::start(&NO_JOBS);
    let file = with_profile(&solid_png(1), 400 * MIB);
    assert!((file.len() as u64) < 4 * MIB);
    let response = server.post(SESSIONS, "", &body("image/png", &file));
    assert_eq!(response.unwrap().status, 201);
    let peak = peak_memory(&server);
    assert!(peak < 200 * MIB, "{} MiB", peak / MIB);
}
