//! All sessions: their records at hand, and every change of them stored before it is seen.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use crate::files;
use crate::record::{Once, Piece, Record};
use crate::store::{Change, Store, StoreError};
use crate::{Millis, lock};

/// A file of a session by its name.
pub type File = (String, Vec<u8>);

/// What becomes of a session's files.
#[derive(Default)]
pub struct Files {
    pub put: Vec<File>,
    pub remove: Vec<String>,
}

/// What is kept of old sessions. The newest session is always kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Sessions that are older are deleted, in milliseconds.
    pub age: Millis,
    /// The oldest sessions are deleted while all pictures and results together are larger, in
    /// bytes.
    pub bytes: u64,
}

pub struct Sessions {
    store: Box<dyn Store>,
    keep: Keep,
    /// How many sessions may have work before them.
    queue: usize,
    index: Mutex<Index>,
    /// Held from reading a record to having stored what became of it. Who only reads does not
    /// wait for it.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Index {
    records: HashMap<String, Record>,
    by_age: BTreeSet<(Millis, String)>,
    /// Those that have work before them.
    open: BTreeSet<(Millis, String)>,
    /// Which session a request's key belongs to.
    once: HashMap<String, String>,
}

/// What became of a session that was to be added.
pub enum Added {
    New(Record),
    /// The request had been answered before, with this session.
    Before(Record),
    /// The key had come with another request.
    Taken,
    /// As many sessions have work before them as may.
    Full,
}

impl Sessions {
    /// The sessions that the store holds.
    pub fn open(
        store: Box<dyn Store>,
        keep: Keep,
        queue: usize,
        now: Millis,
    ) -> Result<Self, StoreError> {
        let mut index = Index::default();
        for bytes in store.with_prefix(&record_key(""))? {
            index.insert(serde_json::from_slice(&bytes)?);
        }
        let sessions = Self {
            store,
            keep,
            queue,
            index: Mutex::new(index),
            writing: Mutex::default(),
        };
        let old = sessions.old(0, now);
        sessions.commit_without(&old, Vec::new())?;
        Ok(sessions)
    }

    pub fn get(&self, code: &str) -> Option<Record> {
        self.index().records.get(code).cloned()
    }

    /// The newest first.
    pub fn list(&self, limit: usize, page: usize) -> Vec<Record> {
        let index = self.index();
        let newest = index.by_age.iter().rev();
        let shown = newest.skip(limit.saturating_mul(page)).take(limit);
        shown
            .filter_map(|(_, code)| index.records.get(code).cloned())
            .collect()
    }

    /// Whether the session's next piece of work is this one.
    pub fn wants(&self, piece: &Piece) -> bool {
        let index = self.index();
        let record = index.records.get(&piece.code);
        record.and_then(Record::next_piece).as_ref() == Some(piece)
    }

    /// Reads the sessions that have work before them, the oldest first.
    pub fn with_open<T>(&self, read: impl FnOnce(&mut dyn Iterator<Item = &Record>) -> T) -> T {
        let index = self.index();
        let open = index.open.iter();
        read(&mut open.filter_map(|(_, code)| index.records.get(code)))
    }

    /// Whether no session more may have work before it.
    pub fn is_full(&self) -> bool {
        self.index().open.len() >= self.queue
    }

    /// What became of an earlier request with the same key.
    pub fn before(&self, once: Option<&Once>) -> Option<Added> {
        let once = once?;
        let index = self.index();
        let record = index.records.get(index.once.get(&once.key)?)?;
        Some(if record.once.contains(once) {
            Added::Before(record.clone())
        } else {
            Added::Taken
        })
    }

