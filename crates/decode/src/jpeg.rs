//! JPEG files: those that end early, and those with the colors of print.

use contract::ImageFormat;
use image::metadata::Orientation;
use image::{DynamicImage, ImageError, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use crate::color::{Channels, Colors, Spaces};
use crate::error::DecodeError;
use crate::memory::memory_of;
use crate::opened::OpenedImage;
use crate::raster::RasterFile;

const FORMAT: ImageFormat = ImageFormat::Jpeg;

/// What replaces the missing end of a file. A decoder that reads any of it makes different images.
const FILLERS: [u8; 2] = [0x00, 0xaa];

/// Enough for the decoder's buffer of bits, and for some blocks.
const FILLER_BYTES: usize = 64;

const END: [u8; 2] = [0xff, 0xd9];

/// Reads the header of a JPEG file. The decoder allocates at most `max_bytes`.
///
/// # Errors
/// Fails if the header is damaged, or if the kind of file is not supported.
pub fn open(file: &[u8], max_bytes: u64) -> Result<Box<dyn OpenedImage + '_>, DecodeError> {
    if has_end(file) {
        return open_complete(file, max_bytes);
    }
    Ok(Box::new(UnfinishedFile::open(file, max_bytes)?))
}

fn open_complete(file: &[u8], max_bytes: u64) -> Result<Box<dyn OpenedImage + '_>, DecodeError> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options());
    let (mut profile, mut spaces) = (None, Spaces::Rgb);
    if decoder.decode_headers().is_ok() {
        profile = decoder.icc_profile();
        let stored = decoder.input_colorspace();
        if stored == Some(ColorSpace::Luma) {
            spaces = Spaces::RgbOrGray;
        }
        if let Some(ColorSpace::CMYK | ColorSpace::YCCK) = stored {
            let profile = profile.take().and_then(Colors::of_print);
            if let Some(print) = profile.and_then(|colors| PrintFile::open(file, &decoder, colors))
            {
                return Ok(Box::new(print));
            }
        }
    }
    let colors = Colors::of_icc(profile, spaces);
    Ok(Box::new(RasterFile::open(FORMAT, file, colors, max_bytes)?))
}

/// Returns whether a file ends with the marker for it, or has another structure.
fn has_end(file: &[u8]) -> bool {
    const ESCAPED: u8 = 0x00;
    const FILL: u8 = 0xff;
    const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    const START_OF_SCAN: u8 = 0xda;
    let [_, end] = END;
    let mut at = 2;
    loop {
        let Some(&[start, marker]) = file.get(at..at + 2) else {
            return false;
        };
        match (start, marker) {
            (0xff, FILL) => at += 1,
            (0xff, marker) if marker == end => return true,
            (0xff, marker) if RESTARTS.contains(&marker) => at += 2,
            (0xff, marker) => {
                let Some(&[high, low]) = file.get(at + 2..at + 4) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
                if marker == START_OF_SCAN {
                    let data = file.get(at..).unwrap_or_default();
                    let next = data.windows(2).position(|pair| {
                        pair[0] == 0xff && pair[1] != ESCAPED && !RESTARTS.contains(&pair[1])
                    });
                    let Some(next) = next else {
                        return false;
                    };
                    at += next;
                }
            }
            // The decoder knows what to do.
            _ => return true,
        }
    }
}

/// A file without the marker for its end.
struct UnfinishedFile {
    files: [Vec<u8>; 2],
    size: (u32, u32),
    memory: u64,
    max_bytes: u64,
}

impl UnfinishedFile {
    fn open(file: &[u8], max_bytes: u64) -> Result<Self, DecodeError> {
        // Half of a marker.
        let file = file.strip_suffix(&[0xff]).unwrap_or(file);
        let files = FILLERS.map(|filler| {
            let mut filled = Vec::with_capacity(file.len() + FILLER_BYTES + END.len());
            filled.extend_from_slice(file);
            filled.resize(file.len() + FILLER_BYTES, filler);
            filled.extend_from_slice(&END);
            filled
        });
        let opened = open_complete(&files[0], max_bytes).map_err(ends_early)?;
        let size = opened.size();
        const MAX_CHANNELS: u64 = 3;
        let other_image = u64::from(size.0) * u64::from(size.1) * MAX_CHANNELS;
        let memory = opened.memory() + other_image + 2 * file.len() as u64;
        drop(opened);
        Ok(Self {
            files,
            size,
            memory,
            max_bytes,
        })
    }
}

