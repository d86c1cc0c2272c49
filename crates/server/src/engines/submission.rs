//! How far a job's submission is, as it is stored with the session.

use std::time::Duration;

use api::{Checkpoint, CheckpointError, Millis};
use serde::{Deserialize, Serialize};

/// The note that is stored with a session, so that a restart resumes its job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionNote {
    /// No job was created yet: the service was busy or unreachable.
    Waiting { since: Millis },
    /// The request for the job is about to be sent.
    Sending { since: Millis },
    /// The job was created.
    Sent { since: Millis, job: String },
}

impl SubmissionNote {
    /// Stores the note with the session.
    ///
    /// # Errors
    /// Fails if it cannot be stored, or if the session was deleted.
    pub fn write(&self, checkpoint: &dyn Checkpoint) -> Result<(), CheckpointError> {
        let text = serde_json::to_string(self).map_err(|_| CheckpointError::Store)?;
        checkpoint.save(&text)
    }
}

/// A job of the service.
pub struct SubmittedJob {
    /// When it was requested.
    pub since: Millis,
    /// The service's reference to it.
    pub job: String,
}

impl SubmittedJob {
    /// Returns the note that resumes this job.
    pub fn note(&self) -> SubmissionNote {
        SubmissionNote::Sent {
            since: self.since,
            job: self.job.clone(),
        }
    }
}

/// The outcome of one attempt to submit a job.
pub enum Submission {
    /// The job was created.
    Accepted(SubmittedJob),
    /// No job was created; a later attempt may succeed.
    Busy {
        reason: String,
        retry_after: Option<Duration>,
    },
}
