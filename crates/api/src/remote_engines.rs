//! What the API has to know about engines that run elsewhere: their prices, and what becomes of a job
//! whose session is deleted.

use contract::Parameters;

use crate::quota::Cents;

/// The engines that run elsewhere.
pub trait RemoteEngines: Send + Sync {
    /// Returns the list price of a model, or `None` if it is free or unknown.
    fn price(&self, engine: &str, parameters: &Parameters) -> Option<Cents>;

    /// Ends the job of a deleted session, if there is one. `note` is the text that the engine
    /// [saved](crate::Checkpoint::save) last. Returns what becomes of the job; `None` if there is no
    /// job. Does not wait for the engine.
    fn end_job(&self, engine: &str, note: &str, worker: Worker) -> Option<EndedJob>;
}

/// Whether a worker runs the job of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// The engine notices that the session was deleted, and cancels the job itself.
    Running,
    /// Nobody polls the job, for example because the server was started a moment ago.
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
