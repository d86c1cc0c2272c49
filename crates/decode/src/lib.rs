//! Decodes image files of strangers: upright and in sRGB, within limits of memory, and with messages
//! that a caller can act on.

#[cfg(not(target_family = "wasm"))]
mod avif;
mod color;
mod decoder;
mod error;
mod jpeg;
mod layout;
mod limits;
mod memory;
mod opened;
mod panics;
mod png;
mod queue;
mod raster;
mod svg;
mod tiff;

pub use decoder::Decoder;
pub use error::{CRASHED, DecodeError};
pub use limits::DEFAULT_MAX_DECODE_BYTES;
pub use panics::{Panicked, catch_panic};
pub use queue::{DecodeBusy, DecodeQueue, Patience};
