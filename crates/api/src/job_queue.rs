//! The queue of jobs, the work that the sessions need.
//!
//! Which jobs are due follows from the stored sessions alone; the store leases them.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use image::{DynamicImage, RgbaImage};
use sculpt::{SegmentError, Segmenter};

use crate::clock::Millis;
use crate::lock::lock;
use crate::metrics::EngineMetrics;
use crate::progress::JobProgress;
use crate::record::{JobId, Record};
use crate::store::{Claim, JobKind, Store, StoreError};

/// A leased job: the work for one stage of a session. A job that is dropped before it is run is due
/// again.
pub struct Job {
    lease: Lease,
    engine: String,
    image_url: Option<String>,
    /// The image, if it was decoded for a network, and what the network returned.
    pub(crate) prepared: Prepared,
}

/// What was prepared before a job is run.
#[derive(Default)]
pub(crate) struct Prepared {
    pub image: Cell<Option<DynamicImage>>,
    pub segmentation: Option<Segmentation>,
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

    /// Sets the logits that a network has returned for [its input](crate::Api::network_input), or the
    /// reason why there are none.
    pub fn set_segmentation(&mut self, size: (u32, u32), logits: Result<Vec<f32>, String>) {
        self.prepared.segmentation = Some(Segmentation { size, logits });
    }

    /// Discards what [`crate::Api::network_input`] has decoded, so that a job that waits for the network
    /// takes little memory. Running the job decodes the image again.
    pub fn discard_image(&self) {
        self.prepared.image.take();
    }

    pub(crate) fn id(&self) -> &JobId {
        &self.lease.id
    }
}

/// The output of a network that ran before the job.
pub(crate) struct Segmentation {
    size: (u32, u32),
    logits: Result<Vec<f32>, String>,
}

impl Segmenter for Segmentation {
    fn input_size(&self) -> (u32, u32) {
        self.size
    }

    fn segment(&self, _: &RgbaImage) -> Result<Vec<f32>, SegmentError> {
        self.logits.clone().map_err(SegmentError)
    }
}

/// The progress of the leased jobs.
type Running = HashMap<JobId, JobProgress>;

/// Ends the lease of a job when dropped.
struct Lease {
    id: JobId,
    running: Arc<Mutex<Running>>,
    store: Arc<dyn Store>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.id);
        self.store.release(&self.id);
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
    running: Arc<Mutex<Running>>,
    is_closed: AtomicBool,
    /// By the name of the engine.
    outcomes: Mutex<BTreeMap<String, Outcomes>>,
}

impl JobQueue {
    /// Returns the progress of the session's next job.
    pub fn progress(&self, record: &Record) -> JobProgress {
        let job = record.next_job();
        let progress = job.and_then(|job| self.running().get(&job).cloned());
        progress.unwrap_or_default()
    }

    /// Returns the jobs that a worker runs.
    pub fn running_jobs(&self) -> HashSet<JobId> {
        self.running().keys().cloned().collect()
    }

    /// Sets the completed part of a job, from 0 to 1. It never decreases.
    pub fn set_progress(&self, job: &JobId, fraction: f32) {
        if let Some(progress) = self.running().get_mut(job) {
            progress.fraction = progress.fraction.max(fraction);
        }
    }

    /// Sets the `engine_status` of a job.
    pub fn set_status(&self, job: &JobId, status: &str) {
        if let Some(progress) = self.running().get_mut(job) {
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

    /// Adds the outcomes to the metrics of the engines.
    pub fn add_outcomes(&self, engines: &mut BTreeMap<String, EngineMetrics>) {
        for (name, outcomes) in lock(&self.outcomes).iter() {
            let engine = engines.entry(name.clone()).or_default();
            (engine.done, engine.failed) = (outcomes.done, outcomes.failed);
        }
    }

    /// Stops leasing jobs, and cancels those that run.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    pub fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// Leases the next due job of a kind.
    pub fn next(
        &self,
        store: &Arc<dyn Store>,
        kind: JobKind,
        now: Millis,
    ) -> Result<Option<Job>, StoreError> {
        if !self.is_open() {
            return Ok(None);
        }
        let Some(claim) = store.claim(kind, now)? else {
            return Ok(None);
        };
        let Claim {
            id,
            engine,
            image_url,
        } = claim;
        self.running().insert(id.clone(), JobProgress::default());
        Ok(Some(Job {
            lease: Lease {
                id,
                running: self.running.clone(),
                store: store.clone(),
            },
            engine,
            image_url,
            prepared: Prepared::default(),
        }))
    }

    /// Returns the time at which the next job of a kind is due, or `None` if none is planned.
    pub fn next_due(&self, store: &dyn Store, kind: JobKind) -> Result<Option<Millis>, StoreError> {
        match self.is_open() {
            true => store.next_due(kind),
            false => Ok(None),
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        lock(&self.running)
    }
}
