//! Simulated faults in the delivery of a response.

use serde::Serialize;

/// How a response is sent. A response that has this extension is sent as it says; any other
/// response is sent normally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Close the connection before the first byte of the response.
    Drop,
    /// Send nothing, and leave the connection open.
    Stall,
    /// Close the connection in the middle of the body.
    Truncate,
    /// Send the body in small chunks with pauses, over about three seconds.
    Throttle,
}

/// The chunks in which a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPlan {
    /// The size of each chunk but the last, in bytes; at least 1.
    pub chunk_size: usize,
    /// The number of bytes to send. If it is less than the whole body, the connection is closed
    /// after it.
    pub length: usize,
    /// The pause between two chunks, and before the connection is closed, in milliseconds.
    pub pause: u32,
}

/// The number of chunks of a throttled body. With the pauses it takes about three seconds.
const THROTTLED_CHUNKS: usize = 20;
const THROTTLED_PAUSE: u32 = 150;
/// Lets the first half leave before the connection is closed.
const TRUNCATED_PAUSE: u32 = 50;

impl Delivery {
    /// Returns how a body of `length` bytes is sent in chunks, or `None` if no body is sent.
    pub fn chunk_plan(self, length: usize) -> Option<ChunkPlan> {
        match self {
            Self::Drop | Self::Stall => None,
            Self::Truncate => Some(ChunkPlan {
                chunk_size: (length / 2).max(1),
                length: length / 2,
                pause: TRUNCATED_PAUSE,
            }),
            Self::Throttle => Some(ChunkPlan {
                chunk_size: length.div_ceil(THROTTLED_CHUNKS).max(1),
                length,
                pause: THROTTLED_PAUSE,
            }),
        }
    }

    /// Returns whether the caller receives at least the status and the headers.
    pub(crate) fn sends_head(self) -> bool {
        matches!(self, Self::Truncate | Self::Throttle)
    }
}
