//! All sessions. Records are kept in memory; every change is stored before it becomes visible.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::clock::Millis;
use crate::files;
use crate::idempotency::IdempotencyRecord;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::quota::{Budget, DailyLimit, LimitReached, USAGE_KEY, Usage};
use crate::record::{JobId, Record};
use crate::retention::{Incoming, Retention, StorageFull, StoredSession};
use crate::store::{Change, Store, StoreError};

/// The key of an entry that only tells whether the store can be written.
const PROBE_KEY: &str = "probe";

/// A file of a session: its name and its bytes.
pub type File = (String, Vec<u8>);

/// The changes of a session's files.
#[derive(Default)]
pub struct FileChanges {
    pub put: Vec<File>,
    pub remove: Vec<String>,
}

/// The limits of all sessions.
pub struct Limits {
    pub retention: Retention,
    /// The maximum number of sessions with pending work.
    pub max_pending: usize,
    pub max_pending_per_client: usize,
    pub daily_limit: DailyLimit,
}

pub struct Sessions {
    store: Box<dyn Store>,
    limits: Limits,
    index: Mutex<Index>,
    /// Held from reading a record until its change is stored. Readers do not wait for it.
    writing: Mutex<()>,
    /// Whether the last commit has failed.
    has_failed: AtomicBool,
}

#[derive(Default)]
struct Index {
    records: HashMap<String, Record>,
    by_age: BTreeSet<(Millis, String)>,
    /// The sessions with pending work.
    pending: BTreeSet<(Millis, String)>,
    /// Session codes by idempotency key.
    by_idempotency_key: HashMap<String, String>,
    /// The usage of the latest day with paid models.
    usage: Usage,
}

/// A session to add.
pub struct Addition {
    pub record: Record,
    /// The image file, unless it still has to be downloaded.
    pub image: Option<Vec<u8>>,
    pub idempotency: Option<IdempotencyRecord>,
    /// Whether the session's model is charged to the daily limit.
    pub is_paid: bool,
    /// The source of the session's code and id.
    pub random: fastrand::Rng,
}

/// The idempotency key was used for a different request.
pub struct KeyReused;

/// Why a session is not added.
pub enum AddError {
    KeyReused,
    QueueFull,
    LimitReached(LimitReached),
    StorageFull,
    Store(StoreError),
}

impl From<StorageFull> for AddError {
    fn from(_: StorageFull) -> Self {
        Self::StorageFull
    }
}

impl From<KeyReused> for AddError {
    fn from(_: KeyReused) -> Self {
        Self::KeyReused
    }
}

impl From<StoreError> for AddError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a session is not changed.
pub enum UpdateError<E> {
    /// There is no such session.
    NotFound,
    /// The change was rejected.
    Rejected(E),
    Store(StoreError),
}

impl<E> From<StoreError> for UpdateError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Sessions {
    /// Opens the sessions of a store, and deletes those that have expired.
    pub fn open(store: Box<dyn Store>, limits: Limits, now: Millis) -> Result<Self, StoreError> {
        let mut index = Index::default();
        for bytes in store.scan_prefix(&record_key(""))? {
            index.insert(serde_json::from_slice(&bytes)?);
        }
        if let Some(bytes) = store.get(USAGE_KEY)? {
            index.usage = serde_json::from_slice(&bytes)?;
        }
        let sessions = Self {
            store,
            limits,
            index: Mutex::new(index),
            writing: Mutex::default(),
            has_failed: AtomicBool::default(),
        };
        sessions.delete_expired(now)?;
        Ok(sessions)
    }

    /// Deletes the sessions that have expired.
    pub fn delete_expired(&self, now: Millis) -> Result<(), StoreError> {
        let _writing = self.writing();
        let expired = self.expired(Incoming::default(), now).unwrap_or_default();
        if !expired.is_empty() {
            self.commit_without(&expired, Vec::new())?;
        }
        Ok(())
    }

    /// Deletes a session of a client with its files. Returns whether there was one.
    pub fn delete(&self, code: &str, client: Option<&str>) -> Result<bool, StoreError> {
        let _writing = self.writing();
        let is_own = |record: &Record| record.belongs_to(client);
        if !self.index().records.get(code).is_some_and(is_own) {
            return Ok(false);
        }
        self.commit_without(&[code.to_owned()], Vec::new())?;
        Ok(true)
    }

