//! The interface of segmentation networks.

use image::RgbaImage;

/// Finds the object of an image by a segmentation network. Several threads use it at once.
pub trait Segmenter: Send + Sync {
    /// Returns the width and the height of the images that the network takes, in pixels. Each is at
    /// least 1.
    fn input_size(&self) -> (u32, u32);

    /// Returns for each pixel of [the image scaled to the input size](crate::network_input), by rows, the
    /// logit of the probability that it belongs to the object: above 0 if that is likely.
    ///
    /// # Errors
    /// Fails if the network cannot be run.
    fn segment(&self, image: &RgbaImage) -> Result<Vec<f32>, SegmentError>;
}

/// Why a segmentation network has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cut-out network is not available: {0}")]
pub struct SegmentError(pub String);
