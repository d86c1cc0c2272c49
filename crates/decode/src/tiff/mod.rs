//! TIFF files: the kinds that cameras, scanners and image editors write.

mod directory;
mod kind;
mod pixels;
mod source;

use contract::ImageFormat;
use image::metadata::Orientation;
use image::{DynamicImage, ImageError};
use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

use self::directory::{Directory, tag};
use self::kind::{Compression, Kind, Samples};
use self::source::{BitOrder, Source};
use crate::color::{Channels, Colors, Spaces};
use crate::error::DecodeError;
use crate::opened::OpenedImage;

const FORMAT: ImageFormat = ImageFormat::Tiff;

/// A TIFF file, of which the first page is read.
pub struct TiffFile<'a> {
    file: &'a [u8],
    directory: Directory<'a>,
    kind: Kind,
    colors: Colors<'a>,
}

impl<'a> TiffFile<'a> {
    /// Reads the first directory of a file.
    ///
    /// # Errors
    /// Fails if it is damaged, or if the kind of file is not supported.
    pub fn open(file: &'a [u8]) -> Result<Self, DecodeError> {
        let directory = Directory::read(file).ok_or(DecodeError::Damaged(FORMAT))?;
        let kind = Kind::of(&directory).ok_or(DecodeError::UnsupportedKind(FORMAT))?;
        let profile = directory.bytes(tag::ICC_PROFILE);
        let colors = match kind.samples {
            Samples::Gray | Samples::GrayAnd(_) => Colors::of_icc(profile, Spaces::RgbOrGray),
            Samples::Cmyk => Colors::default(),
            _ => Colors::of_icc(profile, Spaces::Rgb),
        };
        Ok(Self {
            file,
            directory,
            kind,
            colors,
        })
    }

    fn orientation(&self) -> Orientation {
        let orientation = self.directory.number(tag::ORIENTATION);
        let orientation = orientation.and_then(|number| u8::try_from(number).ok());
        let orientation = orientation.and_then(Orientation::from_exif);
        orientation.unwrap_or(Orientation::NoTransforms)
    }

    /// Returns the size of the samples that the decoder returns, in bytes.
    fn sample_bytes(&self) -> u64 {
        let Kind {
            width,
            height,
            samples,
            bits,
            ..
        } = self.kind;
        let row = (u64::from(width) * samples.decoded_count() * u64::from(bits)).div_ceil(8);
        row * u64::from(height)
    }

    /// Checks that the data of JPEG strips or tiles have the stated size: their decoder allocates what
    /// they state themselves.
    fn check_jpeg(&self) -> Result<(), DecodeError> {
        /// Tiles that are the same may share their data.
        const MAX_SHARED: u64 = 4;
        let damaged = DecodeError::Damaged(FORMAT);
        let numbers = |tile, strip| {
            let tag = if self.directory.bytes(tag::TILE_OFFSETS).is_some() {
                tile
            } else {
                strip
            };
            self.directory.numbers(tag).into_iter().flatten()
        };
        let offsets = numbers(tag::TILE_OFFSETS, tag::STRIP_OFFSETS);
        let counts = numbers(tag::TILE_BYTE_COUNTS, tag::STRIP_BYTE_COUNTS);
        let tables = self.directory.bytes(tag::JPEG_TABLES).unwrap_or_default();
        let (mut total, file_size) = (0_u64, self.file.len() as u64);
        for (offset, count) in offsets.zip(counts) {
            total = total
                .saturating_add(count)
                .saturating_add(tables.len() as u64);
            let range = usize::try_from(offset)
                .ok()
                .zip(usize::try_from(count).ok());
            let data =
                range.and_then(|(start, size)| self.file.get(start..start.checked_add(size)?));
            let data = data.filter(|_| total <= MAX_SHARED * file_size);
            // The tables end, and the data start, with a marker that is left out.
            let joined = match (data, tables) {
                (Some(data), []) => Some(data.to_vec()),
                (Some(data), tables) => tables
                    .len()
                    .checked_sub(2)
                    .zip(data.get(2..))
                    .map(|(end, data)| [&tables[..end], data].concat()),
                (None, _) => None,
            };
            let Some(joined) = joined else {
                return Err(damaged);
            };
            let mut decoder = JpegDecoder::new(ZCursor::new(&joined));
            let components = usize::try_from(self.kind.samples.decoded_count());
            let (width, height) = self.kind.chunk;
            let is_right = decoder.decode_headers().is_ok()
                && decoder
                    .dimensions()
                    .is_some_and(|size| size.0 == width as usize && size.1 <= height as usize)
                && decoder
                    .input_colorspace()
                    .is_some_and(|space| Ok(space.num_components()) == components);
            if !is_right {
                return Err(damaged);
            }
        }
        Ok(())
    }

