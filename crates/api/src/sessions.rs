//! All sessions: their records at hand, and every change of them stored before it is seen.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use crate::files;
use crate::metrics::Metrics;
use crate::money::{DailyLimit, Purse, SPENT, Spent};
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
pub struct Retention {
    /// Sessions that are older are deleted, in milliseconds.
    pub max_age: Millis,
    /// The oldest sessions are deleted while all pictures and results together are larger, in
    /// bytes.
    pub max_bytes: u64,
}

/// How much there may be.
pub struct Limits {
    pub keep: Retention,
    /// How many sessions may have work before them.
    pub queue: usize,
    /// How many of one client.
    pub queue_each: usize,
    pub daily: DailyLimit,
}

pub struct Sessions {
    store: Box<dyn Store>,
    limits: Limits,
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
    /// What was spent on the newest day.
    spent: Spent,
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
    /// Nothing more may be spent today, in words.
    Spent(String),
}

impl Sessions {
    /// The sessions that the store holds.
    pub fn open(store: Box<dyn Store>, limits: Limits, now: Millis) -> Result<Self, StoreError> {
        let mut index = Index::default();
        for bytes in store.scan_prefix(&record_key(""))? {
            index.insert(serde_json::from_slice(&bytes)?);
        }
        if let Some(bytes) = store.get(SPENT)? {
            index.spent = serde_json::from_slice(&bytes)?;
        }
        let sessions = Self {
            store,
            limits,
            index: Mutex::new(index),
            writing: Mutex::default(),
        };
        let old = sessions.old(0, now);
        sessions.commit_without(&old, Vec::new())?;
        Ok(sessions)
    }

    /// All that is known here.
    pub fn metrics(&self, now: Millis) -> Metrics {
        let index = self.index();
        Metrics {
            sessions: index.records.len(),
            pending: index.open.len(),
            paid_today: index.spent.count(now),
            paid_daily_limit: self.limits.daily.total,
            ..Metrics::default()
        }
    }

    pub fn get(&self, code: &str) -> Option<Record> {
        self.index().records.get(code).cloned()
    }

    /// Those of a client, or all of them; the newest first.
    pub fn list(&self, client: Option<&str>, limit: usize, page: usize) -> Vec<Record> {
        let index = self.index();
        let newest = index.by_age.iter().rev();
        let newest = newest.filter_map(|(_, code)| index.records.get(code));
        let own = newest.filter(|record| record.is_of(client));
        let shown = own.skip(limit.saturating_mul(page)).take(limit);
        shown.cloned().collect()
    }

    /// What was last written down for each session of an engine but this one.
    pub fn notes(&self, engine: &str, but: &str) -> Vec<String> {
        let index = self.index();
        let others = index.records.values();
        let others = others.filter(|record| record.engine == engine && record.code != but);
        let notes = others.filter_map(Record::last_note);
        notes.map(str::to_owned).collect()
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

    /// Whether no session more, of this client, may have work before it.
    pub fn is_full(&self, client: Option<&str>) -> bool {
        let all = self.index().open.len() >= self.limits.queue;
        let own = |records: &mut dyn Iterator<Item = &Record>| {
            records.filter(|record| record.is_of(client)).count()
        };
        all || (client.is_some() && self.with_open(own) >= self.limits.queue_each)
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

    /// Names a session and stores it, with its picture where it has one. It is paid for with it where
    /// a model that costs money is asked for.
    pub fn add(
        &self,
        mut record: Record,
        picture: Option<Vec<u8>>,
        once: Option<Once>,
        is_paid: bool,
        mut random: fastrand::Rng,
        ticket: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Added, StoreError> {
        let _writing = self.writing();
        // Asked again where nobody else writes: two such requests may have come at once.
        if let Some(before) = self.before(once.as_ref()) {
            return Ok(before);
        }
        let client = record.client.clone();
        if self.is_full(client.as_deref()) {
            return Ok(Added::Full);
        }
        let now = record.created;
        let mut changes = Vec::new();
        let mut purse = self.purse();
        if is_paid && let Err(words) = purse.pay(client.as_deref(), now) {
            return Ok(Added::Spent(words));
        }
        changes.extend(purse.change()?);
        record.code = loop {
            let code = format!("SESSION_{}_{:07}", now / 1000, random.u32(0..10_000_000));
            if self.get(&code).is_none() {
                break code;
            }
        };
        record.id = format!("{:08x}{:016x}", now / 1000, random.u64(..));
        record.ticket = ticket(&format!("{} {}", record.code, record.id));
        record.once.extend(once);
        if let Some(bytes) = picture {
            record.picture_bytes = bytes.len() as u64;
            changes.push(Change::Put(file_key(&record.code, files::IMAGE), bytes));
        }
        changes.push(put(&record)?);
        let old = self.old(record.bytes(), now);
        self.commit_without(&old, changes)?;
        let mut index = self.index();
        index.spent = purse.into_spent();
        index.insert(record.clone());
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
        self.change_and_pay(code, files, |record, _| change(record))
    }

    /// As [`Sessions::change`], where the change may cost money: what `change` pays is stored with
    /// it.
    pub fn change_and_pay<T, E>(
        &self,
        code: &str,
        files: Files,
        change: impl FnOnce(&mut Record, &mut Purse) -> Result<T, E>,
    ) -> Result<Option<Result<T, E>>, StoreError> {
        let _writing = self.writing();
        let Some(mut record) = self.get(code) else {
            return Ok(None);
        };
        let mut purse = self.purse();
        let changed = match change(&mut record, &mut purse) {
            Ok(changed) => changed,
            Err(refused) => return Ok(Some(Err(refused))),
        };
        let mut changes = vec![put(&record)?];
        changes.extend(purse.change()?);
        let (put, remove) = (files.put.into_iter(), files.remove.into_iter());
        changes.extend(remove.map(|name| Change::Remove(file_key(code, &name))));
        changes.extend(put.map(|(name, bytes)| Change::Put(file_key(code, &name), bytes)));
        self.store.commit(changes)?;
        let mut index = self.index();
        index.spent = purse.into_spent();
        index.insert(record);
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
            let too_old = created.saturating_add(self.limits.keep.max_age) < now;
            if !too_old && bytes <= self.limits.keep.max_bytes {
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

    /// To be opened where nobody else writes.
    fn purse(&self) -> Purse {
        Purse::new(self.limits.daily, self.index().spent.clone())
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
