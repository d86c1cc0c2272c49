//! The views to choose from that a `turbo` session offers.

use image::DynamicImage;

/// As many views as there are.
pub const SPINS: usize = 4;

/// One of the views, numbered from 0: the picture as it is, mirrored, upside down, and turned by
/// half. A slab has no other sides that would be worth a look, and these can be told apart.
pub fn spin(picture: &DynamicImage, index: usize) -> DynamicImage {
    match index % SPINS {
        0 => picture.clone(),
        1 => picture.fliph(),
        2 => picture.flipv(),
        _ => picture.rotate180(),
    }
}
