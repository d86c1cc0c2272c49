//! Limits for all formats.

/// Images with more pixels are not decoded.
pub const MAX_PIXELS: u64 = 64_000_000;

/// The default of [`Decoder::max_bytes`](crate::Decoder::max_bytes).
pub const DEFAULT_MAX_DECODE_BYTES: u64 = 512 << 20;
