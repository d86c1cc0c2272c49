//! The queue of jobs, the work that the sessions need.
//!
//! Which jobs are due follows from the stored sessions alone. Leases are not stored, so that a job
//! that runs when the process exits is due again in the next process.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::clock::Millis;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::progress::JobProgress;
use crate::record::{JobId, Record};
use crate::sessions::Sessions;

/// A leased job: the work for one stage of a session. A job that is dropped before it is run is due
/// again.
pub struct Job {
    lease: Lease,
    engine: String,
    image_url: Option<String>,
}

impl Job {
    /// Returns the name of the engine that the job is for.
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// Returns the URL of the image if it has to be downloaded before the job is run.
    pub fn image_url(&self) -> Option<&str> {
        self.image_url.as_deref()
    }

    pub(crate) fn id(&self) -> &JobId {
        &self.lease.id
    }
}

/// The leased jobs with their progress.
type Leases = HashMap<JobId, JobProgress>;

/// Removes the job from the leased ones when dropped.
struct Lease {
    id: JobId,
    leases: Arc<Mutex<Leases>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.leases).remove(&self.id);
    }
}

/// How a session ended.
#[derive(Clone, Copy)]
pub enum Outcome {
    Done,
    Failed,
}

/// The number of sessions by outcome.
#[derive(Default)]
struct Outcomes {
    done: u64,
    failed: u64,
}

/// Leases jobs to workers.
#[derive(Default)]
pub struct JobQueue {
    leases: Arc<Mutex<Leases>>,
    is_closed: AtomicBool,
    /// By the name of the engine.
    outcomes: Mutex<BTreeMap<String, Outcomes>>,
}

impl JobQueue {
    /// Returns the progress of the session's next job.
    pub fn progress(&self, record: &Record) -> JobProgress {
        let job = record.next_job();
        let progress = job.and_then(|job| self.leases().get(&job).cloned());
        progress.unwrap_or_default()
    }

    /// Sets the completed part of a job, from 0 to 1. It never decreases.
    pub fn set_progress(&self, job: &JobId, fraction: f32) {
        if let Some(progress) = self.leases().get_mut(job) {
            progress.fraction = progress.fraction.max(fraction);
        }
    }

    /// Sets the `engine_status` of a job.
    pub fn set_status(&self, job: &JobId, status: &str) {
        if let Some(progress) = self.leases().get_mut(job) {
            progress.status = Some(status.to_owned());
        }
    }

    pub fn count_outcome(&self, engine: &str, outcome: Outcome) {
        let mut outcomes = lock(&self.outcomes);
        let outcomes = outcomes.entry(engine.to_owned()).or_default();
        match outcome {
            Outcome::Done => outcomes.done += 1,
            Outcome::Failed => outcomes.failed += 1,
        }
    }

    /// Adds the metrics of the engines.
    pub fn add_metrics(&self, metrics: &mut Metrics, sessions: &Sessions) {
        for (name, outcomes) in lock(&self.outcomes).iter() {
            let engine = metrics.engines.entry(name.clone()).or_default();
            (engine.done, engine.failed) = (outcomes.done, outcomes.failed);
        }
        let leases = self.leases();
        sessions.with_pending(|records| {
            for record in records {
                let engine = metrics.engines.entry(record.engine.clone()).or_default();
                let job = record.next_job();
                match job.is_some_and(|job| leases.contains_key(&job)) {
                    true => engine.running += 1,
                    false => engine.waiting += 1,
                }
            }
        });
    }

    /// Stops leasing jobs, and cancels those that run.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    pub fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// Leases the next due job of an engine whose name `is_wanted` accepts: first one for which its
    /// engine has saved a checkpoint, then the one of the oldest session.
    pub fn next(
        &self,
        sessions: &Sessions,
        is_wanted: &dyn Fn(&str) -> bool,
        now: Millis,
    ) -> Option<Job> {
        if !self.is_open() {
            return None;
        }
        // Locked before the sessions are read: a lease that ends meanwhile has stored its result.
        let mut leases = self.leases();
        let (id, engine, image_url) = sessions.with_pending(|records| {
            let due = records.filter_map(|record| {
                let job = record.next_job()?;
                let is_free = job.start <= now && !leases.contains_key(&job);
                (is_free && is_wanted(&record.engine)).then_some((job, record))
            });
            // The remote service may already work on such a job, and accept no other meanwhile.
            let (job, record) =
                due.min_by_key(|(job, record)| record.engine_note(job).is_none())?;
            let image_url = record.url_to_download().map(str::to_owned);
            Some((job, record.engine.clone(), image_url))
        })?;
        leases.insert(id.clone(), JobProgress::default());
        let leases = self.leases.clone();
        Some(Job {
            lease: Lease { id, leases },
            engine,
            image_url,
        })
    }

    /// Returns the time at which the next job is due, or `None` if none is planned.
    pub fn next_due(
        &self,
        sessions: &Sessions,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Option<Millis> {
        if !self.is_open() {
            return None;
        }
        let leases = self.leases();
        sessions.with_pending(|records| {
            let waiting = records
                .filter(|record| is_wanted(&record.engine))
                .filter_map(Record::next_job)
                .filter(|job| !leases.contains_key(job));
            waiting.map(|job| job.start).min()
        })
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        lock(&self.leases)
    }
}
