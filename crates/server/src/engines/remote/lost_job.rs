//! Finds the job whose response was lost.

use std::collections::HashSet;

use api::{Millis, ModelError, Progress};

use super::RemoteEngine;
use super::outage::Outage;
use crate::engines::service::ListError;
use crate::engines::submission::{SubmissionNote, SubmittedJob};

/// By how much the service's clock may be behind this machine's.
const MAX_CLOCK_SKEW: Millis = 5_000;
/// How often the list of jobs is read for a job whose response was lost, with a pause before each:
/// the job may not be listed yet.
const LIST_ATTEMPTS: usize = 3;

impl RemoteEngine {
    /// Finds the job whose response was lost, if the service lists its jobs and exactly one of them
    /// belongs to no other session. `others` are the notes of the other sessions, and of deleted ones.
    pub(super) fn find_lost_job(
        &self,
        since: Millis,
        reason: &str,
        others: &[String],
        progress: &mut Progress,
    ) -> Result<SubmittedJob, ModelError> {
        // Includes the jobs of earlier processes.
        let mut known = HashSet::new();
        let listed_since = since.saturating_sub(MAX_CLOCK_SKEW);
        for note in others {
            match serde_json::from_str(note) {
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
}
