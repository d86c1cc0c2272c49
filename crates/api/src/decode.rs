//! Decodes image files of callers.

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use contract::IMAGE_FORMATS;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::body::CreateBody;
use crate::image_source::ImageSource;
use crate::layout::find_fault;
use crate::panics::catch_panic;

/// The number of bytes of an unrecognized file that the message repeats.
const SIGNATURE_BYTES: usize = 4;

/// Larger images are not decoded.
const MAX_PIXELS: u64 = 64_000_000;

const MIB: u64 = 1 << 20;

/// The default of [`Config::max_decode_bytes`](crate::Config::max_decode_bytes).
pub const DEFAULT_MAX_DECODE_BYTES: u64 = 512 << 20;

/// Why a file that makes the decoder panic cannot be decoded.
pub const CRASHED: &str = "the decoder crashed";

/// Limits the memory of all decodes at the same time, by letting them wait for each other.
pub trait DecodeQueue: Send + Sync {
    /// Waits until a decode that needs `bytes` of memory may start, and calls `decode` once. `bytes`
    /// is at most [`Config::max_decode_bytes`](crate::Config::max_decode_bytes).
    ///
    /// # Errors
    /// Fails without calling `decode` if `patience` is over.
    fn run(
        &self,
        bytes: u64,
        patience: Patience,
        decode: &mut dyn FnMut(),
    ) -> Result<(), DecodeBusy>;
}

/// How long a decode waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as a caller who waits for a response accepts.
    Request,
    /// Without a limit, for a job.
    Job,
}

/// Too many decodes wait already, or for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeBusy {
    /// After how many seconds the caller may retry.
    pub retry_after_seconds: u64,
}

/// Decodes images within the limits of the configuration.
pub struct Decoder {
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
    /// Decodes an image file, and rotates the image upright if the file has an orientation.
    ///
    /// # Errors
    /// Fails if the format is unknown, if the file is damaged, if the image is too large, if the
    /// decoder panics, or if the decode has waited too long.
    pub fn decode(&self, file: &[u8], patience: Patience) -> Result<DynamicImage, DecodeError> {
        if file.is_empty() {
            return Err(DecodeError::Empty);
        }
        let media_type =
            contract::sniff(file).ok_or_else(|| DecodeError::Unrecognized(first_bytes(file)))?;
        if let Some(reason) = find_fault(media_type, file) {
            return Err(DecodeError::Faulty { media_type, reason });
        }
        self.decode_as(media_type, file, patience)
    }

    /// Decodes a file of a known type. A panic of the decoder is an error.
    fn decode_as(
        &self,
        media_type: &'static str,
        file: &[u8],
        patience: Patience,
    ) -> Result<DynamicImage, DecodeError> {
        let decoded = catch_panic(|| self.decode_unprotected(media_type, file, patience));
        decoded.unwrap_or_else(|_| {
            let reason = CRASHED;
            Err(DecodeError::Faulty { media_type, reason })
        })
    }

    fn decode_unprotected(
        &self,
        media_type: &'static str,
        file: &[u8],
        patience: Patience,
    ) -> Result<DynamicImage, DecodeError> {
        let undecodable = |error| DecodeError::Undecodable { media_type, error };
        let file = without_color_profile(media_type, file);
        let mut reader = ImageReader::new(Cursor::new(&*file))
            .with_guessed_format()
            .map_err(|error| undecodable(error.into()))?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(self.max_bytes);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(undecodable)?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(DecodeError::TooManyPixels { width, height });
        }
        let orientation = decoder.orientation().map_err(undecodable)?;
        let bytes = memory_of(media_type, &file, decoder.total_bytes(), orientation);
        if bytes > self.max_bytes {
            let limit = self.max_bytes;
            return Err(DecodeError::TooMuchMemory { bytes, limit });
        }
        let decode = || {
            let mut image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
            image.apply_orientation(orientation);
            Ok(image)
        };
        let Some(queue) = &self.queue else {
            return decode();
        };
        let (mut decode, mut decoded) = (Some(decode), None);
        let run = &mut || decoded = decode.take().map(|decode| decode());
        queue.run(bytes, patience, run).map_err(DecodeError::Busy)?;
        decoded.unwrap_or(Err(DecodeError::Busy(DecodeBusy {
            retry_after_seconds: 1,
        })))
    }
}

