//! How an answer is to be delivered where it is not simply sent.

use serde::Serialize;

use crate::Response;

/// What whoever sends an answer has to do with it. It lies in the answer's extensions; where there
/// is none, the answer is sent as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Close the connection before any byte of the answer.
    Drop,
    /// Send nothing, and leave the connection open.
    Stall,
    /// Close the connection in the middle of the body.
    Truncate,
    /// Send the body in small pieces with pauses, a few seconds in all.
    Throttle,
}

/// The chunks in which a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPlan {
    /// The size of each chunk but the last, in bytes; at least 1.
    pub chunk_size: usize,
    /// How many bytes of the body are sent. If that is not all, the connection is closed then.
    pub length: usize,
    /// The pause between two chunks, and before the connection is closed, in milliseconds.
    pub pause: u32,
}

/// Into how many chunks a throttled body is split. With the pause it takes about three seconds.
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

    /// Whether the caller gets at least the head of the answer.
    pub(crate) fn begins(self) -> bool {
        matches!(self, Self::Truncate | Self::Throttle)
    }
}

pub(crate) fn deliver(mut response: Response, delivery: Delivery) -> Response {
    response.extensions_mut().insert(delivery);
    response
}
