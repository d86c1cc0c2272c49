//! The keys of an [`EmbeddedStore`](super::EmbeddedStore), and the index entries of a session.
//!
//! | key | value |
//! | --- | --- |
//! | `session/CODE` | the record, as JSON |
//! | `file/CODE/NAME` | a file |
//! | `age/CREATED/CODE` | an [`Aged`], as JSON |
//! | `own/CLIENT/CREATED/CODE` | the session's bytes, as JSON |
//! | `pending/CODE` | nothing; the session has pending work |
//! | `once/KEY` | the code of the session that the idempotency key created or changed |
//! | `note/ENGINE/CODE` | the latest note of the engine |
//! | `deleted/ENGINE/CODE` | the note of a job whose session was deleted, as JSON |
//!
//! `CREATED` has 20 digits, so that keys are ordered by time. `CLIENT` and `ENGINE` are preceded by their
//! length, because they may contain slashes.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

use serde::{Deserialize, Serialize};

use super::entries::{Change, Entries, Order};
use super::error::StoreError;
use crate::clock::Millis;
use crate::files;
use crate::record::Record;

/// The key of the secret from which the tokens in file URLs are derived.
pub const URL_SECRET_KEY: &str = "secret";
/// The key of the daily usage.
pub const USAGE_KEY: &str = "spent";
/// The key of an entry that only tells whether entries can be written.
pub const PROBE_KEY: &str = "probe";
/// The key of the [`INDEX_VERSION`]. Earlier versions stored no index.
const INDEX_VERSION_KEY: &str = "index_version";
const INDEX_VERSION: &[u8] = b"1";
/// The number of sessions that are indexed in one commit.
const BATCH: usize = 1000;

pub const SESSION_PREFIX: &str = "session/";
pub const AGE_PREFIX: &str = "age/";
pub const PENDING_PREFIX: &str = "pending/";

/// The value of an entry `age/CREATED/CODE`.
#[derive(Serialize, Deserialize)]
pub struct Aged {
    pub client: Option<String>,
    pub bytes: u64,
}

pub fn session_key(code: &str) -> String {
    format!("{SESSION_PREFIX}{code}")
}

pub fn file_key(code: &str, name: &str) -> String {
    format!("file/{code}/{name}")
}

pub fn idempotency_key(key: &str) -> String {
    format!("once/{key}")
}

/// Returns the prefix of the sessions of a client.
pub fn client_prefix(client: Option<&str>) -> String {
    let client = client.unwrap_or_default();
    format!("own/{}:{client}/", client.len())
}

/// Returns the prefix of the notes of an engine.
pub fn note_prefix(engine: &str) -> String {
    format!("note/{}:{engine}/", engine.len())
}

/// Returns the prefix of the jobs of an engine whose sessions were deleted.
pub fn deleted_prefix(engine: &str) -> String {
    format!("deleted/{}:{engine}/", engine.len())
}

/// Returns the key of a job whose session was deleted.
pub fn deleted_key(engine: &str, code: &str) -> String {
    format!("{}{code}", deleted_prefix(engine))
}

/// Returns the end of a key that orders sessions by their age.
pub fn age_key(created_at: Millis, code: &str) -> String {
    format!("{created_at:020}/{code}")
}

/// Returns the time of creation and the code at the end of a key that orders sessions by their age.
pub fn parse_age(key: &str) -> Option<(Millis, &str)> {
    let mut parts = key.rsplit('/');
    let code = parts.next()?;
    Some((parts.next()?.parse().ok()?, code))
}

/// Returns the code of a session at the end of a key.
pub fn code_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

/// Returns the range of the keys that start with a prefix, which ends with a slash.
pub fn prefix_range(prefix: &str) -> Range<String> {
    // `0` follows `/` in ASCII.
    let end = format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix));
    prefix.to_owned()..end
}

/// Collects what `select` returns for the entries in a range, at most `limit` values.
pub fn collect<T>(
    entries: &dyn Entries,
    range: Range<String>,
    limit: usize,
    mut select: impl FnMut(&str, &[u8]) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    let mut failure = None;
    let range = &*range.start..&*range.end;
    entries.scan(range, Order::Ascending, &mut |key, value| {
        match select(key, value) {
            Ok(selected) => found.extend(selected),
            Err(error) => failure = Some(error),
        }
        match failure.is_some() || found.len() >= limit {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    failure.map_or(Ok(found), Err)
}

/// Returns the codes of the sessions at the end of the keys that start with a prefix.
pub fn codes(entries: &dyn Entries, prefix: &str) -> Result<Vec<String>, StoreError> {
    let range = prefix_range(prefix);
    collect(entries, range, usize::MAX, |key, _| {
        Ok(Some(code_of(key).to_owned()))
    })
}

/// Returns the entry of a record with all its index entries.
pub fn entries_of(record: &Record) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let code = record.code.as_str();
    let age = age_key(record.created_at, code);
    let bytes = record.total_bytes();
    let client = record.client.clone();
    let own = client_prefix(client.as_deref());
    let mut entries = BTreeMap::from([
        (session_key(code), serde_json::to_vec(record)?),
        (
            format!("{AGE_PREFIX}{age}"),
            serde_json::to_vec(&Aged { client, bytes })?,
        ),
        (format!("{own}{age}"), serde_json::to_vec(&bytes)?),
    ]);
    if record.next_job().is_some() {
        entries.insert(format!("{PENDING_PREFIX}{code}"), Vec::new());
    }
    for idempotency in &record.idempotency {
        entries.insert(idempotency_key(&idempotency.key), code.into());
    }
    if let Some(note) = record.latest_engine_note() {
        let prefix = note_prefix(&record.engine);
        entries.insert(format!("{prefix}{code}"), note.into());
    }
    Ok(entries)
}

/// Returns the changes that delete a session with its files.
pub fn deletion(record: &Record) -> Result<Vec<Change<'static>>, StoreError> {
    let keys = entries_of(record)?.into_keys();
    let files = files::stored_names().map(|name| file_key(&record.code, &name));
    Ok(keys.chain(files).map(Change::Remove).collect())
}

/// Indexes the sessions of a version that stored no index.
pub fn build(entries: &dyn Entries) -> Result<(), StoreError> {
    if entries.get(INDEX_VERSION_KEY)?.as_deref() == Some(INDEX_VERSION) {
        return Ok(());
    }
    for codes in codes(entries, SESSION_PREFIX)?.chunks(BATCH) {
        let mut changes = Vec::new();
        for code in codes {
            if let Some(record) = read(entries, code)? {
                let indexed = entries_of(&record)?.into_iter();
                changes.extend(indexed.map(|(key, value)| Change::Put(key, value.into())));
            }
        }
        entries.commit(changes)?;
    }
    let version = Change::Put(INDEX_VERSION_KEY.into(), INDEX_VERSION.into());
    entries.commit(vec![version])
}

/// Reads a session.
pub fn read(entries: &dyn Entries, code: &str) -> Result<Option<Record>, StoreError> {
    let bytes = entries.get(&session_key(code))?;
    let record = bytes.map(|bytes| serde_json::from_slice(&bytes));
    Ok(record.transpose()?)
}
