//! Messages that are printed at most once a minute.

use std::time::Duration;

use tokio::time::Instant;

/// The time between two messages.
const INTERVAL: Duration = Duration::from_secs(60);

/// An event that may occur often, but is reported at most once a minute.
#[derive(Default)]
pub struct Notice {
    /// The number of events since the last message.
    count: u64,
    printed_at: Option<Instant>,
}

impl Notice {
    /// Counts an event. Prints the message and the number of events since the last message, unless
    /// that was less than a minute ago.
    pub fn report(&mut self, message: impl FnOnce() -> String) {
        if let Some(count) = self.count(Instant::now()) {
            eprintln!("{} ({count} since the last such message)", message());
        }
    }

    /// Counts an event. Returns the number of events since the last message if a message is due.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.printed_at.is_some_and(|at| now - at < INTERVAL) {
            return None;
        }
        self.printed_at = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_once_a_minute() {
        let start = Instant::now();
        let mut notice = Notice::default();
        let reported: Vec<_> = (0..=120)
            .filter_map(|second| notice.count(start + Duration::from_secs(second)))
            .collect();
        assert_eq!(reported, [1, 60, 60]);
    }
}
