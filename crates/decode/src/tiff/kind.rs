//! The kinds of TIFF files that are read.

use super::directory::{Directory, tag};

/// The decoder's work for one image is limited to that of this many pixels.
const MAX_STORED_PIXELS: u64 = 256_000_000;

/// What the samples of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// A shade of gray.
    Gray,
    /// A shade of gray, and something else.
    GrayAnd(Extra),
    /// An index of the color map.
    Palette,
    /// Red, green and blue.
    Rgb,
    /// Red, green, blue, and something else.
    RgbAnd(Extra),
    /// Cyan, magenta, yellow and black.
    Cmyk,
    /// Luma and two differences.
    YCbCr,
}

/// What a sample beside the colors is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Nothing that is shown.
    Unspecified,
    /// The opacity, by which the colors are multiplied.
    AssociatedAlpha,
    /// The opacity.
    UnassociatedAlpha,
}

/// A way of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// JPEG, whose data state their own size.
    Jpeg,
    /// Another one, which makes no more bytes than are asked for.
    Streamed,
}

/// The kind of a TIFF file.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// What the samples are.
    pub samples: Samples,
    /// The bits of each sample.
    pub bits: u8,
    /// Whether each sample has a plane of its own.
    pub is_planar: bool,
    /// How strips or tiles are compressed.
    pub compression: Compression,
    /// The width and the height of a strip or tile, in pixels.
    pub chunk: (u32, u32),
    /// The number of strips or tiles.
    pub chunks: u64,
}

impl Samples {
    /// Returns the number of samples that the decoder returns for a pixel.
    pub fn decoded_count(self) -> u64 {
        match self {
            Self::Gray | Self::Palette => 1,
            Self::GrayAnd(_) => 2,
            Self::Rgb | Self::RgbAnd(Extra::Unspecified) | Self::YCbCr => 3,
            Self::RgbAnd(_) | Self::Cmyk => 4,
        }
    }

    /// Returns the number of channels of the decoded image.
    pub fn channels(self) -> u64 {
        match self {
            Self::Gray | Self::GrayAnd(Extra::Unspecified) => 1,
            Self::GrayAnd(_) => 2,
            Self::Palette
            | Self::Rgb
            | Self::RgbAnd(Extra::Unspecified)
            | Self::Cmyk
            | Self::YCbCr => 3,
            Self::RgbAnd(_) => 4,
        }
    }
}

impl Kind {
    /// Returns the kind of a file, or `None` if it is not read.
    pub fn of(directory: &Directory) -> Option<Self> {
        const SEPARATE: u64 = 2;
        const NO_PREDICTOR: u64 = 1;
        let width = u32::try_from(directory.number(tag::IMAGE_WIDTH)?).ok()?;
        let height = u32::try_from(directory.number(tag::IMAGE_LENGTH)?).ok()?;
        let bits = equal_numbers(directory, tag::BITS_PER_SAMPLE, 1)?;
        let is_planar = directory.number(tag::PLANAR_CONFIGURATION) == Some(SEPARATE);
        let compression = compression(directory)?;
        let samples = samples(directory)?;
        let has_predictor =
            directory.number(tag::PREDICTOR).unwrap_or(NO_PREDICTOR) != NO_PREDICTOR;
        let is_read = equal_numbers(directory, tag::SAMPLE_FORMAT, 1)? == 1
            && match samples {
                Samples::Gray => matches!(bits, 1 | 2 | 4 | 8 | 16),
                Samples::Palette => matches!(bits, 1 | 2 | 4 | 8),
                Samples::GrayAnd(_) => matches!(bits, 8 | 16) && !is_planar,
                // The decoder applies the predictor to what is left of the samples.
                Samples::RgbAnd(Extra::Unspecified) => matches!(bits, 8 | 16) && !has_predictor,
                Samples::Rgb | Samples::RgbAnd(_) => matches!(bits, 8 | 16),
                Samples::Cmyk => matches!(bits, 8 | 16) && !is_planar,
                Samples::YCbCr => bits == 8 && !is_planar && is_full_color(directory, compression),
            }
            && match compression {
                Compression::Jpeg => bits == 8 && !is_planar && samples != Samples::Cmyk,
                Compression::Streamed => true,
            };
        let is_tiled = directory.bytes(tag::TILE_OFFSETS).is_some();
        // https://github.com/image-rs/image-tiff/issues/403
        if !is_read || width == 0 || height == 0 || is_planar && is_tiled {
            return None;
        }
        let planes = if is_planar { samples.stored_count() } else { 1 };
        let (chunk, chunks) = chunks(directory, (width, height), planes)?;
        Some(Self {
            width,
            height,
            samples,
            bits: bits as u8,
            is_planar,
            compression,
            chunk,
            chunks,
        })
    }
}

