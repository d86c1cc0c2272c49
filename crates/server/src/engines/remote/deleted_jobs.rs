//! The jobs of deleted sessions.

use std::time::Duration;

use api::{EndedJob, Millis, ModelError, Progress, StoreError};

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

/// The outcome of a search for the job that a note tells of.
enum Search {
    Found(SubmittedJob),
    /// There is no job to cancel, for now or at all.
    Over(JobEnd),
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
    /// for, with the notes of the other sessions that `load_others` returns.
    ///
    /// # Errors
    /// Fails if the notes cannot be loaded.
    pub fn end_job(
        &self,
        note: &str,
        load_others: impl FnOnce() -> Result<Vec<String>, StoreError>,
        progress: &mut Progress,
    ) -> Result<JobEnd, StoreError> {
        let search = match serde_json::from_str(note) {
            Ok(SubmissionNote::Sent { since, job }) => Search::Found(SubmittedJob { since, job }),
            Ok(SubmissionNote::Sending { since }) => {
                self.find_deleted(since, load_others, progress)?
            }
            // No job was created.
            Ok(SubmissionNote::Waiting { .. }) | Err(_) => Search::Over(JobEnd::Done),
        };
        let SubmittedJob { since, job } = match search {
            Search::Found(job) => job,
            Search::Over(end) => return Ok(end),
        };
        Ok(match self.service.cancel(&job, CancelReason::Deleted) {
            Cancellation::Failed if !is_old(since) => JobEnd::Retry,
            Cancellation::Failed | Cancellation::Requested | Cancellation::Unsupported => {
                JobEnd::Done
            }
        })
    }

    /// Finds the job of a deleted session whose response was lost.
    fn find_deleted(
        &self,
        since: Millis,
        load_others: impl FnOnce() -> Result<Vec<String>, StoreError>,
        progress: &mut Progress,
    ) -> Result<Search, StoreError> {
        // No job is submitted after the notes were loaded, which would be taken for this one.
        let _submitting = self.lock_submitting();
        let others = load_others()?;
        // Otherwise the search would hold up other jobs until the service can be reached.
        if let Err(ListError::Poll(_)) = self.service.list_since(since) {
            return Ok(Search::Over(JobEnd::Retry));
        }
        let found = self.find_lost_job(since, "the session was deleted", &others, progress);
        Ok(match found {
            Ok(job) => Search::Found(job),
            Err(ModelError::Cancelled) => Search::Over(JobEnd::Retry),
            // It never arrived, or cannot be told from other jobs.
            Err(ModelError::Failed(_)) => Search::Over(JobEnd::Done),
        })
    }
}

/// Returns whether a job was requested long ago.
fn is_old(since: Millis) -> bool {
    now().saturating_sub(since) >= MAX_JOB_AGE.as_millis() as Millis
}
