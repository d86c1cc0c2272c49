//! Counts the requests for models by outcome, for the metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::service::SubmitError;

/// How many requests for a model were sent to an engine, by outcome.
#[derive(Default)]
pub struct RequestCounts {
    accepted: AtomicU64,
    deferred: AtomicU64,
    rejected: AtomicU64,
    unknown: AtomicU64,
    in_flight: AtomicUsize,
}

/// Counts a request as in flight until dropped.
pub struct InFlight<'a>(&'a RequestCounts);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl RequestCounts {
    /// Counts the outcome of a request.
    pub fn count(&self, outcome: &Result<String, SubmitError>) {
        let count = match outcome {
            Ok(_) => &self.accepted,
            Err(SubmitError::Busy { .. }) => &self.deferred,
            Err(SubmitError::Rejected(_)) => &self.rejected,
            Err(SubmitError::Unknown(_)) => &self.unknown,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request as in flight until the returned guard is dropped.
    pub fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// Returns whether any request is in flight, so that its response would be lost if the process
    /// ended.
    pub fn has_in_flight(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Returns the counts with the outcomes' names in the metrics.
    pub fn by_outcome(&self) -> [(&'static str, u64); 4] {
        [
            ("taken", &self.accepted),
            ("later", &self.deferred),
            ("refused", &self.rejected),
            ("unknown", &self.unknown),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}
