//! Photos and the repository that has them.

use std::path::{Path, PathBuf};

use image::DynamicImage;

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn photo(name: &str) -> DynamicImage {
    let path = repository().join(format!("tests/fixtures/photos/{name}.jpg"));
    image::open(path).unwrap()
}
