//! Storage for sessions and files.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard};

use crate::lock::lock;

/// An error of a [`Store`].
pub type StoreError = Box<dyn Error + Send + Sync>;

/// A change of one entry.
pub enum Change {
    /// Sets the value of a key.
    Put(String, Vec<u8>),
    /// Deletes a key. Does nothing if the key does not exist.
    Remove(String),
}

/// A key-value store, used by several threads at once.
pub trait Store: Send + Sync {
    /// Returns the value of a key, or `None` if the key does not exist.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Returns the values of all keys that start with `prefix`, ordered by key.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    fn scan_prefix(&self, prefix: &str) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Makes all the changes or none of them, even if the process is killed meanwhile. Committed
    /// changes are durable when this returns.
    ///
    /// # Errors
    /// Fails if the changes cannot be written; none of them is made then.
    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError>;
}

/// A store in memory, lost when the process exits.
#[derive(Default)]
pub struct MemoryStore(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryStore {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        lock(&self.0)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries().get(key).cloned())
    }

    fn scan_prefix(&self, prefix: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        let entries = self.entries();
        let from = entries.range(prefix.to_owned()..);
        let found = from.take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(_, bytes)| bytes.clone()).collect())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut entries = self.entries();
        for change in changes {
            match change {
                Change::Put(key, bytes) => entries.insert(key, bytes),
                Change::Remove(key) => entries.remove(&key),
            };
        }
        Ok(())
    }
}
