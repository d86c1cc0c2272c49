//! The sessions, with the limits that apply to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Millis;
use crate::files;
use crate::idempotency::IdempotencyRecord;
use crate::metrics::{EngineMetrics, Metrics};
use crate::quota::{Cents, DailyLimit};
use crate::record::Record;
use crate::retention::Retention;
use crate::store::{
    Charge, Cleanup, DeletedJobs, FileChanges, Page, QueueLimit, QueueState, Store, StoreError,
    Write, WriteError, WriteKind,
};

/// The limits of all sessions.
#[derive(Clone, Copy)]
pub struct Limits {
    pub retention: Retention,
    pub queue: QueueLimit,
    pub daily: DailyLimit,
}

pub struct Sessions {
    pub store: Arc<dyn Store>,
    limits: Limits,
}

/// A session to add.
pub struct Addition {
    pub record: Record,
    /// The image file, unless it still has to be downloaded.
    pub image: Option<Vec<u8>>,
    /// The caller's mask.
    pub mask: Option<Vec<u8>>,
    pub idempotency: Option<IdempotencyRecord>,
    /// The list price of the session's model, if it is charged to the daily limit.
    pub price: Option<Cents>,
    /// The source of the session's code and id.
    pub random: fastrand::Rng,
}

/// What is stored together with a changed session.
#[derive(Default)]
pub struct Change {
    pub files: FileChanges,
    /// The stage that the caller starts, if the change does that.
    pub start: Option<Start>,
}

/// A stage that a caller starts. Needs room in the queue.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The list price of a model, if one is charged to the daily limit.
    pub price: Option<Cents>,
    pub now: Millis,
}

/// Why the session of an earlier request is not returned.
pub enum ReplayError {
    /// The idempotency key was used for a different request.
    KeyReused,
    Store(StoreError),
}

impl From<StoreError> for ReplayError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a session is not added.
pub enum AddError {
    Replay(ReplayError),
    Write(WriteError),
}

impl From<ReplayError> for AddError {
    fn from(error: ReplayError) -> Self {
        Self::Replay(error)
    }
}

/// Why a session is not changed.
pub enum UpdateError<E> {
    /// There is no such session.
    NotFound,
    /// The change was rejected.
    Rejected(E),
    Write(WriteError),
}

impl<E> From<StoreError> for UpdateError<E> {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl Sessions {
    /// Opens the sessions of a store, and deletes those that have expired.
    pub fn open(store: Box<dyn Store>, limits: Limits, now: Millis) -> Result<Self, StoreError> {
        let sessions = Self {
            store: store.into(),
            limits,
        };
        sessions.delete_expired(now)?;
        Ok(sessions)
    }

    /// Deletes the sessions that have expired.
    pub fn delete_expired(&self, now: Millis) -> Result<(), StoreError> {
        self.store.delete_expired(&self.limits.retention, now)
    }

    /// Deletes a session of a client with its files. Returns its last record, or `None` if there was no
    /// such session.
    pub fn delete(
        &self,
        code: &str,
        client: Option<&str>,
        jobs: DeletedJobs,
    ) -> Result<Option<Record>, StoreError> {
        let record = self.get(code)?;
        match record.filter(|record| record.belongs_to(client)) {
            Some(_) => self.store.delete(code, jobs),
            None => Ok(None),
        }
    }

    /// Returns the metrics of the sessions and jobs.
    pub fn metrics(&self, now: Millis) -> Result<Metrics, StoreError> {
        let summary = self.store.summary()?;
        let jobs = summary.jobs.into_iter().map(|(engine, count)| {
            let metrics = EngineMetrics {
                waiting: count.waiting,
                running: count.running,
                queue_age: count
                    .oldest_waiting
                    .map_or(0, |due| now.saturating_sub(due)),
                ..EngineMetrics::default()
            };
            (engine, metrics)
        });
        let engines: BTreeMap<_, _> = jobs.collect();
        let pending = engines.values().map(|jobs| jobs.waiting + jobs.running);
        Ok(Metrics {
            sessions: summary.sessions,
            pending: pending.sum(),
            paid_today: summary.usage.count(now),
            paid_cents_today: summary.usage.cents(now),
            paid_today_by_client: summary.usage.count_by_client(now),
            paid_daily_limit: self.limits.daily.total,
            paid_daily_limit_cents: self.limits.daily.cents,
            engines,
            ..Metrics::default()
        })
    }

    pub fn get(&self, code: &str) -> Result<Option<Record>, StoreError> {
        self.store.get(code)
    }

    /// Returns a page of the sessions of a client, or of all sessions; the newest first.
    pub fn list(&self, client: Option<&str>, page: Page) -> Result<Vec<Record>, StoreError> {
        self.store.list(client, page)
    }

    pub fn file(&self, code: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.file(code, name)
    }

    /// Returns the queue if there is no room for another session of the client.
    pub fn full_queue(&self, client: Option<&str>) -> Result<Option<QueueState>, StoreError> {
        let queue = self.store.queue(client)?;
        Ok(queue.is_full(self.limits.queue).then_some(queue))
    }

    /// Returns the session of an earlier request with the same idempotency key, or `None` if there
    /// was no such request.
    ///
    /// # Errors
    /// Fails if the key was used for a different request.
    pub fn find_replay(
        &self,
        idempotency: Option<&IdempotencyRecord>,
    ) -> Result<Option<Record>, ReplayError> {
        let Some(idempotency) = idempotency else {
            return Ok(None);
        };
        let record = self.store.find_by_idempotency_key(&idempotency.key)?;
        match record {
            Some(record) if record.idempotency.contains(idempotency) => Ok(Some(record)),
            Some(_) => Err(ReplayError::KeyReused),
            None => Ok(None),
        }
    }

