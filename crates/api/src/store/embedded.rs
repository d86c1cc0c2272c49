//! A store for one process, on ordered entries.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::entries::{Change, Entries, MemoryEntries, Order};
use super::index::{self, AGE_PREFIX, Aged, PROBE_KEY, URL_SECRET_KEY, USAGE_KEY};
use super::state::State;
use super::{
    Charge, Claim, Cleanup, DeletedJobs, JobKind, Page, QueueState, Store, StoreError, Summary,
    Write, WriteError, WriteKind,
};
use crate::clock::Millis;
use crate::lock::lock;
use crate::quota::Usage;
use crate::record::{DeletedNote, JobId, Record};
use crate::retention::{ClientBytes, Deletable, Incoming, Inventory, Retention};

/// How many sessions are read at once when the oldest ones of a client are deleted.
const DELETION_BATCH: usize = 100;

/// A store for one process, on ordered entries. Keeps only the sessions with pending work in memory.
#[derive(Default)]
pub struct EmbeddedStore<E> {
    entries: E,
    state: Mutex<State>,
    /// Held from reading a record until its change is stored. Readers do not wait for it.
    writing: Mutex<()>,
    /// Whether the last commit has failed.
    has_failed: AtomicBool,
}

/// A store in memory, lost when the process exits.
pub type MemoryStore = EmbeddedStore<MemoryEntries>;

impl<E: Entries> EmbeddedStore<E> {
    /// Opens the store of these entries. Entries of earlier versions are indexed first.
    ///
    /// # Errors
    /// Fails if the entries cannot be read or written, or are invalid.
    pub fn open(entries: E) -> Result<Self, StoreError> {
        index::build(&entries)?;
        Ok(Self {
            state: Mutex::new(State::load(&entries)?),
            entries,
            writing: Mutex::default(),
            has_failed: AtomicBool::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let committed = self.entries.commit(changes);
        self.has_failed.store(committed.is_err(), Ordering::Relaxed);
        committed
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let bytes = self.entries.get(USAGE_KEY)?;
        let usage = bytes.map(|bytes| serde_json::from_slice(&bytes));
        Ok(usage.transpose()?.unwrap_or_default())
    }

    /// Commits the changes and deletes these sessions with them. The caller holds the `writing` lock.
    fn commit_without(&self, codes: &[String], mut changes: Vec<Change>) -> Result<(), StoreError> {
        let mut deleted = Vec::new();
        for code in codes {
            if let Some(record) = self.get(code)? {
                changes.extend(index::deletion(&record)?);
                deleted.push(record);
            }
        }
        self.commit(changes)?;
        let mut state = self.state();
        for record in &deleted {
            state.remove(record);
        }
        Ok(())
    }

    /// Changes a kept job, if it is kept.
    fn change_deleted_job(
        &self,
        engine: &str,
        job: &JobId,
        change: impl FnOnce(&mut DeletedNote),
    ) -> Result<(), StoreError> {
        let _writing = lock(&self.writing);
        let kept = self.entries.get(&index::deleted_key(engine, &job.code))?;
        let kept = kept.map(|kept| serde_json::from_slice::<DeletedNote>(&kept));
        let Some(mut kept) = kept.transpose()?.filter(|kept| kept.note.is_of(job)) else {
            return Ok(());
        };
        change(&mut kept);
        self.commit(vec![put_deleted(engine, &job.code, &kept)?])
    }

    /// Returns the session of a key that ends with its age, unless it has pending work.
    fn deletable(&self, key: &str, client: Option<String>, bytes: u64) -> Option<Deletable> {
        let (created_at, code) = index::parse_age(key)?;
        let is_pending = self.state().is_pending(created_at, code);
        (!is_pending).then(|| Deletable {
            code: code.to_owned(),
            client,
            created_at,
            bytes,
        })
    }

    /// Returns the changes that store a record, instead of the stored one if there is one.
    ///
    /// # Errors
    /// Fails if a new idempotency key of the record belongs to another session.
    fn replace(
        &self,
        stored: Option<&Record>,
        record: &Record,
    ) -> Result<Vec<Change<'static>>, WriteError> {
        let old = stored.map(index::entries_of).transpose()?;
        let old = old.unwrap_or_default();
        let new = index::entries_of(record)?;
        for idempotency in &record.idempotency {
            let is_new = !old.contains_key(&index::idempotency_key(&idempotency.key));
            if is_new && self.find_by_idempotency_key(&idempotency.key)?.is_some() {
                return Err(WriteError::IdempotencyKeyTaken);
            }
        }
        let obsolete = old.keys().filter(|key| !new.contains_key(*key)).cloned();
        let mut changes: Vec<_> = obsolete.map(Change::Remove).collect();
        let changed = new
            .into_iter()
            .filter(|(key, value)| old.get(key) != Some(value));
        changes.extend(changed.map(|(key, value)| Change::Put(key, value.into())));
        Ok(changes)
    }
}

/// Returns the change that keeps the job of a deleted session.
fn put_deleted(
    engine: &str,
    code: &str,
    kept: &DeletedNote,
) -> Result<Change<'static>, StoreError> {
    let key = index::deleted_key(engine, code);
    Ok(Change::Put(key, serde_json::to_vec(kept)?.into()))
}

