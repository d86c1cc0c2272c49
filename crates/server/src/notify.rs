//! Wakes the worker threads, and waits for their end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wakes worker threads when there may be work, and tells them to stop.
#[derive(Default)]
pub struct Notify {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How often the workers were notified.
    notifications: u64,
    is_stopping: bool,
    running_workers: usize,
}

/// Counts a worker thread as running until dropped.
pub struct WorkerGuard(Arc<Notify>);

impl WorkerGuard {
    /// Counts one more worker thread.
    pub fn new(notify: &Arc<Notify>) -> Self {
        notify.state().running_workers += 1;
        Self(notify.clone())
    }

    /// Returns what the worker waits on.
    pub fn notify(&self) -> &Notify {
        &self.0
    }
}

impl Drop for WorkerGuard {
    fn drop(&mut self) {
        self.0.state().running_workers -= 1;
        self.0.changed.notify_all();
    }
}

impl Notify {
    /// Wakes all waiting workers.
    pub fn notify_all(&self) {
        self.state().notifications += 1;
        self.changed.notify_all();
    }

    /// Tells all workers to stop. Returns whether they have ended within `timeout`.
    pub fn stop(&self, timeout: Duration) -> bool {
        let mut state = self.state();
        state.is_stopping = true;
        self.changed.notify_all();
        let is_running = |state: &mut State| state.running_workers > 0;
        let waited = self.changed.wait_timeout_while(state, timeout, is_running);
        let (_state, wait) = waited.unwrap_or_else(PoisonError::into_inner);
        !wait.timed_out()
    }

    /// Returns the number of notifications so far, or `None` if the workers are to stop.
    pub fn notifications(&self) -> Option<u64> {
        let state = self.state();
        (!state.is_stopping).then_some(state.notifications)
    }

    /// Waits for a notification after the first `seen`, for at most `timeout`.
    pub fn wait(&self, seen: u64, timeout: Option<Duration>) {
        self.wait_while(timeout, |state| state.notifications == seen);
    }

    /// Waits for `time`, whatever is notified. Returns early if the workers are to stop.
    pub fn sleep(&self, time: Duration) {
        self.wait_while(Some(time), |_| true);
    }

    fn wait_while(&self, timeout: Option<Duration>, condition: impl Fn(&State) -> bool) {
        let state = self.state();
        let waits = |state: &mut State| !state.is_stopping && condition(state);
        let _state = match timeout {
            Some(timeout) => {
                let waited = self.changed.wait_timeout_while(state, timeout, waits);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.changed.wait_while(state, waits);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
