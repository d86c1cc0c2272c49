//! Why an image file is not decoded.

use std::error::Error;
use std::fmt;

use contract::{ImageFormat, Support, UnrecognizedFormat};
use image::ImageError;

use crate::limits::MAX_PIXELS;
use crate::queue::DecodeBusy;

/// Why a file that makes the decoder panic cannot be decoded.
pub const CRASHED: &str = "the decoder crashed";

const MIB: u64 = 1 << 20;

/// Why an image file is not decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// The file is empty.
    Empty,
    /// The format is unknown.
    Unrecognized(UnrecognizedFormat),
    /// The format is known, but there is no decoder for it.
    UnsupportedFormat(ImageFormat),
    /// There is a decoder for the format, but not for this kind of file.
    UnsupportedKind(ImageFormat),
    /// The file is damaged.
    Undecodable {
        /// The detected format.
        format: ImageFormat,
        /// The decoder's reason.
        error: ImageError,
    },
    /// The file is damaged, in a way that only its decoder has words for.
    Damaged(ImageFormat),
    /// The file ends before its image does.
    EndsEarly(ImageFormat),
    /// The file makes the decoder panic.
    Faulty {
        /// The detected format.
        format: ImageFormat,
        /// The fault of the file.
        reason: &'static str,
    },
    /// The file is beyond what the decoder draws.
    Refused {
        /// The detected format.
        format: ImageFormat,
        /// Why, and what to do about it, in sentences.
        reason: &'static str,
    },
    /// The image has more pixels than any image may have.
    TooManyPixels {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// The image needs more memory than any decode may.
    TooMuchMemory {
        /// The memory that the image needs.
        bytes: u64,
        /// [`Decoder::max_bytes`](crate::Decoder::max_bytes).
        limit: u64,
    },
    /// The decode has waited too long.
    Busy(DecodeBusy),
}

impl DecodeError {
    /// Returns the error for a file of an unknown format.
    pub(crate) fn unrecognized(file: &[u8]) -> Self {
        Self::Unrecognized(UnrecognizedFormat::new(file, is_read))
    }

    /// Returns the error for an error of a decoder of `image`.
    pub(crate) fn of_image(format: ImageFormat, error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(_) => Self::UnsupportedKind(format),
            error => Self::Undecodable { format, error },
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the image file is empty"),
            Self::Unrecognized(error) => error.fmt(f),
            Self::UnsupportedFormat(format) => write!(
                f,
                "this server does not read {}. Convert it to JPEG.",
                format.name()
            ),
            Self::UnsupportedKind(format) => {
                let readable = match format {
                    ImageFormat::Png => "JPEG",
                    _ => "PNG or JPEG",
                };
                write!(
                    f,
                    "this server does not read this kind of {} file. Save it as {readable}.",
                    format.name()
                )
            }
            Self::Undecodable { format, error } => {
                write!(f, "the {} file cannot be decoded: {error}", format.name())
            }
            Self::Damaged(format) => write!(f, "the {} file is damaged", format.name()),
            Self::EndsEarly(format) => write!(
                f,
                "the {} file ends early: its upload or download broke off",
                format.name()
            ),
            Self::Faulty { format, reason } => {
                write!(f, "the {} file cannot be decoded: {reason}", format.name())
            }
            Self::Refused { format, reason } => {
                write!(f, "the {} file cannot be read: {reason}", format.name())
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

impl Error for DecodeError {}

/// Returns whether [`Decoder`](crate::Decoder) reads formats of this kind on this platform.
pub fn is_read(support: Support) -> bool {
    match support {
        Support::Everywhere => true,
        Support::Server => cfg!(not(target_family = "wasm")),
        Support::Nowhere => false,
    }
}