    /// Returns the metrics of the sessions, without those of the engines.
    pub fn metrics(&self, now: Millis) -> Metrics {
        let index = self.index();
        Metrics {
            sessions: index.records.len(),
            pending: index.pending.len(),
            paid_today: index.usage.count(now),
            paid_today_by_client: index.usage.count_by_client(now),
            paid_daily_limit: self.limits.daily_limit.total,
            ..Metrics::default()
        }
    }

    pub fn get(&self, code: &str) -> Option<Record> {
        self.index().records.get(code).cloned()
    }

    /// Returns a page of the sessions of a client, or of all sessions; the newest first.
    pub fn list(&self, client: Option<&str>, limit: usize, page: usize) -> Vec<Record> {
        let index = self.index();
        let newest = index.by_age.iter().rev();
        let newest = newest.filter_map(|(_, code)| index.records.get(code));
        let own = newest.filter(|record| record.belongs_to(client));
        let page = own.skip(limit.saturating_mul(page)).take(limit);
        page.cloned().collect()
    }

    /// Returns the latest engine note of each session of an engine, except that of `code`.
    pub fn engine_notes_except(&self, engine: &str, code: &str) -> Vec<String> {
        let index = self.index();
        let records = index.records.values();
        let records = records.filter(|record| record.engine == engine && record.code != code);
        let notes = records.filter_map(Record::latest_engine_note);
        notes.map(str::to_owned).collect()
    }

    /// Returns whether a job is still the next one of its session.
    pub fn is_next_job(&self, job: &JobId) -> bool {
        let index = self.index();
        let record = index.records.get(&job.code);
        record.and_then(Record::next_job).as_ref() == Some(job)
    }

    /// Calls `read` with the sessions that have pending work, the oldest first.
    pub fn with_pending<T>(&self, read: impl FnOnce(&mut dyn Iterator<Item = &Record>) -> T) -> T {
        let index = self.index();
        let pending = index.pending.iter();
        read(&mut pending.filter_map(|(_, code)| index.records.get(code)))
    }

    /// Returns whether this client's queue is full.
    pub fn is_queue_full(&self, client: Option<&str>) -> bool {
        if self.index().pending.len() >= self.limits.max_pending {
            return true;
        }
        let count = |records: &mut dyn Iterator<Item = &Record>| {
            records.filter(|record| record.belongs_to(client)).count()
        };
        client.is_some() && self.with_pending(count) >= self.limits.max_pending_per_client
    }

    /// Returns the session of an earlier request with the same idempotency key, or `None` if there
    /// was no such request.
    ///
    /// # Errors
    /// Fails if the key was used for a different request.
    pub fn find_replay(
        &self,
        idempotency: Option<&IdempotencyRecord>,
    ) -> Result<Option<Record>, KeyReused> {
        let Some(idempotency) = idempotency else {
            return Ok(None);
        };
        let index = self.index();
        let code = index.by_idempotency_key.get(&idempotency.key);
        let Some(record) = code.and_then(|code| index.records.get(code)) else {
            return Ok(None);
        };
        match record.idempotency.contains(idempotency) {
            true => Ok(Some(record.clone())),
            false => Err(KeyReused),
        }
    }

