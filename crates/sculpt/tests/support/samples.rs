//! The sample images of the demo page: the only files outside this crate that its tests read.

use std::path::PathBuf;

/// The names of the samples. The first three have a transparent background; in the last one no object
/// stands out.
pub const SAMPLES: [&str; 5] = [
    "turtle.webp",
    "cat.webp",
    "mushroom.webp",
    "rocket.jpg",
    "chelsea.png",
];

/// Returns the path of a sample.
pub fn sample_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../www/samples")
        .join(name)
}
