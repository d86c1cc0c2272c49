//! Decodes images to see whether the decoder panics, for platforms that cannot catch panics.

use decode::{Decoder, Patience};

use crate::body::CreateBody;
use crate::image_source::ImageSource;

/// Decodes the image and the mask in the body of a create request, to see whether the decoder panics.
/// For platforms that cannot catch panics: an instance without sessions calls this before
/// [`Api::handle`](crate::Api::handle).
pub fn try_create(body: &[u8]) {
    let Ok(CreateBody { image, mask, .. }) = CreateBody::parse(body) else {
        return;
    };
    let image = match image {
        ImageSource::Inline(file) => Some(file),
        ImageSource::Remote(_) => None,
    };
    for file in image.into_iter().chain(mask) {
        try_decode(&file);
    }
}

/// Decodes an image, to see whether the decoder panics.
pub fn try_decode(file: &[u8]) {
    // Whether it can be decoded does not matter.
    let _ = Decoder::default().decode(file, Patience::Request);
}
