//! The interface of the stores, which keep sessions with their files, hand out jobs and count against
//! limits.

mod embedded;
mod entries;
mod error;
mod index;
mod state;

use std::collections::BTreeMap;

pub use embedded::{EmbeddedStore, MemoryStore};
pub use entries::{Change, Entries, MemoryEntries, Order, Visit};
pub use error::StoreError;

use crate::clock::Millis;
use crate::quota::{Cents, DailyLimit, LimitReached, Usage};
use crate::record::{DeletedNote, JobId, Record};
use crate::retention::{ExpireError, Retention};

/// Keeps the sessions, hands out their jobs and counts against limits. Several threads use it at once;
/// each method is one transaction.
///
/// Every method fails if the store cannot be read or written.
pub trait Store: Send + Sync {
    /// Returns the secret from which the tokens of file URLs are derived. Stores `initial` as the secret
    /// if there is none yet.
    fn url_secret(&self, initial: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Returns a session.
    fn get(&self, code: &str) -> Result<Option<Record>, StoreError>;

    /// Returns the session that an idempotency key created or changed.
    fn find_by_idempotency_key(&self, key: &str) -> Result<Option<Record>, StoreError>;

    /// Returns a page of the sessions of a client, or of all sessions; the newest first.
    fn list(&self, client: Option<&str>, page: Page) -> Result<Vec<Record>, StoreError>;

    /// Returns a file of a session.
    fn file(&self, code: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Returns the latest note of each session of an engine, and of each of its
    /// [deleted jobs](Store::deleted_jobs), except that of `code`.
    fn engine_notes_except(&self, engine: &str, code: &str) -> Result<Vec<String>, StoreError>;

    /// Stores a new or changed session with all that belongs to the change, or nothing of it.
    fn write(&self, write: &Write) -> Result<(), WriteError>;

    /// Deletes a session with its files. Returns its last record, or `None` if there was no such session.
    fn delete(&self, code: &str, jobs: DeletedJobs) -> Result<Option<Record>, StoreError>;

    /// Returns the jobs of an engine that were [kept](DeletedJobs::Keep), by the codes of their sessions.
    fn deleted_jobs(&self, engine: &str) -> Result<Vec<(String, DeletedNote)>, StoreError>;

    /// Replaces the note of a kept job. Does nothing if the job is not kept.
    fn update_deleted_job(&self, engine: &str, job: &JobId, note: &str) -> Result<(), StoreError>;

    /// Notes that the engine has ended a kept job. Does nothing if the job is not kept.
    fn end_deleted_job(&self, engine: &str, job: &JobId) -> Result<(), StoreError>;

    /// Removes a kept job.
    fn forget_deleted_job(&self, engine: &str, job: &JobId) -> Result<(), StoreError>;

    /// Deletes the sessions that have expired.
    fn delete_expired(&self, retention: &Retention, now: Millis) -> Result<(), StoreError>;

    /// Leases the next due job of a kind until it is [released](Store::release): first one whose engine
    /// has saved a note, then the one of the oldest session.
    fn claim(&self, kind: JobKind, now: Millis) -> Result<Option<Claim>, StoreError>;

    /// Ends the lease of a job.
    fn release(&self, job: &JobId);

    /// Returns whether a job is still the next one of its session.
    fn is_next(&self, job: &JobId) -> Result<bool, StoreError>;

    /// Returns when the next job of a kind that is not leased is due, or `None` if none is planned.
    fn next_due(&self, kind: JobKind) -> Result<Option<Millis>, StoreError>;

    /// Returns the state of the queue, with the number of sessions of a client.
    fn queue(&self, client: Option<&str>) -> Result<QueueState, StoreError>;

    /// Returns the number of sessions, jobs and paid models.
    fn summary(&self) -> Result<Summary, StoreError>;

    /// Checks whether sessions can be stored. Writes to the store only if the last change could not be
    /// stored.
    fn check(&self) -> Result<(), StoreError>;
}

/// A page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The number of sessions before the page.
    pub offset: usize,
    /// The largest number of sessions on the page.
    pub limit: usize,
}

/// A file of a session: its name and its bytes.
pub type File = (String, Vec<u8>);

/// The changes of a session's files.
#[derive(Default)]
pub struct FileChanges {
    pub put: Vec<File>,
    pub remove: Vec<String>,
}

/// What becomes of the last job of a deleted session, if its engine has saved a note for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedJobs {
    /// Its note is deleted too.
    Forget,
    /// Its note is kept until it is [forgotten](Store::forget_deleted_job): the engine has to end the job
    /// if it is not done, and to know it in a search for the job of another session.
    Keep,
}

