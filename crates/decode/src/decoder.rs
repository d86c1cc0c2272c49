//! Decodes image files of any format.

use std::sync::Arc;

use contract::ImageFormat;
use image::DynamicImage;

#[cfg(not(target_family = "wasm"))]
use crate::avif::AvifFile;
use crate::color::{Colors, Spaces};
use crate::error::{CRASHED, DecodeError};
use crate::jpeg;
use crate::layout::{find_fault, webp_icc_profile};
use crate::limits::{DEFAULT_MAX_DECODE_BYTES, MAX_PIXELS};
use crate::opened::OpenedImage;
use crate::panics::catch_panic;
use crate::queue::{DecodeBusy, DecodeQueue, Patience};
use crate::raster::RasterFile;
use crate::svg::SvgFile;
use crate::tiff::TiffFile;

/// Decodes images within limits of memory.
pub struct Decoder {
    /// The memory that one decode may need at most, in bytes.
    pub max_bytes: u64,
    /// Without one, decodes do not wait for each other.
    pub queue: Option<Arc<dyn DecodeQueue>>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            max_bytes: DEFAULT_MAX_DECODE_BYTES,
            queue: None,
        }
    }
}

impl Decoder {
    /// Decodes an image file. The image is upright, in sRGB, and without premultiplied alpha.
    ///
    /// # Errors
    /// Fails if the format is unknown or not supported, if the file is damaged, if the image is too
    /// large, if the decoder panics, or if the decode has waited too long.
    pub fn decode(&self, file: &[u8], patience: Patience) -> Result<DynamicImage, DecodeError> {
        if file.is_empty() {
            return Err(DecodeError::Empty);
        }
        let format = ImageFormat::detect(file).ok_or_else(|| DecodeError::unrecognized(file))?;
        if let Some(reason) = find_fault(format, file) {
            return Err(DecodeError::Faulty { format, reason });
        }
        self.decode_as(format, file, patience)
    }

    /// Decodes a file of a known format. A panic of the decoder is an error.
    fn decode_as(
        &self,
        format: ImageFormat,
        file: &[u8],
        patience: Patience,
    ) -> Result<DynamicImage, DecodeError> {
        let decoded = catch_panic(|| self.decode_unprotected(format, file, patience));
        decoded.unwrap_or_else(|_| {
            let reason = CRASHED;
            Err(DecodeError::Faulty { format, reason })
        })
    }

    fn decode_unprotected(
        &self,
        format: ImageFormat,
        file: &[u8],
        patience: Patience,
    ) -> Result<DynamicImage, DecodeError> {
        let opened: Box<dyn OpenedImage + '_> = match format {
            ImageFormat::Tiff => Box::new(TiffFile::open(file)?),
            ImageFormat::Jpeg => jpeg::open(file, self.max_bytes)?,
            ImageFormat::Png | ImageFormat::Webp | ImageFormat::Gif | ImageFormat::Bmp => {
                let colors = match format {
                    ImageFormat::Png => {
                        Colors::of_png(file).ok_or(DecodeError::UnsupportedKind(format))?
                    }
                    // Chromium does not use gray profiles here.
                    ImageFormat::Webp => Colors::of_icc(webp_icc_profile(file), Spaces::Rgb),
                    _ => Colors::default(),
                };
                Box::new(RasterFile::open(format, file, colors, self.max_bytes)?)
            }
            ImageFormat::Svg => Box::new(SvgFile::open(file)?),
            #[cfg(not(target_family = "wasm"))]
            ImageFormat::Avif => Box::new(AvifFile::open(file)?),
            #[cfg(target_family = "wasm")]
            ImageFormat::Avif => return Err(DecodeError::UnsupportedFormat(format)),
            ImageFormat::Heic | ImageFormat::JpegXl | ImageFormat::Ico => {
                return Err(DecodeError::UnsupportedFormat(format));
            }
        };
        let (width, height) = opened.size();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(DecodeError::TooManyPixels { width, height });
        }
        let bytes = opened.memory();
        if bytes > self.max_bytes {
            let limit = self.max_bytes;
            return Err(DecodeError::TooMuchMemory { bytes, limit });
        }
        let Some(queue) = &self.queue else {
            return opened.decode();
        };
        let (mut opened, mut decoded) = (Some(opened), None);
        let run = &mut || decoded = opened.take().map(|opened| opened.decode());
        queue.run(bytes, patience, run).map_err(DecodeError::Busy)?;
        decoded.unwrap_or(Err(DecodeError::Busy(DecodeBusy {
            retry_after_seconds: 1,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_is_an_error() {
        let file = include_bytes!("../../../tests/fixtures/zero-width-frame.webp");
        assert_eq!(
            Decoder::default()
                .decode_as(ImageFormat::Webp, file, Patience::Request)
                .unwrap_err()
                .to_string(),
            "the WebP file cannot be decoded: the decoder crashed"
        );
    }
}