/// Estimates the memory of a decode, in bytes. `decoded` is the size of the decoded image.
fn memory_of(media_type: &str, file: &[u8], decoded: u64, orientation: Orientation) -> u64 {
    let while_decoding = match media_type {
        // Lossless images are decoded with four channels and copied to three; animations are drawn.
        "image/webp" => 3 * decoded,
        // The coefficients of all scans, with 16 bits each.
        "image/jpeg" if is_progressive(file) => 3 * decoded,
        // The frame, which is drawn on the canvas.
        "image/gif" => 2 * decoded,
        // A strip or tile, which may be the whole image.
        "image/tiff" => 2 * decoded,
        _ => decoded,
    };
    let while_rotating = match orientation {
        Orientation::NoTransforms => decoded,
        _ => 2 * decoded,
    };
    // Buffers of rows and tables.
    (1 << 20) + while_decoding.max(while_rotating)
}

/// Returns whether a JPEG file has a frame header of a progressive image before its data.
fn is_progressive(file: &[u8]) -> bool {
    const PROGRESSIVE: u8 = 0xc2;
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = file.get(at..at + 4) {
        match marker {
            PROGRESSIVE => return true,
            START_OF_SCAN => return false,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    // The frame header was not found.
    true
}

/// Returns a PNG file without its color profile, which is not used. A small one may inflate to more
/// than a gigabyte.
fn without_color_profile<'a>(media_type: &str, file: &'a [u8]) -> Cow<'a, [u8]> {
    const SIGNATURE: usize = 8;
    let mut file = Cow::Borrowed(file);
    if media_type != "image/png" {
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

/// Why an image file is not decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// The file is empty.
    Empty,
    /// The format is unknown. Holds the first bytes of the file, in hexadecimal.
    Unrecognized(String),
    /// The file is damaged, or the format is not supported.
    Undecodable {
        media_type: &'static str,
        error: ImageError,
    },
    /// The file makes the decoder panic.
    Faulty {
        media_type: &'static str,
        reason: &'static str,
    },
    TooManyPixels {
        width: u32,
        height: u32,
    },
    /// The image needs more memory than any decode may.
    TooMuchMemory {
        bytes: u64,
        limit: u64,
    },
    /// The decode has waited too long.
    Busy(DecodeBusy),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the image file is empty"),
            Self::Unrecognized(first_bytes) => write!(
                f,
                "unrecognized image format (first bytes: {first_bytes}). Supported: {IMAGE_FORMATS}"
            ),
            Self::Undecodable {
                media_type,
                error: ImageError::Unsupported(_),
            } => write!(f, "this server cannot decode {media_type} files"),
            Self::Undecodable { media_type, error } => {
                write!(f, "the {media_type} file cannot be decoded: {error}")
            }
            Self::Faulty { media_type, reason } => {
                write!(f, "the {media_type} file cannot be decoded: {reason}")
            }
            Self::TooManyPixels { width, height } => write!(
                f,
                "the image has {width} × {height} pixels, more than the limit of {MAX_PIXELS}"
            ),
            Self::TooMuchMemory { bytes, limit } => write!(
                f,
                "decoding the image needs about {} MiB of memory, more than the limit of {} MiB",
                bytes.div_ceil(MIB),
                limit / MIB
            ),
            Self::Busy(_) => f.write_str("too many images are being decoded"),
        }
    }
}

fn first_bytes(file: &[u8]) -> String {
    let bytes = file.iter().take(SIGNATURE_BYTES);
    let mut text: Vec<_> = bytes.map(|byte| format!("{byte:02x}")).collect();
    if file.len() > SIGNATURE_BYTES {
        text.push("…".into());
    }
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_is_an_error() {
        let file = include_bytes!("../../../tests/fixtures/tiled-planar.tif");
        assert_eq!(
            Decoder::default()
                .decode_as("image/tiff", file, Patience::Request)
                .unwrap_err()
                .to_string(),
            "the image/tiff file cannot be decoded: the decoder crashed"
        );
    }
}
