//! The engine whose models a remote service makes: it submits one job per session, polls it to its
//! end, downloads the model, and applies the parameters that the service does not.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use api::{
    Checkpoint, CheckpointError, Detail, Engine, Millis, Model, ModelError, Progress, Sculptor,
    Source, VIEW_COUNT,
};
use contract::{Creativity, Parameters, PreviewMesh, RefineSpeed};
use sculpt::GlbError;

use super::client::DownloadError;
use super::request_counts::RequestCounts;
use super::service::{
    Cancellation, JobState, ListError, ModelRequest, Service, SubmitError, Timing,
};
use super::submission::{Submission, SubmissionNote, SubmittedJob};
use crate::clock::now;

/// How often a pause checks whether the job was cancelled.
const CANCEL_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// By how much the service's clock may be behind this machine's.
const MAX_CLOCK_SKEW: Millis = 5_000;
/// How often the list of jobs is read for a job whose response was lost, with a pause before each:
/// the job may not be listed yet.
const LIST_ATTEMPTS: usize = 3;
/// How often the note about a job is written again while the store fails.
const NOTE_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How often a cancelled job is polled.
const POLLS_AFTER_CANCEL: usize = 3;
/// How often an incomplete file is downloaded again.
const MAX_INCOMPLETE_DOWNLOADS: usize = 5;

/// An engine whose models a remote service makes.
pub struct RemoteEngine {
    service: Box<dyn Service>,
    timing: Timing,
    /// Held while a job is submitted, so that at most one job's response can be lost at a time.
    submitting: Mutex<()>,
    request_counts: Arc<RequestCounts>,
}

/// The state of a job that is not done, by a poll.
enum Observation {
    /// The job's status.
    Known(String),
    /// Why the job's state, or its file, could not be read.
    Unknown(String),
}

/// The outcome of one attempt to download a model.
enum Download {
    Complete(Vec<u8>),
    /// A later attempt may succeed.
    Retry(String),
}

/// The failed downloads of a model.
#[derive(Default)]
struct DownloadFailures {
    has_expired: bool,
    incomplete: usize,
}

/// Measures how long the service's state has been unknown.
#[derive(Default)]
struct Outage(Option<Millis>);

impl Outage {
    /// Returns the time since the first call.
    fn duration(&mut self) -> Duration {
        let now = now();
        Duration::from_millis(now.saturating_sub(*self.0.get_or_insert(now)))
    }
}