    /// Names a session and stores it, with its picture where it has one.
    pub fn add(
        &self,
        mut record: Record,
        picture: Option<Vec<u8>>,
        once: Option<Once>,
        mut random: fastrand::Rng,
    ) -> Result<Added, StoreError> {
        let _writing = self.writing();
        // Asked again where nobody else writes: two such requests may have come at once.
        if let Some(before) = self.before(once.as_ref()) {
            return Ok(before);
        }
        if self.is_full() {
            return Ok(Added::Full);
        }
        let now = record.created;
        record.code = loop {
            let code = format!("SESSION_{}_{:07}", now / 1000, random.u32(0..10_000_000));
            if self.get(&code).is_none() {
                break code;
            }
        };
        record.id = format!("{:08x}{:016x}", now / 1000, random.u64(..));
        record.once.extend(once);
        let mut changes = Vec::new();
        if let Some(bytes) = picture {
            record.picture_bytes = bytes.len() as u64;
            changes.push(Change::Put(file_key(&record.code, files::IMAGE), bytes));
        }
        changes.push(put(&record)?);
        let old = self.old(record.bytes(), now);
        self.commit_without(&old, changes)?;
        self.index().insert(record.clone());
        Ok(Added::New(record))
    }

    /// Changes a session as it is now, and stores it with what becomes of its files. `change`
    /// answers whether there is anything to store. `None` where there is no such session any more.
    pub fn change<T, E>(
        &self,
        code: &str,
        files: Files,
        change: impl FnOnce(&mut Record) -> Result<T, E>,
    ) -> Result<Option<Result<T, E>>, StoreError> {
        let _writing = self.writing();
        let Some(mut record) = self.get(code) else {
            return Ok(None);
        };
        let changed = match change(&mut record) {
            Ok(changed) => changed,
            Err(refused) => return Ok(Some(Err(refused))),
        };
        let mut changes = vec![put(&record)?];
        let (put, remove) = (files.put.into_iter(), files.remove.into_iter());
        changes.extend(remove.map(|name| Change::Remove(file_key(code, &name))));
        changes.extend(put.map(|(name, bytes)| Change::Put(file_key(code, &name), bytes)));
        self.store.commit(changes)?;
        self.index().insert(record);
        Ok(Some(Ok(changed)))
    }

    pub fn file(&self, code: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&file_key(code, name))
    }

    /// The sessions that have to go where so many bytes come.
    fn old(&self, coming: u64, now: Millis) -> Vec<String> {
        let index = self.index();
        let sizes = index.records.values().map(Record::bytes);
        let mut bytes = coming + sizes.sum::<u64>();
        let mut old = Vec::new();
        for (created, code) in &index.by_age {
            let too_old = created.saturating_add(self.keep.age) < now;
            if !too_old && bytes <= self.keep.bytes {
                break;
            }
            bytes -= index.records.get(code).map_or(0, Record::bytes);
            old.push(code.clone());
        }
        old
    }

    /// Makes the changes, and deletes the old sessions with them.
    fn commit_without(&self, old: &[String], mut changes: Vec<Change>) -> Result<(), StoreError> {
        for code in old {
            changes.push(Change::Remove(record_key(code)));
            let names = files::stored();
            changes.extend(names.map(|name| Change::Remove(file_key(code, &name))));
        }
        self.store.commit(changes)?;
        let mut index = self.index();
        for code in old {
            index.remove(code);
        }
        Ok(())
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
        for once in &record.once {
            self.once.insert(once.key.clone(), record.code.clone());
        }
        let place = (record.created, record.code.clone());
        match record.next_piece() {
            Some(_) => self.open.insert(place.clone()),
            None => self.open.remove(&place),
        };
        self.by_age.insert(place);
        self.records.insert(record.code.clone(), record);
    }

    fn remove(&mut self, code: &str) {
        if let Some(record) = self.records.remove(code) {
            for once in record.once {
                self.once.remove(&once.key);
            }
            let place = (record.created, record.code);
            self.open.remove(&place);
            self.by_age.remove(&place);
        }
    }
}

fn put(record: &Record) -> Result<Change, StoreError> {
    let bytes = serde_json::to_vec(record)?;
    Ok(Change::Put(record_key(&record.code), bytes))
}

fn record_key(code: &str) -> String {
    format!("session/{code}")
}

fn file_key(code: &str, name: &str) -> String {
    format!("file/{code}/{name}")
}
