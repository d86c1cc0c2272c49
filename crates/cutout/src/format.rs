//! What a network expects of its images, and what its output means.

/// The format of a network's input and output.
///
/// The default is that of u2netp.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFormat {
    /// The width of the input and of the output, in pixels.
    pub width: u32,
    /// The height of the input and of the output, in pixels.
    pub height: u32,
    /// The value of a channel that becomes 1.
    pub scale: Scale,
    /// The values subtracted from the scaled channels, in the order red, green, blue.
    pub mean: [f32; 3],
    /// The divisors applied after that.
    pub deviation: [f32; 3],
    /// The meaning of the output.
    pub output: Output,
}

/// The value of a channel that becomes 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// The greatest value in the image.
    ImageMaximum,
    /// The same value for all images, such as 255.
    Fixed(f32),
}

/// What the output of a network means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The probability that a pixel belongs to the object, from 0 to 1.
    Probability,
    /// The logit of that probability.
    Logit,
}

impl Default for ImageFormat {
    fn default() -> Self {
        Self {
            width: 320,
            height: 320,
            scale: Scale::ImageMaximum,
            mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225],
            output: Output::Logit,
        }
    }
}

impl ImageFormat {
    /// Returns the normalized channels of an image, all red values first. `pixels` has three bytes per
    /// pixel.
    pub fn normalize(&self, pixels: &[u8]) -> Vec<f32> {
        let scale = match self.scale {
            Scale::ImageMaximum => f32::from(pixels.iter().copied().max().unwrap_or_default()),
            Scale::Fixed(value) => value,
        };
        // A black image has no maximum to divide by.
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let channel = |index: usize| {
            let (mean, deviation) = (self.mean[index], self.deviation[index]);
            let values = pixels.iter().skip(index).step_by(3);
            values.map(move |value| (f32::from(*value) / scale - mean) / deviation)
        };
        (0..3).flat_map(channel).collect()
    }

    /// Returns the logit of a value of the output, which is finite.
    pub fn logit(&self, value: f32) -> f32 {
        /// The logit of the greatest probability below 1.
        const MAX_LOGIT: f32 = 16.0;
        let logit = match self.output {
            Output::Logit => value,
            Output::Probability => (value / (1.0 - value)).ln(),
        };
        logit.clamp(-MAX_LOGIT, MAX_LOGIT)
    }
}
