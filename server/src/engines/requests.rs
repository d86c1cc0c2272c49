//! What became of the requests for models, counted for those who run the server.

use std::sync::atomic::{AtomicU64, Ordering};

use super::service::NotSubmitted;

/// How many requests for a model were sent to an engine, by what became of them.
#[derive(Default)]
pub struct Requests {
    taken: AtomicU64,
    later: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
}

impl Requests {
    /// Counts a request.
    pub fn count(&self, outcome: &Result<String, NotSubmitted>) {
        let count = match outcome {
            Ok(_) => &self.taken,
            Err(NotSubmitted::Later(..)) => &self.later,
            Err(NotSubmitted::Refused(_)) => &self.refused,
            Err(NotSubmitted::Unknown(_)) => &self.unknown,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The names of the outcomes, and how many there were of each.
    pub fn counted(&self) -> [(&'static str, u64); 4] {
        [
            ("taken", &self.taken),
            ("later", &self.later),
            ("refused", &self.refused),
            ("unknown", &self.unknown),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}