/// The session that a [`Write`] stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// A new session. Fails if there is one with the same code.
    Insert,
    /// A changed session. Fails if it was changed or deleted since it was read.
    Update,
}

/// A new or changed session, with the changes and conditions that belong to it.
pub struct Write<'a> {
    pub kind: WriteKind,
    pub record: &'a Record,
    pub files: &'a FileChanges,
    /// Fails if the queue is full.
    pub queue_limit: Option<QueueLimit>,
    /// Charges one paid model to the session's client. Fails if a daily limit is reached.
    pub charge: Option<Charge>,
    /// Deletes expired sessions. Fails if there is no room.
    pub cleanup: Option<Cleanup>,
}

/// A paid model.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    /// The model's list price, 0 if it is unknown.
    pub price: Cents,
    pub limit: DailyLimit,
    pub now: Millis,
}

/// The deletion of expired sessions.
#[derive(Clone, Copy, Debug)]
pub struct Cleanup {
    pub retention: Retention,
    pub now: Millis,
}

/// Why a session is not stored.
pub enum WriteError {
    /// The session was changed or deleted since it was read, or there is one with the code of a new
    /// session.
    Conflict,
    /// One of the session's new idempotency keys belongs to a stored request.
    IdempotencyKeyTaken,
    QueueFull,
    LimitReached(LimitReached),
    StorageFull,
    Store(StoreError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LimitReached> for WriteError {
    fn from(limit: LimitReached) -> Self {
        Self::LimitReached(limit)
    }
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Store(error) => error,
            WriteError::LimitReached(limit) => limit.to_string().into(),
            WriteError::Conflict => "the session was changed meanwhile".into(),
            WriteError::IdempotencyKeyTaken => "the idempotency key is taken".into(),
            WriteError::QueueFull => "the queue is full".into(),
            WriteError::StorageFull => "the storage is full of sessions in progress".into(),
        }
    }
}

impl From<ExpireError> for WriteError {
    fn from(error: ExpireError) -> Self {
        match error {
            ExpireError::StorageFull => Self::StorageFull,
            ExpireError::Store(error) => Self::Store(error),
        }
    }
}

/// The maximum number of sessions with pending work.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimit {
    pub total: usize,
    pub per_client: usize,
}

/// The sessions with pending work.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueState {
    pub total: usize,
    /// The number of those of one client. 0 if callers need no key.
    pub of_client: usize,
    /// The planned end of the session that is planned to end first.
    pub first_end: Option<Millis>,
}

impl QueueState {
    /// Returns whether there is no room for another session of the client.
    pub fn is_full(self, limit: QueueLimit) -> bool {
        self.total >= limit.total || self.of_client >= limit.per_client
    }
}

/// The engines whose jobs are claimed.
#[derive(Clone, Copy, Debug)]
pub enum EngineFilter<'a> {
    /// The engine of this name.
    Named(&'a str),
    /// The engine of this name, and all that are not in `known`.
    NamedOrUnknown {
        /// The name of the engine.
        name: &'a str,
        /// The names of the engines that are left out, unless it is `name`.
        known: &'a [String],
    },
}

impl EngineFilter<'_> {
    fn accepts(self, engine: &str) -> bool {
        match self {
            Self::Named(name) => engine == name,
            Self::NamedOrUnknown { name, known } => {
                engine == name || known.iter().all(|known| known != engine)
            }
        }
    }
}

/// The jobs that are claimed.
#[derive(Clone, Copy, Debug)]
pub enum JobKind<'a> {
    /// All jobs. The claimant downloads the image first if the job needs one.
    Any,
    /// The jobs of these engines whose image is stored.
    Engine(EngineFilter<'a>),
    /// The jobs whose image has to be downloaded.
    Download {
        /// The maximum number of leased ones of each client.
        max_per_client: usize,
    },
}

/// A leased job.
pub struct Claim {
    pub id: JobId,
    pub engine: String,
    /// The URL of the image if it has to be downloaded.
    pub image_url: Option<String>,
}

/// The number of sessions, jobs and paid models.
#[derive(Default)]
pub struct Summary {
    pub sessions: usize,
    /// By the name of the engine.
    pub jobs: BTreeMap<String, JobCount>,
    pub usage: Usage,
}

/// The sessions with pending work of an engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobCount {
    pub waiting: usize,
    pub running: usize,
    /// The time from which the oldest waiting job is due.
    pub oldest_waiting: Option<Millis>,
}
