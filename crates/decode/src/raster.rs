//! Decodes the formats of the `image` crate.

use std::borrow::Cow;
use std::io::Cursor;

use contract::ImageFormat;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::error::DecodeError;
use crate::memory::memory_of;
use crate::opened::OpenedImage;

/// A file of a format that the `image` crate decodes.
pub struct RasterFile<'a> {
    format: ImageFormat,
    decoder: Box<dyn ImageDecoder + 'a>,
    orientation: Orientation,
    memory: u64,
}

impl<'a> RasterFile<'a> {
    /// Reads the header of a file. The decoder allocates at most `max_bytes`.
    ///
    /// # Errors
    /// Fails if the header is damaged, or if the kind of file is not supported.
    pub fn open(format: ImageFormat, file: &'a [u8], max_bytes: u64) -> Result<Self, DecodeError> {
        let undecodable = |error| DecodeError::of_image(format, error);
        let file = without_color_profile(format, file);
        let memory_of = {
            let file = file.clone();
            move |decoded, orientation| memory_of(format, &file, decoded, orientation)
        };
        let mut reader = ImageReader::new(Cursor::new(file));
        if let Some(format) = image::ImageFormat::from_mime_type(format.media_type()) {
            reader.set_format(format);
        }
        let mut limits = Limits::default();
        limits.max_alloc = Some(max_bytes);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(undecodable)?;
        let orientation = decoder.orientation().map_err(undecodable)?;
        Ok(Self {
            format,
            memory: memory_of(decoder.total_bytes(), orientation),
            decoder: Box::new(decoder),
            orientation,
        })
    }
}

impl OpenedImage for RasterFile<'_> {
    fn size(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError> {
        let image = DynamicImage::from_decoder(self.decoder);
        let mut image = image.map_err(|error| DecodeError::of_image(self.format, error))?;
        image.apply_orientation(self.orientation);
        Ok(image)
    }
}

/// Returns a PNG file without its color profile, which is not used. A small one may inflate to more
/// than a gigabyte.
fn without_color_profile<'a>(format: ImageFormat, file: &'a [u8]) -> Cow<'a, [u8]> {
    const SIGNATURE: usize = 8;
    let mut file = Cow::Borrowed(file);
    if format != ImageFormat::Png {
        return file;
    }
    let mut start = SIGNATURE;
    while let Some(&[a, b, c, d, ref name @ ..]) = file.get(start..start + 8) {
        // The length, the name and the checksum.
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = start
            .saturating_add(12)
            .saturating_add(length)
            .min(file.len());
        match name {
            b"IDAT" => break,
            b"iCCP" => {
                file.to_mut().drain(start..end);
            }
            _ => start = end,
        }
    }
    file
}
