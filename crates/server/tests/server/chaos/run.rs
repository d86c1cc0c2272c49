//! What the threads of a run share.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a create may take without faults, on a busy machine.
const CREATE_TIMEOUT: Duration = Duration::from_secs(60);
/// The number of violations that a message lists.
const MAX_LISTED: usize = 20;

/// A run of the chaos. Displays the seed and what went wrong.
pub struct Run {
    seed: u64,
    start: Instant,
    duration: Duration,
    /// `127.0.0.1:<port>` of the server's current process.
    host: RwLock<String>,
    /// The number of clients that still create sessions.
    creating: AtomicUsize,
    violations: Mutex<Vec<String>>,
}

impl Run {
    /// `clients` is the number of clients that create sessions.
    pub fn new(seed: u64, duration: Duration, host: String, clients: usize) -> Self {
        Self {
            seed,
            start: Instant::now(),
            duration,
            host: RwLock::new(host),
            creating: AtomicUsize::new(clients),
            violations: Mutex::default(),
        }
    }

    pub fn host(&self) -> String {
        self.host.read().unwrap().clone()
    }

    pub fn set_host(&self, host: String) {
        *self.host.write().unwrap() = host;
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns whether faults are still injected: for the whole duration, and while clients still
    /// create sessions, but not for more than 1.5 times the duration.
    pub fn is_chaotic(&self) -> bool {
        let elapsed = self.start.elapsed();
        let is_creating = self.creating.load(Ordering::Relaxed) > 0;
        elapsed < self.duration || is_creating && elapsed < self.duration.mul_f64(1.5)
    }

    /// Returns whether clients still repeat creates: for a while after the last fault, too.
    pub fn is_creating(&self) -> bool {
        self.start.elapsed() < self.duration.mul_f64(1.5) + CREATE_TIMEOUT
    }

    /// Notes that one of the clients has created all its sessions.
    pub fn end_client(&self) {
        self.creating.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sleeps until this part of the duration has passed.
    pub fn sleep_until(&self, part: f64) {
        let due = self.duration.mul_f64(part);
        sleep(due.saturating_sub(self.start.elapsed()));
    }

    /// Notes a violation unless the condition holds.
    pub fn check(&self, holds: bool, violation: impl FnOnce() -> String) {
        if !holds {
            self.violations.lock().unwrap().push(violation());
        }
    }

    pub fn has_violations(&self) -> bool {
        !self.violations.lock().unwrap().is_empty()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let violations = self.violations.lock().unwrap();
        let (seed, seconds) = (self.seed, self.duration.as_secs());
        let count = violations.len();
        write!(
            f,
            "CHAOS_SEED={seed} CHAOS_SECONDS={seconds}: {count} violations"
        )?;
        for violation in violations.iter().take(MAX_LISTED) {
            write!(f, "\n- {violation}")?;
        }
        Ok(())
    }
}