impl OpenedImage for UnfinishedFile {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError> {
        let decode = |file| open_complete(file, self.max_bytes)?.decode();
        let [image, other] = &self.files;
        let image = decode(image).map_err(ends_early)?;
        let other = decode(other).map_err(ends_early)?;
        match image == other {
            true => Ok(image),
            false => Err(DecodeError::EndsEarly(FORMAT)),
        }
    }
}

/// Returns the error for an unfinished file that cannot be decoded.
fn ends_early(error: DecodeError) -> DecodeError {
    match error {
        DecodeError::Undecodable { format, .. } => DecodeError::EndsEarly(format),
        error => error,
    }
}

/// A file with the colors of print and a profile of them.
struct PrintFile<'a> {
    file: &'a [u8],
    size: (u32, u32),
    orientation: Orientation,
    colors: Colors<'a>,
}

impl<'a> PrintFile<'a> {
    /// Opens a file whose header `decoder` has read.
    fn open(
        file: &'a [u8],
        decoder: &JpegDecoder<ZCursor<&[u8]>>,
        colors: Colors<'a>,
    ) -> Option<Self> {
        let (width, height) = decoder.dimensions()?;
        let exif = decoder.exif();
        let orientation = exif.and_then(|exif| Orientation::from_exif_chunk(exif));
        Some(Self {
            file,
            size: (u32::try_from(width).ok()?, u32::try_from(height).ok()?),
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            colors,
        })
    }
}

impl OpenedImage for PrintFile<'_> {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn memory(&self) -> u64 {
        let pixels = u64::from(self.size.0) * u64::from(self.size.1);
        // Four inks while decoding; three colors beside them afterwards.
        let inks = memory_of(FORMAT, self.file, 4 * pixels, self.orientation);
        self.file.len() as u64 + inks + 3 * pixels + self.colors.memory(0, Channels::Color)
    }

    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError> {
        let damaged = |error: DecodeErrors| {
            let error = image::error::DecodingError::new(image::ImageFormat::Jpeg.into(), error);
            let (format, error) = (FORMAT, ImageError::Decoding(error));
            DecodeError::Undecodable { format, error }
        };
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(self.file), options());
        decoder.decode_headers().map_err(damaged)?;
        let stored = decoder.input_colorspace().unwrap_or(ColorSpace::CMYK);
        decoder.set_options(options().jpeg_set_out_colorspace(stored));
        let mut inks = decoder.decode().map_err(damaged)?;
        for pixel in inks.chunks_exact_mut(4) {
            if stored == ColorSpace::YCCK {
                let [red, green, blue] = rgb_of_ycbcr([pixel[0], pixel[1], pixel[2]]);
                pixel[..3].copy_from_slice(&[255 - red, 255 - green, 255 - blue]);
            }
            // Stored is the paper that is left.
            pixel.iter_mut().for_each(|ink| *ink = 255 - *ink);
        }
        let (width, height) = self.size;
        let colors = self.colors.convert_print(&inks);
        let colors = colors.unwrap_or_else(|| rgb_of_inks(&inks));
        let image = RgbImage::from_raw(width, height, colors);
        let mut image = DynamicImage::from(image.ok_or(DecodeError::Damaged(FORMAT))?);
        image.apply_orientation(self.orientation);
        Ok(image)
    }
}

fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
}

/// Converts pixels of four inks to sRGB as Chromium does without a profile.
pub fn rgb_of_inks(inks: &[u8]) -> Vec<u8> {
    let paper = |ink: u8| u16::from(u8::MAX - ink);
    inks.chunks_exact(4)
        .flat_map(|pixel| [0, 1, 2].map(|ink| (paper(pixel[ink]) * paper(pixel[3]) / 255) as u8))
        .collect()
}

/// Converts a color as ITU-T T.871 does.
pub fn rgb_of_ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128., f32::from(cr) - 128.);
    // Conversions to integers saturate.
    [
        (y + 1.402 * cr).round() as u8,
        (y - 0.344_136 * cb - 0.714_136 * cr).round() as u8,
        (y + 1.772 * cb).round() as u8,
    ]
}
