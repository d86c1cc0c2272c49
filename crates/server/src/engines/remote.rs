//! The engine whose models a remote service makes: it submits one job per session, polls it to its
//! end, downloads the model, and applies the parameters that the service does not.

mod asset_extras;
mod deleted_jobs;
mod follow;
mod lost_job;
mod outage;
mod service_files;
mod unsupported;

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use api::{
    Cents, Checkpoint, CheckpointError, Detail, Engine, Millis, Model, ModelError, Parameters,
    Progress, Sculptor, Source, VIEW_COUNT,
};

use super::order::Order;
use super::prices::Prices;
use super::request_counts::RequestCounts;
use super::service::{ModelRequest, Service, SubmitError, Timing};
use super::submission::{Submission, SubmissionNote, SubmittedJob};
use crate::clock::now;
use asset_extras::without_asset_extras;
pub use deleted_jobs::JobEnd;
use service_files::{JobFiles, keep_quads, offered};
use unsupported::unsupported_by_all;

/// How often a pause checks whether the job was cancelled.
const CANCEL_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// How often the note about a job is written again while the store fails.
const NOTE_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// An engine whose models a remote service makes.
pub struct RemoteEngine {
    service: Box<dyn Service>,
    timing: Timing,
    /// The configured price of each model.
    fixed_price: Option<Cents>,
    /// Why no result can be downloaded with this configuration. No further model is requested then.
    refused_results: OnceLock<String>,
    /// Held while a job is submitted, so that at most one job's response can be lost at a time.
    submitting: Mutex<()>,
    request_counts: Arc<RequestCounts>,
}

impl RemoteEngine {
    /// Creates an engine that counts its requests for models in `request_counts`.
    pub fn new(
        service: Box<dyn Service>,
        timing: Timing,
        fixed_price: Option<Cents>,
        request_counts: Arc<RequestCounts>,
    ) -> Self {
        Self {
            service,
            timing,
            fixed_price,
            refused_results: OnceLock::new(),
            submitting: Mutex::default(),
            request_counts,
        }
    }

