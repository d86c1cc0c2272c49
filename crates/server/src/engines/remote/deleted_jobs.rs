//! The jobs of deleted sessions.

use std::time::Duration;

use api::{EndedJob, Millis, ModelError, Progress};

use super::RemoteEngine;
use crate::clock::now;
use crate::engines::service::{CancelReason, Cancellation, ListError};
use crate::engines::submission::{SubmissionNote, SubmittedJob};

/// How long after its request a job is cancelled at the latest, and kept for the search for the jobs of
/// other sessions. The services end their jobs sooner.
const MAX_JOB_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The outcome of an attempt to end a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Nothing is left to do.
    Done,
    /// The service could not be reached. A later attempt may succeed.
    Retry,
}

impl RemoteEngine {
    /// Returns what becomes of the job of a deleted session, if `note` tells of one.
    pub fn after_deletion(&self, note: &str) -> Option<EndedJob> {
        match serde_json::from_str(note) {
            Ok(SubmissionNote::Waiting { .. }) => None,
            Ok(SubmissionNote::Sent { .. } | SubmissionNote::Sending { .. }) | Err(_) => {
                Some(self.service.after_deletion())
            }
        }
    }

    /// Returns whether the job of a deleted session, which has ended, can be forgotten.
    pub fn is_forgettable(&self, note: &str) -> bool {
        match serde_json::from_str(note) {
            Ok(SubmissionNote::Sent { since, .. } | SubmissionNote::Sending { since }) => {
                is_old(since)
            }
            // There is no job.
            Ok(SubmissionNote::Waiting { .. }) | Err(_) => true,
        }
    }

    /// Returns the pause between two attempts to end jobs.
    pub fn poll_interval(&self) -> Duration {
        self.timing.poll_interval
    }

    /// Returns whether the note of a deleted session has the id of the job, so that it can be ended while a
    /// worker still polls it.
    pub fn is_submitted(&self, note: &str) -> bool {
        matches!(serde_json::from_str(note), Ok(SubmissionNote::Sent { .. }))
    }

    /// Ends the job that the note of a deleted session tells of. A job whose response was lost is searched
    /// for, with the notes of the `others`.
    pub fn end_job(&self, note: &str, others: &[String], progress: &mut Progress) -> JobEnd {
        let job = match serde_json::from_str(note) {
            Ok(SubmissionNote::Sent { since, job }) => Ok(SubmittedJob { since, job }),
            Ok(SubmissionNote::Sending { since }) => self.find_deleted(since, others, progress),
            // No job was created.
            Ok(SubmissionNote::Waiting { .. }) | Err(_) => Err(JobEnd::Done),
        };
        let SubmittedJob { since, job } = match job {
            Ok(job) => job,
            Err(end) => return end,
        };
        match self.service.cancel(&job, CancelReason::Deleted) {
            Cancellation::Failed if !is_old(since) => JobEnd::Retry,
            Cancellation::Failed | Cancellation::Requested | Cancellation::Unsupported => {
                JobEnd::Done
            }
        }
    }

    /// Finds the job of a deleted session whose response was lost.
    fn find_deleted(
        &self,
        since: Millis,
        others: &[String],
        progress: &mut Progress,
    ) -> Result<SubmittedJob, JobEnd> {
        let _submitting = self.lock_submitting();
        // Otherwise the search would hold up other jobs until the service can be reached.
        if let Err(ListError::Poll(_)) = self.service.list_since(since) {
            return Err(JobEnd::Retry);
        }
        let found = self.find_lost_job(since, "the session was deleted", others, progress);
        found.map_err(|error| match error {
            ModelError::Cancelled => JobEnd::Retry,
            // It never arrived, or cannot be told from other jobs.
            ModelError::Failed(_) => JobEnd::Done,
        })
    }
}

/// Returns whether a job was requested long ago.
fn is_old(since: Millis) -> bool {
    now().saturating_sub(since) >= MAX_JOB_AGE.as_millis() as Millis
}