impl Samples {
    fn stored_count(self) -> u64 {
        match self {
            Self::RgbAnd(_) => 4,
            samples => samples.decoded_count(),
        }
    }
}

/// Returns the value of all numbers of an entry, or `None` if they differ.
fn equal_numbers(directory: &Directory, tag: u16, default: u64) -> Option<u64> {
    let Some(mut numbers) = directory.numbers(tag) else {
        return Some(default);
    };
    let first = numbers.next()?;
    numbers.all(|number| number == first).then_some(first)
}

fn compression(directory: &Directory) -> Option<Compression> {
    match directory.number(tag::COMPRESSION).unwrap_or(1) {
        // None, LZW, Deflate and PackBits.
        1 | 5 | 8 | 32_773 | 32_946 => Some(Compression::Streamed),
        7 => Some(Compression::Jpeg),
        _ => None,
    }
}

fn samples(directory: &Directory) -> Option<Samples> {
    let count = directory.number(tag::SAMPLES_PER_PIXEL).unwrap_or(1);
    let extra = match directory.numbers(tag::EXTRA_SAMPLES) {
        None => None,
        Some(mut numbers) => match (numbers.len(), numbers.next()?) {
            (1, 0) => Some(Extra::Unspecified),
            (1, 1) => Some(Extra::AssociatedAlpha),
            (1, 2) => Some(Extra::UnassociatedAlpha),
            _ => return None,
        },
    };
    let photometric = directory.number(tag::PHOTOMETRIC_INTERPRETATION)?;
    Some(match (photometric, count, extra) {
        (0 | 1, 1, None) => Samples::Gray,
        (1, 2, extra) => Samples::GrayAnd(extra.unwrap_or(Extra::Unspecified)),
        (2, 3, None) => Samples::Rgb,
        // Without a statement, it is taken for the opacity.
        (2, 4, extra) => Samples::RgbAnd(extra.unwrap_or(Extra::UnassociatedAlpha)),
        (3, 1, None) => Samples::Palette,
        (5, 4, None) if directory.number(tag::INK_SET).unwrap_or(1) == 1 => Samples::Cmyk,
        (6, 3, None) => Samples::YCbCr,
        _ => return None,
    })
}

/// Returns whether each pixel has differences of its own after the decompression.
fn is_full_color(directory: &Directory, compression: Compression) -> bool {
    compression == Compression::Jpeg
        || directory
            .numbers(tag::YCBCR_SUBSAMPLING)
            .is_some_and(|mut factors| factors.len() == 2 && factors.all(|factor| factor == 1))
}

/// Returns the size of strips or tiles, and their number. Returns `None` if they are too many or too
/// large for the image.
fn chunks(directory: &Directory, size: (u32, u32), planes: u64) -> Option<((u32, u32), u64)> {
    let (width, height) = size;
    let (chunk, offsets, counts) = match directory.bytes(tag::TILE_OFFSETS) {
        Some(_) => {
            let edge = |tag| u32::try_from(directory.number(tag)?).ok();
            let tile = (edge(tag::TILE_WIDTH)?, edge(tag::TILE_LENGTH)?);
            (tile, tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        }
        None => {
            let rows = directory.number(tag::ROWS_PER_STRIP);
            let rows = rows.unwrap_or(height.into()).min(height.into()) as u32;
            ((width, rows), tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        }
    };
    if chunk.0 == 0 || chunk.1 == 0 {
        return None;
    }
    let count = u64::from(width.div_ceil(chunk.0))
        .checked_mul(height.div_ceil(chunk.1).into())?
        .checked_mul(planes)?;
    let area = u64::from(chunk.0).checked_mul(chunk.1.into())?;
    // Images with more pixels are rejected for that reason.
    let pixels = u64::from(width) * u64::from(height);
    let most = MAX_STORED_PIXELS.max(pixels.checked_mul(2)?);
    let is_sane = directory.numbers(offsets)?.len() as u64 == count
        && directory.numbers(counts)?.len() as u64 == count
        && area.checked_mul(count)? <= most.checked_mul(planes)?;
    is_sane.then_some((chunk, count))
}