    /// Returns the prices of the models.
    pub fn prices(&self) -> Prices<'_> {
        Prices::new(&*self.service, self.fixed_price)
    }

    /// Returns the list price of a model, or `None` if it is unknown.
    pub fn price(&self, parameters: &Parameters) -> Option<Cents> {
        self.prices().of(&Order::new(parameters))
    }

    fn failed(&self, reason: impl Display) -> ModelError {
        ModelError::Failed(format!("{}: {reason}", self.service.name()))
    }

    /// Returns a failure after which a job may exist, and costs money if the service is paid.
    fn failed_after_submit(&self, reason: impl Display) -> ModelError {
        match self.service.is_paid() {
            true => self.failed(format!(
                "{reason}; the model may have been charged and is not requested again"
            )),
            false => self.failed(reason),
        }
    }

    /// Returns the job that is noted with the session, or submits a new one.
    fn job(&self, source: &Source, progress: &mut Progress) -> Result<SubmittedJob, ModelError> {
        let checkpoint = source.checkpoint;
        let note = checkpoint.load()?;
        let note = note.map(|note| serde_json::from_str(&note)).transpose();
        // Even an unreadable note means that there may be a job.
        let note = note.map_err(|_| {
            self.failed_after_submit("the note about the session's job cannot be read")
        })?;
        let since = match note {
            Some(SubmissionNote::Sent { since, job }) => return Ok(SubmittedJob { since, job }),
            // The process ended before the response arrived.
            Some(SubmissionNote::Sending { since }) => {
                let _submitting = self.lock_submitting();
                let reason = "the server stopped while the model was requested";
                let job =
                    self.find_lost_job(since, reason, &checkpoint.load_others()?, progress)?;
                self.note_job(&job, checkpoint, progress)?;
                return Ok(job);
            }
            Some(SubmissionNote::Waiting { since }) => since,
            None => now(),
        };
        let deadline = self.timing.deadline;
        loop {
            let (reason, retry_after) = match self.submit(source, progress)? {
                Submission::Accepted(job) => return Ok(job),
                Submission::Busy {
                    reason,
                    retry_after,
                } => (reason, retry_after),
            };
            SubmissionNote::Waiting { since }.write(checkpoint)?;
            checkpoint.set_status(&reason);
            if now().saturating_sub(since) >= deadline.as_millis() as Millis {
                let seconds = deadline.as_secs_f32();
                return Err(self.failed(format!(
                    "{reason}; no job was accepted for {seconds} s, and nothing was charged"
                )));
            }
            let pause = retry_after.unwrap_or(self.timing.poll_interval);
            self.pause(pause.min(deadline), progress)?;
        }
    }

    fn submit(&self, source: &Source, progress: &mut Progress) -> Result<Submission, ModelError> {
        if let Some(missing) = self.service.missing() {
            return Err(self.failed(missing));
        }
        if let Some(reason) = self.refused_results.get() {
            return Err(self.failed(format!(
                "no model is requested, because its result would be refused: {reason}"
            )));
        }
        let _submitting = self.lock_submitting();
        report(progress, 0.0)?;
        let checkpoint = source.checkpoint;
        // Dropped before the job is polled, because jobs of this engine may run at the same time.
        let image = source.image.decode()?;
        let needs_cutout = self.service.takes_cutouts() || source.image.is_cutout_requested();
        let cutout = needs_cutout.then(|| source.image.cut_out(&image));
        let cutout = cutout.transpose()?;
        let request = ModelRequest {
            image: &image,
            cutout: cutout.as_ref(),
            order: Order::new(source.parameters),
        };
        // Until the job is noted, since a response that is not noted is lost too.
        let _in_flight = self.request_counts.begin();
        let since = now();
        SubmissionNote::Sending { since }.write(checkpoint)?;
        let outcome = self.service.submit(&request);
        self.request_counts.count(&outcome);
        let job = match outcome {
            Ok(job) => SubmittedJob { since, job },
            Err(SubmitError::Rejected(reason)) => {
                // There is no job, which a search for the job of another session has to know.
                let _ = SubmissionNote::Waiting { since }.write(checkpoint);
                return Err(self.failed(reason));
            }
            Err(SubmitError::Busy {
                reason,
                retry_after,
            }) => {
                return Ok(Submission::Busy {
                    reason,
                    retry_after,
                });
            }
            Err(SubmitError::Unknown(reason)) => {
                self.find_lost_job(since, &reason, &checkpoint.load_others()?, progress)?
            }
        };
        self.note_job(&job, checkpoint, progress)?;
        Ok(Submission::Accepted(job))
    }

    /// Notes a job with its session, even one that was deleted meanwhile. Waits while the store fails:
    /// without the note, the next attempt could only guess which job belongs to the session.
    fn note_job(
        &self,
        job: &SubmittedJob,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<(), ModelError> {
        loop {
            match job.note().write(checkpoint) {
                Ok(()) => return Ok(()),
                Err(CheckpointError::Store) => self.pause(NOTE_RETRY_INTERVAL, progress)?,
                Err(CheckpointError::Obsolete) => return Err(ModelError::Cancelled),
            }
        }
    }

    fn pause(&self, pause: Duration, progress: &mut Progress) -> Result<(), ModelError> {
        let mut left = pause;
        while !left.is_zero() {
            report(progress, 0.0)?;
            let part = left.min(CANCEL_CHECK_INTERVAL);
            thread::sleep(part);
            left -= part;
        }
        report(progress, 0.0)
    }

    fn lock_submitting(&self) -> MutexGuard<'_, ()> {
        self.submitting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports progress. Fails if the job was cancelled.
fn report(progress: &mut Progress, done: f32) -> Result<(), ModelError> {
    match progress(done).is_continue() {
        true => Ok(()),
        false => Err(ModelError::Cancelled),
    }
}

impl Engine for RemoteEngine {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError> {
        // A refinement reuses the preview's model: another one would be paid for.
        let (JobFiles { glb, others }, view) = match (detail, source.preview) {
            (Detail::Refined, Some(preview)) => (preview.to_vec().into(), 0),
            (Detail::Refined, None) => return Err(self.failed("the preview's model is gone")),
            (Detail::Preview, _) => {
                let job = self.job(&source, progress)?;
                (self.follow(&job, source.checkpoint, progress)?, view)
            }
        };
        source.checkpoint.set_status("applying the parameters");
        report(progress, 0.99)?;
        let imported = sculpt::import_glb(&without_asset_extras(glb), source.parameters, view)
            .map_err(|error| self.failed(error))?;
        let service_files = offered(others, &Order::new(source.parameters), view);
        let new_formats = service_files.iter().map(|file| file.format);
        let formats = new_formats.chain(source.service_formats.iter().copied());
        let mut unsupported = imported.unsupported;
        if keep_quads(formats) {
            unsupported.retain(|name| *name != "topology");
        }
        unsupported.extend(unsupported_by_all(source.parameters));
        unsupported.sort_unstable();
        unsupported.dedup();
        Ok(Model {
            glb: imported.glb,
            service_files,
            unsupported: unsupported.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Renders the views of the outline: those of the model would require making it before a view is
    /// chosen.
    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Sculptor.views(source, progress)
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
