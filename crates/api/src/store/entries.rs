//! Ordered entries, on which the [`EmbeddedStore`](super::EmbeddedStore) is built.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};
use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, MutexGuard};

use super::error::StoreError;
use crate::lock::lock;

/// A change of one entry.
pub enum Change<'a> {
    /// Sets the value of a key.
    Put(String, Cow<'a, [u8]>),
    /// Deletes a key. Does nothing if the key does not exist.
    Remove(String),
}

/// The order in which entries are visited.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// By ascending keys.
    Ascending,
    /// By descending keys.
    Descending,
}

/// Is called with a key and its value. `Break` ends the scan.
pub type Visit<'a> = dyn FnMut(&str, &[u8]) -> ControlFlow<()> + 'a;

/// Entries ordered by key, used by several threads at once.
pub trait Entries: Send + Sync {
    /// Returns the value of a key, or `None` if the key does not exist.
    ///
    /// # Errors
    /// Fails if the entries cannot be read.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `visit` with the entries whose keys are in `range`. `visit` must not access the
    /// entries.
    ///
    /// # Errors
    /// Fails if the entries cannot be read.
    fn scan(&self, range: Range<&str>, order: Order, visit: &mut Visit) -> Result<(), StoreError>;

    /// Makes all the changes or none of them, even if the process is killed meanwhile. Committed
    /// changes are durable when this returns.
    ///
    /// # Errors
    /// Fails if the changes cannot be written.
    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError>;
}

/// Entries in memory, lost when the process exits.
#[derive(Default)]
pub struct MemoryEntries(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryEntries {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        lock(&self.0)
    }
}

impl Entries for MemoryEntries {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries().get(key).cloned())
    }

    fn scan(&self, range: Range<&str>, order: Order, visit: &mut Visit) -> Result<(), StoreError> {
        let entries = self.entries();
        let mut found = entries.range::<str, _>((Included(range.start), Excluded(range.end)));
        let next = || match order {
            Order::Ascending => found.next(),
            Order::Descending => found.next_back(),
        };
        for (key, value) in std::iter::from_fn(next) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut entries = self.entries();
        for change in changes {
            match change {
                Change::Put(key, bytes) => entries.insert(key, bytes.into_owned()),
                Change::Remove(key) => entries.remove(&key),
            };
        }
        Ok(())
    }
}