impl<E: Entries> Store for EmbeddedStore<E> {
    fn url_secret(&self, initial: &[u8]) -> Result<Vec<u8>, StoreError> {
        let _writing = lock(&self.writing);
        if let Some(secret) = self.entries.get(URL_SECRET_KEY)? {
            return Ok(secret);
        }
        self.commit(vec![Change::Put(URL_SECRET_KEY.into(), initial.into())])?;
        Ok(initial.to_vec())
    }

    fn get(&self, code: &str) -> Result<Option<Record>, StoreError> {
        index::read(&self.entries, code)
    }

    fn find_by_idempotency_key(&self, key: &str) -> Result<Option<Record>, StoreError> {
        match self.entries.get(&index::idempotency_key(key))? {
            Some(code) => self.get(str::from_utf8(&code)?),
            None => Ok(None),
        }
    }

    fn list(&self, client: Option<&str>, page: Page) -> Result<Vec<Record>, StoreError> {
        let prefix = match client {
            Some(client) => index::client_prefix(Some(client)),
            None => AGE_PREFIX.to_owned(),
        };
        let range = index::prefix_range(&prefix);
        let mut left = page.offset;
        let mut codes = Vec::new();
        let range = &*range.start..&*range.end;
        self.entries.scan(range, Order::Descending, &mut |key, _| {
            if codes.len() >= page.limit {
                return ControlFlow::Break(());
            }
            match left.checked_sub(1) {
                Some(rest) => left = rest,
                None => codes.push(index::code_of(key).to_owned()),
            }
            ControlFlow::Continue(())
        })?;
        let mut records = Vec::new();
        for code in codes {
            // A session may be deleted meanwhile.
            records.extend(self.get(&code)?);
        }
        Ok(records)
    }

    fn file(&self, code: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.entries.get(&index::file_key(code, name))
    }

    fn engine_notes_except(&self, engine: &str, code: &str) -> Result<Vec<String>, StoreError> {
        let range = index::prefix_range(&index::note_prefix(engine));
        let mut notes = index::collect(&self.entries, range, usize::MAX, |key, note| {
            let note = String::from_utf8(note.to_vec())?;
            Ok((index::code_of(key) != code).then_some(note))
        })?;
        let deleted = self.deleted_jobs(engine)?.into_iter();
        let deleted = deleted.filter(|(other, _)| other != code);
        notes.extend(deleted.map(|(_, kept)| kept.note.text));
        Ok(notes)
    }

    fn write(&self, write: &Write) -> Result<(), WriteError> {
        let _writing = lock(&self.writing);
        let stored = self.get(&write.record.code)?;
        match (write.kind, &stored) {
            (WriteKind::Insert, None) => {}
            (WriteKind::Update, Some(stored)) if stored.version == write.record.version => {}
            _ => return Err(WriteError::Conflict),
        }
        let mut record = write.record.clone();
        record.version += 1;
        let mut changes = self.replace(stored.as_ref(), &record)?;
        let client = record.client.as_deref();
        if let Some(limit) = write.queue_limit
            && self.state().queue(client).is_full(limit)
        {
            return Err(WriteError::QueueFull);
        }
        if let Some(Charge { price, limit, now }) = write.charge {
            let mut usage = self.usage()?;
            usage.charge(client, price, limit, now)?;
            let usage = serde_json::to_vec(&usage).map_err(StoreError::from)?;
            changes.push(Change::Put(USAGE_KEY.into(), usage.into()));
        }
        let expired = match write.cleanup {
            Some(Cleanup { retention, now }) => {
                let bytes = record.total_bytes();
                retention.expired(self, Incoming { client, bytes }, now)?
            }
            None => Vec::new(),
        };
        let file_key = |name: &str| index::file_key(&record.code, name);
        let removed = write.files.remove.iter();
        changes.extend(removed.map(|name| Change::Remove(file_key(name))));
        let put = write.files.put.iter();
        changes.extend(put.map(|(name, bytes)| Change::Put(file_key(name), bytes.into())));
        self.commit_without(&expired, changes)?;
        let mut state = self.state();
        if let Some(stored) = stored {
            state.remove(&stored);
        }
        state.insert(&record);
        Ok(())
    }

