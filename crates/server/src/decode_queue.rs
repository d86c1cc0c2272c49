//! Limits the memory of all decodes at the same time: a decode waits for its turn until the memory
//! that it needs is free.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::{DecodeBusy, DecodeQueue, Patience};

/// How long a request waits for its turn.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// How many requests wait at the same time. Each occupies one of the threads that handle all requests.
const MAX_WAITING_REQUESTS: usize = 64;
/// After how many seconds a rejected caller may retry.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Decodes in the order of their arrival.
pub struct MemoryQueue {
    state: Mutex<State>,
    /// Notified when memory becomes free, and when the first in the queue has changed.
    changed: Condvar,
    patience: Duration,
}

struct State {
    free_bytes: u64,
    next_ticket: u64,
    /// The tickets of the decodes that wait, the oldest first.
    waiting: VecDeque<u64>,
    waiting_requests: usize,
}

impl MemoryQueue {
    /// Creates a queue for decodes that together need at most `max_bytes`.
    pub fn new(max_bytes: u64) -> Self {
        Self {
            state: Mutex::new(State {
                free_bytes: max_bytes,
                next_ticket: 0,
                waiting: VecDeque::new(),
                waiting_requests: 0,
            }),
            changed: Condvar::new(),
            patience: REQUEST_PATIENCE,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `bytes` are free and no older decode waits, and takes them.
    fn take(&self, bytes: u64, patience: Patience) -> Result<Taken<'_>, DecodeBusy> {
        let is_request = patience == Patience::Request;
        let deadline = is_request.then(|| Instant::now() + self.patience);
        let mut state = self.state();
        if state.waiting.is_empty() && state.free_bytes >= bytes {
            state.free_bytes -= bytes;
            return Ok(Taken { queue: self, bytes });
        }
        if is_request && state.waiting_requests >= MAX_WAITING_REQUESTS {
            return Err(BUSY);
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(ticket);
        state.waiting_requests += usize::from(is_request);
        let is_due =
            |state: &State| state.waiting.front() == Some(&ticket) && state.free_bytes >= bytes;
        let mut is_late = false;
        while !is_due(&state) && !is_late {
            state = match deadline {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    is_late = left.is_zero();
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let is_due = is_due(&state);
        state.waiting.retain(|waiting| *waiting != ticket);
        state.waiting_requests -= usize::from(is_request);
        if is_due {
            state.free_bytes -= bytes;
        }
        drop(state);
        // The next in the queue may fit too.
        self.changed.notify_all();
        match is_due {
            true => Ok(Taken { queue: self, bytes }),
            false => Err(BUSY),
        }
    }
}

const BUSY: DecodeBusy = DecodeBusy {
    retry_after_seconds: RETRY_AFTER_SECONDS,
};

impl DecodeQueue for MemoryQueue {
    fn run(
        &self,
        bytes: u64,
        patience: Patience,
        decode: &mut dyn FnMut(),
    ) -> Result<(), DecodeBusy> {
        let _taken = self.take(bytes, patience)?;
        decode();
        Ok(())
    }
}

/// Memory of a decode, which is free again when this is dropped, also by a panic.
struct Taken<'a> {
    queue: &'a MemoryQueue,
    bytes: u64,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.queue.state().free_bytes += self.bytes;
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn decodes_never_need_more_than_the_limit_together() {
        let queue = MemoryQueue::new(10);
        let (used, peak) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for index in 0..40 {
                let (queue, used, peak) = (&queue, &used, &peak);
                let bytes = index % 10 + 1;
                scope.spawn(move || {
                    let decode = &mut || {
                        let now = used.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        peak.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        used.fetch_sub(bytes, Ordering::SeqCst);
                    };
                    queue.run(bytes, Patience::Request, decode).unwrap();
                });
            }
        });
        assert!(peak.into_inner() <= 10);
    }

    #[test]
    fn a_request_stops_waiting_and_a_panic_frees_the_memory() {
        let mut queue = MemoryQueue::new(10);
        queue.patience = Duration::from_millis(1);
        let mut waited = None;
        let panicking = &mut || {
            waited = Some(queue.run(1, Patience::Request, &mut || {}));
            panic!("the decoder crashed");
        };
        let run = AssertUnwindSafe(|| queue.run(10, Patience::Request, panicking));
        assert!(catch_unwind(run).is_err());
        assert_eq!(waited, Some(Err(BUSY)));
        assert_eq!(queue.run(10, Patience::Job, &mut || {}), Ok(()));
    }

    #[test]
    fn a_full_queue_rejects_requests_at_once() {
        let queue = MemoryQueue::new(1);
        queue.state().free_bytes = 0;
        queue.state().waiting_requests = MAX_WAITING_REQUESTS;
        assert_eq!(queue.run(1, Patience::Request, &mut || {}), Err(BUSY));
    }
}