    fn read_samples(&self) -> Result<(DecodingResult, bool), TiffError> {
        const BLACK_IS_ZERO: u8 = 1;
        const LOWEST_FIRST: u64 = 2;
        // The decoder does not know palettes; their indices are like shades of gray.
        let replaced = match self.kind.samples {
            Samples::Palette => self.directory.lowest_byte(tag::PHOTOMETRIC_INTERPRETATION),
            _ => None,
        };
        let source = Source::new(
            self.file,
            replaced.map(|position| (position, BLACK_IS_ZERO)),
        );
        let mut limits = Limits::default();
        limits.decoding_buffer_size = usize::try_from(self.sample_bytes()).unwrap_or(usize::MAX);
        limits.intermediate_buffer_size = usize::MAX;
        let mut decoder = Decoder::new(source)?.with_limits(limits);
        let is_reversed = self.directory.number(tag::FILL_ORDER) == Some(LOWEST_FIRST);
        if is_reversed && self.kind.compression == Compression::Streamed {
            decoder.inner().set_bit_order(BitOrder::LowestFirst);
        }
        let mut samples = DecodingResult::U8(Vec::new());
        let layout = decoder.read_image_to_buffer(&mut samples)?;
        let is_complete = samples.as_buffer(0).as_bytes().len() >= layout.complete_len;
        Ok((samples, is_complete))
    }
}

impl OpenedImage for TiffFile<'_> {
    fn size(&self) -> (u32, u32) {
        (self.kind.width, self.kind.height)
    }

    fn memory(&self) -> u64 {
        /// The decoder's lists of positions and sizes.
        const CHUNK_BYTES: u64 = 64;
        let Kind {
            width,
            height,
            samples,
            bits,
            chunk,
            chunks,
            compression,
            ..
        } = self.kind;
        let channel_bytes = u64::from(bits.div_ceil(8));
        let decoded = u64::from(width) * u64::from(height) * samples.channels() * channel_bytes;
        let row = u64::from(chunk.0) * samples.decoded_count() * channel_bytes;
        let chunk = match compression {
            // The coefficients of progressive images have 16 bits.
            Compression::Jpeg => self.file.len() as u64 + 3 * row * u64::from(chunk.1),
            Compression::Streamed => row,
        };
        let channels = match samples {
            Samples::Gray | Samples::GrayAnd(_) => Channels::Gray,
            _ => Channels::Color,
        };
        let reading = self.sample_bytes() + chunk + CHUNK_BYTES * chunks;
        let converting = self.sample_bytes() + decoded;
        let finishing = match self.orientation() {
            Orientation::NoTransforms => decoded,
            _ => 2 * decoded,
        } + self.colors.memory(decoded, channels);
        // The decoder's lists of an entry's values.
        (16 << 20) + reading.max(converting).max(finishing)
    }

    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError> {
        if self.kind.compression == Compression::Jpeg {
            self.check_jpeg()?;
        }
        let (samples, is_complete) = self.read_samples().map_err(decode_error)?;
        let map = self.directory.numbers(tag::COLOR_MAP);
        let map: Vec<_> = map
            .into_iter()
            .flatten()
            .map(|value| value as u16)
            .collect();
        let image = is_complete.then(|| pixels::image(self.kind, samples, &map));
        let mut image = image.flatten().ok_or(DecodeError::Damaged(FORMAT))?;
        image.apply_orientation(self.orientation());
        Ok(self.colors.convert(image))
    }
}

fn decode_error(error: TiffError) -> DecodeError {
    match error {
        TiffError::UnsupportedError(_) => DecodeError::UnsupportedKind(FORMAT),
        // The end of the LZW data is missing. weezl 0.1.12 also loses it in some complete tiles, when it
        // is read row by row.
        TiffError::IoError(error) if error.get_ref().is_some() => {
            DecodeError::UnsupportedKind(FORMAT)
        }
        TiffError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            let (format, error) = (FORMAT, ImageError::IoError(error));
            DecodeError::Undecodable { format, error }
        }
        _ => DecodeError::Damaged(FORMAT),
    }
}
