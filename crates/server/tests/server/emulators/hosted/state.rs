//! The records of a hosted engine's emulator.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// A job that was started.
#[derive(Clone)]
pub struct Job {
    pub id: String,
    /// Start, in seconds of the emulator's clock.
    pub started: f64,
    /// Start, in milliseconds since 1970.
    pub created_at: u64,
    /// The number of its image.
    pub image: u32,
    /// ComfyUI: what the request has added to the job.
    pub extra_data: Value,
    /// When its cancellation was requested, in seconds of the emulator's clock.
    pub cancelled: Option<f64>,
    /// How often its cancellation was requested, whether or not that took effect.
    pub cancel_requests: usize,
    pub polls_since_cancel: usize,
    /// What it costs in the service's own unit, unless it is free.
    pub price: f64,
    /// Whether it costs nothing after all: it was cancelled in time, or has failed.
    pub is_free: bool,
}

impl Job {
    /// Returns the start by the system's clock.
    pub fn created_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.created_at)
    }
}

#[derive(Default)]
pub struct State {
    pub jobs: Vec<Job>,
    /// Requests for a model, whether or not they started a job.
    pub submits: usize,
    /// The bodies of the requests for a model.
    pub bodies: Vec<Value>,
    /// The headers of the requests for a model, keyed by lower-case name.
    pub headers: Vec<HashMap<String, String>>,
    /// The numbers of the images that were uploaded.
    pub uploads: Vec<u32>,
    /// Requests for files.
    pub downloads: usize,
    /// Requests to cancel a job.
    pub cancels: usize,
    /// Requests that were reset because the engine was unreachable.
    pub resets: usize,
    polls: HashMap<String, usize>,
}

impl State {
    /// Counts a poll of `target`, and returns how many there were.
    pub fn count_poll(&mut self, target: &str) -> usize {
        let polls = self.polls.entry(target.to_owned()).or_default();
        *polls += 1;
        *polls
    }

    /// Starts a job and returns its id.
    pub fn start_job(&mut self, image: u32, price: f64, now: f64) -> String {
        let id = format!("0191e7c0-0000-7000-8000-{:012}", self.jobs.len() + 1);
        self.jobs.push(Job {
            id: id.clone(),
            started: now,
            created_at: unix_millis(),
            image,
            price,
            extra_data: Value::Null,
            cancelled: None,
            cancel_requests: 0,
            polls_since_cancel: 0,
            is_free: false,
        });
        id
    }
}

fn unix_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    elapsed.unwrap().as_millis() as u64
}