    fn delete(&self, code: &str, jobs: DeletedJobs) -> Result<Option<Record>, StoreError> {
        let _writing = lock(&self.writing);
        let Some(record) = self.get(code)? else {
            return Ok(None);
        };
        let kept = match jobs {
            DeletedJobs::Forget => None,
            DeletedJobs::Keep => record.deleted_note(),
        };
        let kept = kept.map(|kept| put_deleted(&record.engine, code, &kept));
        let changes = kept.transpose()?.into_iter().collect();
        self.commit_without(&[code.to_owned()], changes)?;
        Ok(Some(record))
    }

    fn deleted_jobs(&self, engine: &str) -> Result<Vec<(String, DeletedNote)>, StoreError> {
        let range = index::prefix_range(&index::deleted_prefix(engine));
        index::collect(&self.entries, range, usize::MAX, |key, value| {
            let code = index::code_of(key).to_owned();
            Ok(Some((code, serde_json::from_slice(value)?)))
        })
    }

    fn update_deleted_job(&self, engine: &str, job: &JobId, note: &str) -> Result<(), StoreError> {
        self.change_deleted_job(engine, job, |kept| note.clone_into(&mut kept.note.text))
    }

    fn end_deleted_job(&self, engine: &str, job: &JobId) -> Result<(), StoreError> {
        self.change_deleted_job(engine, job, |kept| kept.is_ended = true)
    }

    fn forget_deleted_job(&self, engine: &str, job: &JobId) -> Result<(), StoreError> {
        let _writing = lock(&self.writing);
        self.commit(vec![Change::Remove(index::deleted_key(engine, &job.code))])
    }

    fn delete_expired(&self, retention: &Retention, now: Millis) -> Result<(), StoreError> {
        let _writing = lock(&self.writing);
        let expired = retention.expired_now(self, now)?;
        match expired.is_empty() {
            true => Ok(()),
            false => self.commit_without(&expired, Vec::new()),
        }
    }

    fn claim(&self, kind: JobKind, now: Millis) -> Result<Option<Claim>, StoreError> {
        Ok(self.state().claim(kind, now))
    }

    fn release(&self, job: &JobId) {
        self.state().release(job);
    }

    fn is_next(&self, job: &JobId) -> Result<bool, StoreError> {
        Ok(self.state().is_next(job))
    }

    fn next_due(&self, kind: JobKind) -> Result<Option<Millis>, StoreError> {
        Ok(self.state().next_due(kind))
    }

    fn queue(&self, client: Option<&str>) -> Result<QueueState, StoreError> {
        Ok(self.state().queue(client))
    }

    fn summary(&self) -> Result<Summary, StoreError> {
        let usage = self.usage()?;
        let state = self.state();
        Ok(Summary {
            sessions: state.session_count(),
            jobs: state.job_counts(),
            usage,
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        if !self.has_failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let _writing = lock(&self.writing);
        self.commit(vec![Change::Put(PROBE_KEY.into(), [].as_slice().into())])?;
        // A commit that failed may have been written nevertheless.
        self.state().reload(&self.entries)
    }
}

impl<E: Entries> Inventory for EmbeddedStore<E> {
    fn clients(&self) -> Vec<ClientBytes> {
        self.state().client_bytes()
    }

    fn created_before(&self, time: Millis) -> Result<Vec<Deletable>, StoreError> {
        let range = AGE_PREFIX.to_owned()..format!("{AGE_PREFIX}{}", index::age_key(time, ""));
        index::collect(&self.entries, range, usize::MAX, |key, value| {
            let Aged { client, bytes } = serde_json::from_slice(value)?;
            Ok(self.deletable(key, client, bytes))
        })
    }

    fn oldest(
        &self,
        client: Option<&str>,
        after: Option<&Deletable>,
    ) -> Result<Vec<Deletable>, StoreError> {
        let prefix = index::client_prefix(client);
        let mut range = index::prefix_range(&prefix);
        if let Some(after) = after {
            // The first key that follows.
            let age = index::age_key(after.created_at, &after.code);
            range.start = format!("{prefix}{age}\0");
        }
        index::collect(&self.entries, range, DELETION_BATCH, |key, value| {
            let client = client.map(str::to_owned);
            Ok(self.deletable(key, client, serde_json::from_slice(value)?))
        })
    }
}