    /// Names a session and stores it with its image and its charge. Returns the stored record, or
    /// that of an earlier request with the same idempotency key. `url_token` derives the token of
    /// the file URLs from the session's code and id.
    pub fn add(
        &self,
        addition: Addition,
        url_token: impl Fn(&str) -> Option<String>,
    ) -> Result<Record, AddError> {
        let Addition {
            mut record,
            image,
            mask,
            idempotency,
            price,
            mut random,
        } = addition;
        let now = record.created_at;
        let size = |file: &Option<Vec<u8>>| file.as_ref().map_or(0, |bytes| bytes.len() as u64);
        record.image_bytes = size(&image);
        record.cutout.mask_bytes = size(&mask);
        let files = [(files::IMAGE, image), (files::MASK, mask)];
        let files = FileChanges {
            put: (files.into_iter())
                .filter_map(|(name, file)| Some((name.to_owned(), file?)))
                .collect(),
            remove: Vec::new(),
        };
        record.idempotency.extend(idempotency.clone());
        loop {
            record.code = format!("SESSION_{}_{:07}", now / 1000, random.u32(0..10_000_000));
            record.id = format!("{:08x}{:016x}", now / 1000, random.u64(..));
            record.url_token = url_token(&format!("{} {}", record.code, record.id));
            let written = self.store.write(&Write {
                kind: WriteKind::Insert,
                record: &record,
                files: &files,
                queue_limit: Some(self.limits.queue),
                charge: price.map(|price| self.charge(price, now)),
                cleanup: Some(Cleanup {
                    retention: self.limits.retention,
                    now,
                }),
            });
            match written {
                Ok(()) => return Ok(record),
                // The code is used already.
                Err(WriteError::Conflict) => {}
                // Two equal requests may arrive at the same time.
                Err(WriteError::IdempotencyKeyTaken) => {
                    if let Some(replay) = self.find_replay(idempotency.as_ref())? {
                        return Ok(replay);
                    }
                }
                Err(error) => return Err(AddError::Write(error)),
            }
        }
    }

    /// Changes the newest record of a session, and stores it together with what belongs to the change.
    /// Stores nothing if `change` fails. `change` is called again if the session is changed meanwhile.
    pub fn update<T, E>(
        &self,
        code: &str,
        Change { files, start }: &Change,
        mut change: impl FnMut(&mut Record) -> Result<T, E>,
    ) -> Result<T, UpdateError<E>> {
        let charge = start.and_then(|start| Some(self.charge(start.price?, start.now)));
        loop {
            let mut record = self.get(code)?.ok_or(UpdateError::NotFound)?;
            let changed = change(&mut record).map_err(UpdateError::Rejected)?;
            let written = self.store.write(&Write {
                kind: WriteKind::Update,
                record: &record,
                files,
                queue_limit: start.map(|_| self.limits.queue),
                charge,
                cleanup: None,
            });
            match written {
                Ok(()) => return Ok(changed),
                // `change` finds the session that has the key.
                Err(WriteError::Conflict | WriteError::IdempotencyKeyTaken) => {}
                Err(error) => return Err(UpdateError::Write(error)),
            }
        }
    }

    fn charge(&self, price: Cents, now: Millis) -> Charge {
        Charge {
            price,
            limit: self.limits.daily,
            now,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use contract::Parameters;

    use super::*;
    use crate::record::NewSession;
    use crate::stage::{Pace, Stage};
    use crate::store::MemoryStore;

    fn open() -> Sessions {
        let limits = Limits {
            retention: Retention {
                max_age: Millis::MAX,
                max_bytes: u64::MAX,
                max_bytes_per_client: None,
            },
            queue: QueueLimit {
                total: 9,
                per_client: 9,
            },
            daily: DailyLimit::default(),
        };
        let store = Box::new(MemoryStore::default());
        Sessions::open(store, limits, 0).unwrap_or_else(|error| panic!("{error}"))
    }

    fn add(sessions: &Sessions, seed: u64) -> String {
        let session = NewSession {
            parameters: Parameters::default(),
            engine: "sculpt".into(),
            first_stage: Stage::Preview,
            fault: None,
            client: None,
            image_url: None,
            cutout: contract::CutoutChoice::Auto,
            shape: contract::ShapeChoice::Auto,
            ignored: Vec::new(),
        };
        let addition = Addition {
            record: Record::new(session, 0, Pace { speed: 1.0 }),
            image: None,
            mask: None,
            idempotency: None,
            price: None,
            random: fastrand::Rng::with_seed(seed),
        };
        let added = sessions.add(addition, |_| None);
        added.map(|record| record.code).unwrap_or_default()
    }

    #[test]
    fn changes_the_newest_record() {
        let sessions = open();
        let code = add(&sessions, 0);
        let mut calls = 0;
        let changed = sessions.update(&code, &Change::default(), |record| {
            calls += 1;
            if calls == 1 {
                let other = sessions.update(&code, &Change::default(), |record| {
                    record.selected_spin = 3;
                    Ok::<_, Infallible>(())
                });
                assert!(other.is_ok());
            }
            record.image_bytes = 7;
            Ok::<_, Infallible>(record.selected_spin)
        });
        assert!(matches!(changed, Ok(3)));
        let stored = sessions.get(&code).unwrap().unwrap();
        assert_eq!((stored.selected_spin, stored.image_bytes), (3, 7));
        assert_eq!((calls, stored.version), (2, 3));
    }

    #[test]
    fn names_no_two_sessions_alike() {
        let sessions = open();
        let codes = [add(&sessions, 0), add(&sessions, 0)];
        assert_ne!(codes[0], codes[1]);
        assert!(codes.iter().all(|code| !code.is_empty()));
    }
}
