//! Follows a job to its end, and downloads its model.

use api::{Checkpoint, Millis, ModelError, Progress, ServiceFile, SessionCost};
use sculpt::GlbError;

use super::outage::Outage;
use super::service_files::{JobFiles, is_of_format};
use super::{RemoteEngine, report};
use crate::clock::now;
use crate::engines::client::DownloadError;
use crate::engines::service::{CancelReason, Cancellation, JobState, ResultUrl};
use crate::engines::submission::SubmittedJob;

/// How often a cancelled job is polled.
const POLLS_AFTER_CANCEL: usize = 3;
/// How often an incomplete file is downloaded again.
const MAX_INCOMPLETE_DOWNLOADS: usize = 5;
/// How often a file of another format is downloaded at most.
const OTHER_DOWNLOADS: usize = 3;

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

impl RemoteEngine {
    /// Polls a job to its end, and returns its files.
    ///
    /// The deadline applies to what the service reports. While it cannot be reached, as after the
    /// machine was asleep, nothing is known about the job, and it gets as much time again.
    pub(super) fn follow(
        &self,
        SubmittedJob { since, job }: &SubmittedJob,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<JobFiles, ModelError> {
        let deadline = since + self.timing.deadline.as_millis() as Millis;
        let mut outage = Outage::default();
        let mut failures = DownloadFailures::default();
        let mut saved_cost: Option<SessionCost> = None;
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
                    Ok(()) => return Ok(file.into()),
                    // The service is still writing it.
                    Err(error @ GlbError::Truncated) => Observation::Known(error.to_string()),
                    Err(error) => return Err(self.failed(error)),
                },
                Ok(JobState::DoneAt { url, others, cost }) => {
                    checkpoint.set_status("downloading the model");
                    if let Some(cost) = cost.filter(|cost| saved_cost != Some(*cost)) {
                        checkpoint.save_cost(cost);
                        saved_cost = Some(cost);
                    }
                    match self.download(&url, &mut failures)? {
                        Download::Complete(glb) => {
                            let others = self.download_others(&others, progress)?;
                            return Ok(JobFiles { glb, others });
                        }
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
            None => match self.service.cancel(job, CancelReason::Deadline) {
                Cancellation::Requested => return Ok(POLLS_AFTER_CANCEL),
                Cancellation::Failed | Cancellation::Unsupported => "",
            },
            Some(left @ 1..) => return Ok(left - 1),
            Some(0) => " and was cancelled",
        };
        Err(self.failed_after_submit(format!(
            "the job was not done after {} s{outcome}; last status: {status}",
            self.timing.deadline.as_secs_f32()
        )))
    }

    /// Downloads a model in other formats. One that cannot be downloaded, or that is something else, is
    /// left out: the model itself is there.
    fn download_others(
        &self,
        urls: &[ResultUrl],
        progress: &mut Progress,
    ) -> Result<Vec<ServiceFile>, ModelError> {
        let mut files = Vec::new();
        for ResultUrl { format, url } in urls {
            report(progress, 0.98)?;
            let mut downloads = (0..OTHER_DOWNLOADS).map(|_| self.service.client().download(url));
            let file = downloads.find(|file| match file {
                Ok(_) => true,
                Err(error) => !error.is_temporary(),
            });
            let file = file.and_then(Result::ok);
            files.extend(
                file.filter(|file| is_of_format(file, *format))
                    .map(|bytes| {
                        let format = *format;
                        ServiceFile { format, bytes }
                    }),
            );
        }
        Ok(files)
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
            Err(error @ DownloadError::HostNotAllowed { .. }) => {
                // The results of further models would be there too.
                let _ = self.refused_results.set(error.to_string());
                return Err(self.failed(error));
            }
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
}
