//! Images that are dangerous to decode: the process survives them, and its memory stays bounded.

use std::thread;

use crate::support::bombs::{TILED_PLANAR, ZERO_WIDTH_FRAME, png_with_profile, small_webp};
use crate::support::*;

/// Slow sessions: no job decodes the image again while the test runs.
const NO_JOBS: [&str; 2] = ["--speed", "0.001"];

#[test]
fn responds_to_images_that_make_the_decoder_panic() {
    let server = Server::start(&NO_JOBS);
    for (media_type, file) in [
        ("image/tiff", TILED_PLANAR),
        ("image/webp", ZERO_WIDTH_FRAME),
    ] {
        let name = contract::ImageFormat::detect(file).unwrap().name();
        let response = server.post(SESSIONS, "", &image_body(media_type, file));
        let response = response.expect("the connection was closed without a response");
        assert_eq!(response.status, 400);
        let message = response.message();
        let words = format!("{name} file");
        assert!(
            message.starts_with("image_url: ") && message.contains(&words),
            "{message}"
        );
    }
    assert_eq!(server.sessions().len(), 0);
}

#[test]
fn rejects_an_image_that_never_fits_and_states_the_limit() {
    let server = Server::start(&["--decode-mib", "16"]);
    let response = server.post(SESSIONS, "", &image_body("image/webp", &small_webp(8000)));
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
    let body = image_body("image/webp", &small_webp(4000));
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
    let peak = server.peak_memory();
    assert!(peak < 400 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn does_not_inflate_color_profiles() {
    let server = Server::start(&NO_JOBS);
    let file = png_with_profile(&solid_png(1), 400 * MIB);
    assert!((file.len() as u64) < 4 * MIB);
    let response = server.post(SESSIONS, "", &image_body("image/png", &file));
    assert_eq!(response.unwrap().status, 201);
    let peak = server.peak_memory();
    assert!(peak < 200 * MIB, "{} MiB", peak / MIB);
}