impl RemoteEngine {
    /// Creates an engine that counts its requests for models in `request_counts`.
    pub fn new(
        service: Box<dyn Service>,
        timing: Timing,
        request_counts: Arc<RequestCounts>,
    ) -> Self {
        Self {
            service,
            timing,
            submitting: Mutex::default(),
            request_counts,
        }
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
                let job = self.find_lost_job(since, reason, checkpoint, progress)?;
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
            parameters: source.parameters.or_defaults(),
            is_textured: sculpt::is_textured(source.parameters),
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
                self.find_lost_job(since, &reason, checkpoint, progress)?
            }
        };
        self.note_job(&job, checkpoint, progress)?;
        Ok(Submission::Accepted(job))
    }

    /// Notes a job with its session. Waits while the store fails: without the note, the next attempt
    /// could only guess which job belongs to the session. Cancels the job if it is no longer needed.
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
                Err(CheckpointError::Obsolete) => {
                    self.service.cancel(&job.job);
                    return Err(ModelError::Cancelled);
                }
            }
        }
    }

    /// Finds the job whose response was lost, if the service lists its jobs and exactly one of them
    /// belongs to no other session.
    fn find_lost_job(
        &self,
        since: Millis,
        reason: &str,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<SubmittedJob, ModelError> {
        // Includes the jobs of earlier processes.
        let mut known = HashSet::new();
        let listed_since = since.saturating_sub(MAX_CLOCK_SKEW);
        for note in checkpoint.load_others()? {
            match serde_json::from_str(&note) {
                Ok(SubmissionNote::Sent { job, .. }) => {
                    known.insert(job);
                }
                // Its job, if there is one, would be among the listed ones.
                Ok(SubmissionNote::Sending { since }) if since >= listed_since => {
                    return Err(self.failed_after_submit(format!(
                        "{reason}, and so was the model of another session"
                    )));
                }
                _ => {}
            }
        }
        let mut found = Vec::new();
        let mut outage = Outage::default();
        let mut lists = 0;
        while lists < LIST_ATTEMPTS && found.is_empty() {
            self.pause(self.timing.poll_interval, progress)?;
            match self.service.list_since(listed_since) {
                Ok(listed) => {
                    outage = Outage::default();
                    lists += 1;
                    found = listed;
                    found.retain(|job| !known.contains(job));
                }
                Err(ListError::Unsupported) => break,
                // A network that is down tells nothing about the job.
                Err(ListError::Poll(_)) if outage.duration() < self.timing.deadline => {}
                Err(ListError::Poll(_)) => break,
            }
        }
        match found.as_slice() {
            [job] => Ok(SubmittedJob {
                since,
                job: job.clone(),
            }),
            [] => Err(self.failed_after_submit(reason)),
            several => Err(self.failed_after_submit(format!(
                "{reason}, and {} listed jobs may be the requested one",
                several.len()
            ))),
        }
    }

    /// Polls a job to its end, and returns its file.
    ///
    /// The deadline applies to what the service reports. While it cannot be reached, as after the
    /// machine was asleep, nothing is known about the job, and it gets as much time again.
    fn follow(
        &self,
        SubmittedJob { since, job }: &SubmittedJob,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<Vec<u8>, ModelError> {
        let deadline = since + self.timing.deadline.as_millis() as Millis;
        let mut outage = Outage::default();
        let mut failures = DownloadFailures::default();
        // Set once the job was cancelled.
        let mut polls_left = None;
        loop {
            let observation = match self.service.poll(job) {
                Ok(JobState::Running {
                    progress: done,
                    status,
                }) => {
                    checkpoint.set_status(&status);
                    report(progress, done.clamp(0.0, 1.0))?;
                    Observation::Known(status)
                }
                Ok(JobState::Failed(reason)) if polls_left.is_none() => {
                    return Err(self.failed(reason));
                }
                Ok(JobState::Failed(reason)) => {
                    polls_left = Some(0);
                    Observation::Known(reason)
                }
                Ok(JobState::Done(file)) => match sculpt::check_glb(&file) {
                    Ok(()) => return Ok(file),
                    // The service is still writing it.
                    Err(error @ GlbError::Truncated) => Observation::Known(error.to_string()),
                    Err(error) => return Err(self.failed(error)),
                },
                Ok(JobState::DoneAt(url)) => {
                    checkpoint.set_status("downloading the model");
                    match self.download(&url, &mut failures)? {
                        Download::Complete(file) => return Ok(file),
                        Download::Retry(reason) => Observation::Unknown(format!(
                            "the model is done, but cannot be downloaded: {reason}"
                        )),
                    }
                }
                Err(error) => Observation::Unknown(error.to_string()),
            };
            match observation {
                Observation::Known(status) => {
                    outage = Outage::default();
                    if now() >= deadline {
                        polls_left = Some(self.give_up(job, polls_left, &status)?);
                    }
                }
                Observation::Unknown(reason) if outage.duration() >= self.timing.deadline => {
                    return Err(self.failed_after_submit(format!(
                        "the job's state was unknown for {} s; last error: {reason}",
                        self.timing.deadline.as_secs_f32()
                    )));
                }
                Observation::Unknown(_) => {}
            }
            self.pause(self.timing.poll_interval, progress)?;
        }
    }

    /// Cancels a job after its deadline. Returns how many polls are left until it is given up: a job
    /// may be done at that moment, or be made in spite of the cancellation, and a model that may have
    /// been charged must not be lost.
    fn give_up(
        &self,
        job: &str,
        polls_left: Option<usize>,
        status: &str,
    ) -> Result<usize, ModelError> {
        let outcome = match polls_left {
            None => match self.service.cancel(job) {
                Cancellation::Requested => return Ok(POLLS_AFTER_CANCEL),
                Cancellation::NotRequested => "",
            },
            Some(left @ 1..) => return Ok(left - 1),
            Some(0) => " and was cancelled",
        };
        Err(self.failed_after_submit(format!(
            "the job was not done after {} s{outcome}; last status: {status}",
            self.timing.deadline.as_secs_f32()
        )))
    }

    fn download(&self, url: &str, failures: &mut DownloadFailures) -> Result<Download, ModelError> {
        let file = match self.service.client().download(url) {
            Ok(file) => file,
            // The next poll returns a fresh URL.
            Err(error @ DownloadError::Expired) if !failures.has_expired => {
                failures.has_expired = true;
                return Ok(Download::Retry(error.to_string()));
            }
            Err(error) if error.is_temporary() => return Ok(Download::Retry(error.to_string())),
            Err(error) => return Err(self.failed(error)),
        };
        match sculpt::check_glb(&file) {
            Ok(()) => Ok(Download::Complete(file)),
            Err(error @ GlbError::Truncated) if failures.incomplete < MAX_INCOMPLETE_DOWNLOADS => {
                failures.incomplete += 1;
                Ok(Download::Retry(error.to_string()))
            }
            Err(error) => Err(self.failed(error)),
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

/// Returns the requested parameters that no remote engine honours.
fn unsupported_by_all(parameters: &Parameters) -> impl Iterator<Item = &'static str> {
    let is_free = |creativity| creativity != Creativity::Lowest;
    [
        ("creativity", parameters.creativity.is_some_and(is_free)),
        (
            "refine_speed",
            parameters.refine_speed == Some(RefineSpeed::Fast),
        ),
        ("auto_refine", parameters.auto_refine == Some(true)),
        (
            "preview_mesh",
            parameters.preview_mesh == Some(PreviewMesh::Turbo),
        ),
    ]
    .into_iter()
    .filter_map(|(name, is_requested)| is_requested.then_some(name))
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
        let (file, view) = match (detail, source.preview) {
            (Detail::Refined, Some(preview)) => (preview.to_vec(), 0),
            (Detail::Refined, None) => return Err(self.failed("the preview's model is gone")),
            (Detail::Preview, _) => {
                let job = self.job(&source, progress)?;
                let followed = self.follow(&job, source.checkpoint, progress);
                // Without a note the session was deleted. Otherwise the process is ending, and the
                // next one resumes the job.
                if matches!(followed, Err(ModelError::Cancelled))
                    && matches!(source.checkpoint.load(), Ok(None))
                {
                    self.service.cancel(&job.job);
                }
                (followed?, view)
            }
        };
        source.checkpoint.set_status("applying the parameters");
        report(progress, 0.99)?;
        let imported = sculpt::import_glb(&file, source.parameters, view)
            .map_err(|error| self.failed(error))?;
        let mut unsupported = imported.unsupported;
        unsupported.extend(unsupported_by_all(source.parameters));
        unsupported.sort_unstable();
        unsupported.dedup();
        Ok(Model {
            glb: imported.glb,
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
