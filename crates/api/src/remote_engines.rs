//! What the API has to know about engines that run elsewhere: their prices, and what becomes of a job
//! whose session is deleted.

use contract::Parameters;

use crate::quota::Cents;
use crate::record::JobId;

/// The engines that run elsewhere.
pub trait RemoteEngines: Send + Sync {
    /// Returns the list price of a model, or `None` if it is free or unknown.
    fn price(&self, engine: &str, parameters: &Parameters) -> Option<Cents>;

    /// Returns what becomes of the job of a deleted session, or `None` if there is no job. `note` is the
    /// text that the engine [saved](crate::Checkpoint::save) last. The job itself is ended later, as one
    /// of [`Api::deleted_jobs`](crate::Api::deleted_jobs).
    fn after_deletion(&self, engine: &str, note: &str) -> Option<EndedJob>;
}

/// A job whose session was deleted.
#[derive(Clone, Debug)]
pub struct DeletedJob {
    pub(crate) id: JobId,
    /// The text that the engine saved last.
    pub note: String,
    /// Whether the job was done before, or its engine has ended it since. It is kept for the search for
    /// the jobs of other sessions.
    pub is_ended: bool,
    /// Whether the engine may still save another text.
    pub worker: Worker,
}

/// Whether a worker runs a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// A worker runs the job, until it notices that the session was deleted.
    Running,
    /// No worker runs the job.
    Absent,
}

/// The job of a deleted session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedJob {
    /// What becomes of the job, as a sentence.
    pub message: String,
    /// Whether the model may be charged all the same.
    pub may_be_charged: bool,
}
