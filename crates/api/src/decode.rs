//! Decodes image files of callers.

use std::fmt;
use std::io::Cursor;

use contract::IMAGE_FORMATS;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::layout::find_fault;
use crate::panics::catch_panic;

/// The number of bytes of an unrecognized file that the message repeats.
const SIGNATURE_BYTES: usize = 4;

/// Larger images are not decoded.
const MAX_PIXELS: u64 = 64_000_000;

/// Decodes an image file, and rotates the image upright if the file has an orientation.
///
/// # Errors
/// Fails if the format is unknown, if the file is damaged, if the image is too large, or if the
/// decoder panics.
pub fn decode(file: &[u8]) -> Result<DynamicImage, DecodeError> {
    if file.is_empty() {
        return Err(DecodeError::Empty);
    }
    let media_type =
        contract::sniff(file).ok_or_else(|| DecodeError::Unrecognized(first_bytes(file)))?;
    if let Some(reason) = find_fault(media_type, file) {
        return Err(DecodeError::Faulty { media_type, reason });
    }
    decode_as(media_type, file)
}

/// Decodes a file of a known type. A panic of the decoder is an error.
fn decode_as(media_type: &'static str, file: &[u8]) -> Result<DynamicImage, DecodeError> {
    let decoded = catch_panic(|| decode_unprotected(media_type, file));
    decoded.unwrap_or_else(|_| {
        let reason = "the decoder crashed";
        Err(DecodeError::Faulty { media_type, reason })
    })
}

fn decode_unprotected(media_type: &'static str, file: &[u8]) -> Result<DynamicImage, DecodeError> {
    let undecodable = |error| DecodeError::Undecodable { media_type, error };
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|error| undecodable(error.into()))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * MAX_PIXELS);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(DecodeError::TooManyPixels { width, height });
    }
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    image.apply_orientation(orientation);
    Ok(image)
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
            decode_as("image/tiff", file).unwrap_err().to_string(),
            "the image/tiff file cannot be decoded: the decoder crashed"
        );
    }
}
