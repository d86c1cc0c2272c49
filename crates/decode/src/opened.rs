//! An image file whose header has been read.

use image::DynamicImage;

use crate::error::DecodeError;

/// An image file whose header has been read.
pub trait OpenedImage {
    /// Returns the width and the height of the decoded image, in pixels, before it is turned upright.
    fn size(&self) -> (u32, u32);

    /// Estimates the memory that [`OpenedImage::decode`] needs, in bytes.
    fn memory(&self) -> u64;

    /// Decodes the image: upright, in sRGB, and without premultiplied alpha.
    ///
    /// # Errors
    /// Fails if the file is damaged, or of a kind that is not supported.
    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError>;
}
