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

impl Delivery {
    /// Whether the caller gets at least the head of the answer.
    pub(crate) fn begins(self) -> bool {
        matches!(self, Self::Truncate | Self::Throttle)
    }
}

pub(crate) fn deliver(mut response: Response, delivery: Delivery) -> Response {
    response.extensions_mut().insert(delivery);
    response
}