    /// Names a session and stores it with its image and its charge. Returns the stored record, or
    /// that of an earlier request with the same idempotency key. `url_token` derives the token of
    /// the file URLs from the session's code and id.
    pub fn add(
        &self,
        addition: Addition,
        url_token: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Record, AddError> {
        let Addition {
            mut record,
            image,
            idempotency,
            is_paid,
            mut random,
        } = addition;
        let _writing = self.writing();
        // Checked under the lock, because two equal requests may arrive at the same time.
        if let Some(replay) = self.find_replay(idempotency.as_ref())? {
            return Ok(replay);
        }
        if self.is_queue_full(record.client.as_deref()) {
            return Err(AddError::QueueFull);
        }
        let now = record.created_at;
        let mut changes = Vec::new();
        let mut budget = self.budget();
        if is_paid {
            budget
                .charge(record.client.as_deref(), now)
                .map_err(AddError::LimitReached)?;
        }
        changes.extend(budget.change()?);
        record.code = loop {
            let code = format!("SESSION_{}_{:07}", now / 1000, random.u32(0..10_000_000));
            if self.get(&code).is_none() {
                break code;
            }
        };
        record.id = format!("{:08x}{:016x}", now / 1000, random.u64(..));
        record.url_token = url_token(&format!("{} {}", record.code, record.id));
        record.idempotency.extend(idempotency);
        if let Some(bytes) = image {
            record.image_bytes = bytes.len() as u64;
            changes.push(Change::Put(file_key(&record.code, files::IMAGE), bytes));
        }
        changes.push(put_record(&record)?);
        let incoming = Incoming {
            client: record.client.as_deref(),
            bytes: record.total_bytes(),
        };
        let expired = self.expired(incoming, now)?;
        self.commit_without(&expired, changes)?;
        let mut index = self.index();
        index.usage = budget.into_usage();
        index.insert(record.clone());
        Ok(record)
    }

    /// Changes the newest record of a session, and stores it together with the changes of its
    /// files and what `change` charges to the budget. Stores nothing if `change` fails.
    pub fn update<T, E>(
        &self,
        code: &str,
        files: FileChanges,
        change: impl FnOnce(&mut Record, &mut Budget) -> Result<T, E>,
    ) -> Result<T, UpdateError<E>> {
        let _writing = self.writing();
        let mut record = self.get(code).ok_or(UpdateError::NotFound)?;
        let mut budget = self.budget();
        let changed = change(&mut record, &mut budget).map_err(UpdateError::Rejected)?;
        let mut changes = vec![put_record(&record)?];
        changes.extend(budget.change()?);
        let (put, remove) = (files.put.into_iter(), files.remove.into_iter());
        changes.extend(remove.map(|name| Change::Remove(file_key(code, &name))));
        changes.extend(put.map(|(name, bytes)| Change::Put(file_key(code, &name), bytes)));
        self.commit(changes)?;
        let mut index = self.index();
        index.usage = budget.into_usage();
        index.insert(record);
        Ok(changed)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let committed = self.store.commit(changes);
        self.has_failed.store(committed.is_err(), Ordering::Relaxed);
        committed
    }

    /// Checks whether sessions can be stored. Writes to the store only if the last commit has failed.
    pub fn check_store(&self) -> Result<(), StoreError> {
        match self.has_failed.load(Ordering::Relaxed) {
            true => self.commit(vec![Change::Put(PROBE_KEY.into(), Vec::new())]),
            false => Ok(()),
        }
    }

    pub fn file(&self, code: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&file_key(code, name))
    }

    /// Returns the sessions to delete before `incoming` is added.
    fn expired(&self, incoming: Incoming, now: Millis) -> Result<Vec<String>, StorageFull> {
        let index = self.index();
        let oldest = index.by_age.iter();
        let records = oldest.filter_map(|(_, code)| index.records.get(code));
        let stored = records.map(|record| StoredSession {
            code: &record.code,
            client: record.client.as_deref(),
            created_at: record.created_at,
            bytes: record.total_bytes(),
            is_pending: record.next_job().is_some(),
        });
        self.limits.retention.expired(stored, incoming, now)
    }

    /// Commits the changes, and deletes these sessions with them.
    fn commit_without(
        &self,
        deleted: &[String],
        mut changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        for code in deleted {
            changes.push(Change::Remove(record_key(code)));
            let names = files::stored_names();
            changes.extend(names.map(|name| Change::Remove(file_key(code, &name))));
        }
        self.commit(changes)?;
        let mut index = self.index();
        for code in deleted {
            index.remove(code);
        }
        Ok(())
    }

    /// Opens the budget. The caller holds the `writing` lock.
    fn budget(&self) -> Budget {
        Budget::new(self.limits.daily_limit, self.index().usage.clone())
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        lock(&self.writing)
    }
}

impl Index {
    fn insert(&mut self, record: Record) {
        for idempotency in &record.idempotency {
            self.by_idempotency_key
                .insert(idempotency.key.clone(), record.code.clone());
        }
        let position = (record.created_at, record.code.clone());
        match record.next_job() {
            Some(_) => self.pending.insert(position.clone()),
            None => self.pending.remove(&position),
        };
        self.by_age.insert(position);
        self.records.insert(record.code.clone(), record);
    }

    fn remove(&mut self, code: &str) {
        if let Some(record) = self.records.remove(code) {
            for idempotency in record.idempotency {
                self.by_idempotency_key.remove(&idempotency.key);
            }
            let position = (record.created_at, record.code);
            self.pending.remove(&position);
            self.by_age.remove(&position);
        }
    }
}

fn put_record(record: &Record) -> Result<Change, StoreError> {
    let bytes = serde_json::to_vec(record)?;
    Ok(Change::Put(record_key(&record.code), bytes))
}

fn record_key(code: &str) -> String {
    format!("session/{code}")
}

fn file_key(code: &str, name: &str) -> String {
    format!("file/{code}/{name}")
}
