//! The part of an [`EmbeddedStore`](super::EmbeddedStore) that is kept in memory: the sessions with
//! pending work, and the totals of each client. Its size does not depend on the number of sessions that
//! have ended.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::entries::Entries;
use super::index::{self, AGE_PREFIX, Aged, PENDING_PREFIX};
use super::{Claim, JobCount, JobKind, QueueState, StoreError};
use crate::clock::Millis;
use crate::record::{JobId, Record};
use crate::retention::ClientBytes;

#[derive(Default)]
pub struct State {
    clients: HashMap<Option<String>, Totals>,
    /// By the time of their creation.
    pending: BTreeMap<(Millis, String), PendingJob>,
    /// Not stored, so that a job that runs when the process exits is due again in the next process.
    leases: HashSet<JobId>,
}

/// The stored sessions of a client.
#[derive(Default)]
struct Totals {
    sessions: usize,
    bytes: u64,
}

/// The next job of a session.
struct PendingJob {
    id: JobId,
    client: Option<String>,
    engine: String,
    planned_end: Millis,
    /// Whether the engine has saved a note for the job.
    has_note: bool,
    image_url: Option<String>,
}

impl PendingJob {
    fn of(record: &Record) -> Option<Self> {
        let id = record.next_job()?;
        Some(Self {
            client: record.client.clone(),
            engine: record.engine.clone(),
            planned_end: record.planned_end(),
            has_note: record.engine_note(&id).is_some(),
            image_url: record.url_to_download().map(str::to_owned),
            id,
        })
    }

    fn is_of_kind(&self, kind: JobKind) -> bool {
        match kind {
            JobKind::Any => true,
            JobKind::Engine(filter) => self.image_url.is_none() && filter.accepts(&self.engine),
            JobKind::Download { .. } => self.image_url.is_some(),
        }
    }
}

impl State {
    /// Reads the state of stored entries.
    pub fn load(entries: &dyn Entries) -> Result<Self, StoreError> {
        let mut state = Self::default();
        let aged = index::prefix_range(AGE_PREFIX);
        index::collect(entries, aged, usize::MAX, |_, value| {
            let Aged { client, bytes } = serde_json::from_slice(value)?;
            let totals = state.clients.entry(client).or_default();
            totals.sessions += 1;
            totals.bytes += bytes;
            Ok(None::<()>)
        })?;
        for code in index::codes(entries, PENDING_PREFIX)? {
            if let Some(record) = index::read(entries, &code)? {
                state.insert_pending(&record);
            }
        }
        Ok(state)
    }

    /// Replaces everything but the leases.
    pub fn reload(&mut self, entries: &dyn Entries) -> Result<(), StoreError> {
        let Self {
            clients, pending, ..
        } = Self::load(entries)?;
        (self.clients, self.pending) = (clients, pending);
        Ok(())
    }

    pub fn insert(&mut self, record: &Record) {
        let totals = self.clients.entry(record.client.clone()).or_default();
        totals.sessions += 1;
        totals.bytes += record.total_bytes();
        self.insert_pending(record);
    }

    fn insert_pending(&mut self, record: &Record) {
        if let Some(job) = PendingJob::of(record) {
            self.pending.insert(position(record), job);
        }
    }

    pub fn remove(&mut self, record: &Record) {
        self.pending.remove(&position(record));
        if let Some(totals) = self.clients.get_mut(&record.client) {
            totals.sessions = totals.sessions.saturating_sub(1);
            totals.bytes = totals.bytes.saturating_sub(record.total_bytes());
            if totals.sessions == 0 {
                self.clients.remove(&record.client);
            }
        }
    }

    pub fn is_pending(&self, created_at: Millis, code: &str) -> bool {
        self.pending.contains_key(&(created_at, code.to_owned()))
    }

    /// Returns the stored bytes of each client.
    pub fn client_bytes(&self) -> Vec<ClientBytes> {
        let clients = self.clients.iter();
        clients
            .map(|(client, totals)| ClientBytes {
                client: client.clone(),
                bytes: totals.bytes,
                has_pending: self.pending.values().any(|job| job.client == *client),
            })
            .collect()
    }

    pub fn claim(&mut self, kind: JobKind, now: Millis) -> Option<Claim> {
        let due = self
            .pending
            .values()
            .filter(|job| job.id.start <= now && job.is_of_kind(kind))
            .filter(|job| !self.leases.contains(&job.id) && self.may_start(job, kind));
        // A remote service may already work on a job with a note, and accept no other meanwhile.
        let job = due.min_by_key(|job| !job.has_note)?;
        self.leases.insert(job.id.clone());
        Some(Claim {
            id: job.id.clone(),
            engine: job.engine.clone(),
            image_url: job.image_url.clone(),
        })
    }

    /// Returns whether the job's client may have another lease. Without a key, all sessions are of one
    /// user.
    fn may_start(&self, job: &PendingJob, kind: JobKind) -> bool {
        let JobKind::Download { max_per_client } = kind else {
            return true;
        };
        let leased = self
            .pending
            .values()
            .filter(|other| other.client == job.client && other.image_url.is_some())
            .filter(|other| self.leases.contains(&other.id));
        job.client.is_none() || leased.count() < max_per_client
    }

    pub fn release(&mut self, job: &JobId) {
        self.leases.remove(job);
    }

    pub fn is_next(&self, job: &JobId) -> bool {
        self.pending.values().any(|pending| pending.id == *job)
    }

    pub fn next_due(&self, kind: JobKind) -> Option<Millis> {
        let waiting = self
            .pending
            .values()
            .filter(|job| !self.leases.contains(&job.id) && job.is_of_kind(kind));
        waiting.map(|job| job.id.start).min()
    }

    pub fn queue(&self, client: Option<&str>) -> QueueState {
        let jobs = self.pending.values();
        let is_own = |job: &&PendingJob| client.is_some() && job.client.as_deref() == client;
        QueueState {
            total: self.pending.len(),
            of_client: jobs.clone().filter(is_own).count(),
            first_end: jobs.map(|job| job.planned_end).min(),
        }
    }

    pub fn session_count(&self) -> usize {
        self.clients.values().map(|totals| totals.sessions).sum()
    }

    /// Returns the number of jobs by the name of the engine.
    pub fn job_counts(&self) -> BTreeMap<String, JobCount> {
        let mut counts: BTreeMap<_, JobCount> = BTreeMap::new();
        for job in self.pending.values() {
            let count = counts.entry(job.engine.clone()).or_default();
            match self.leases.contains(&job.id) {
                true => count.running += 1,
                false => {
                    count.waiting += 1;
                    let start = job.id.start;
                    let oldest = count
                        .oldest_waiting
                        .map_or(start, |oldest| oldest.min(start));
                    count.oldest_waiting = Some(oldest);
                }
            }
        }
        counts
    }
}

fn position(record: &Record) -> (Millis, String) {
    (record.created_at, record.code.clone())
}
