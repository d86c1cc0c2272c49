//! Measures how long a service cannot be reached.

use std::time::Duration;

use api::Millis;

use crate::clock::now;

/// Measures how long the service's state has been unknown.
#[derive(Default)]
pub struct Outage(Option<Millis>);

impl Outage {
    /// Returns the time since the first call.
    pub fn duration(&mut self) -> Duration {
        let now = now();
        Duration::from_millis(now.saturating_sub(*self.0.get_or_insert(now)))
    }
}
