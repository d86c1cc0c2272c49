//! What became of the requests for models, counted for those who run the server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::service::NotSubmitted;

/// How many requests for a model were sent to an engine, by what became of them.
#[derive(Default)]
pub struct Requests {
    taken: AtomicU64,
    later: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
    under_way: AtomicUsize,
}

/// A request that is under way for as long as this value is there.
pub struct UnderWay<'a>(&'a Requests);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
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

    /// A request is under way from now on.
    pub fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    /// Whether any is, so that its answer would be lost now.
    pub fn are_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
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
