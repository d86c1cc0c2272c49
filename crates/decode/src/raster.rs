//! Decodes the formats of the `image` crate.

use std::borrow::Cow;
use std::io::Cursor;

use contract::ImageFormat;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::color::{Channels, Colors};
use crate::error::DecodeError;
use crate::memory::memory_of;
use crate::opened::OpenedImage;
use crate::png;

/// A file of a format that the `image` crate decodes.
pub struct RasterFile<'a> {
    format: ImageFormat,
    decoder: Box<dyn ImageDecoder + 'a>,
    orientation: Orientation,
    colors: Colors<'a>,
    memory: u64,
}

impl<'a> RasterFile<'a> {
    /// Reads the header of a file, whose pixels have these colors. The decoder allocates at most
    /// `max_bytes`.
    ///
    /// # Errors
    /// Fails if the header is damaged, or if the kind of file is not supported.
    pub fn open(
        format: ImageFormat,
        file: &'a [u8],
        colors: Colors<'a>,
        max_bytes: u64,
    ) -> Result<Self, DecodeError> {
        let undecodable = |error| DecodeError::of_image(format, error);
        let decoded_file = match format {
            ImageFormat::Png => png::repaired(file),
            _ => Cow::Borrowed(file),
        };
        let copied = match (format, &decoded_file) {
            (ImageFormat::Jpeg, _) | (_, Cow::Owned(_)) => file.len() as u64,
            _ => 0,
        };
        let mut reader = ImageReader::new(Cursor::new(decoded_file));
        if let Some(format) = image::ImageFormat::from_mime_type(format.media_type()) {
            reader.set_format(format);
        }
        let mut limits = Limits::default();
        limits.max_alloc = Some(max_bytes);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(undecodable)?;
        let orientation = match format {
            // Browsers ignore the orientation in WebP files.
            ImageFormat::Webp => Orientation::NoTransforms,
            _ => decoder.orientation().map_err(undecodable)?,
        };
        let decoded = decoder.total_bytes();
        let channels = match decoder.color_type().has_color() {
            true => Channels::Color,
            false => Channels::Gray,
        };
        Ok(Self {
            format,
            memory: copied
                + memory_of(format, file, decoded, orientation)
                + colors.memory(decoded, channels),
            decoder: Box::new(decoder),
            orientation,
            colors,
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
        Ok(self.colors.convert(image))
    }
}
