//! The queue of decodes that share memory.

/// Limits the memory of all decodes at the same time, by letting them wait for each other.
pub trait DecodeQueue: Send + Sync {
    /// Waits until a decode that needs `bytes` of memory may start, and calls `decode` once. `bytes`
    /// is at most [`Decoder::max_bytes`](crate::Decoder::max_bytes).
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
