//! A clock that runs faster than real time.

use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A clock that starts at 0, runs `speed` times faster than real time, and can be advanced.
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    speed: f64,
    skipped: Arc<Mutex<f64>>,
}

impl Clock {
    /// Creates a clock; with a `speed` of 0 only [`skip`](Self::skip) advances it.
    pub fn new(speed: f64) -> Self {
        Self {
            start: Instant::now(),
            speed,
            skipped: Arc::default(),
        }
    }

    /// Returns the time in seconds.
    pub fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * self.speed + *self.skipped.lock().unwrap()
    }

    /// Advances the clock by `seconds`.
    pub fn skip(&self, seconds: f64) {
        *self.skipped.lock().unwrap() += seconds;
    }
}
