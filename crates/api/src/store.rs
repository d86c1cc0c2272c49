//! Where sessions and files are kept.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard};

use crate::lock;

/// Why something could not be kept or found again, in the store's words.
pub type StoreError = Box<dyn Error + Send + Sync>;

/// A change of one entry.
pub enum Change {
    /// The key holds these bytes from now on.
    Put(String, Vec<u8>),
    /// The key holds nothing from now on; it may have held nothing before.
    Remove(String),
}

/// Bytes by key. Several threads use it at once.
pub trait Store: Send + Sync {
    /// What the key holds.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// What all keys that start so hold, in the order of the keys.
    ///
    /// # Errors
    /// The store cannot be read.
    fn scan_prefix(&self, prefix: &str) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Makes all the changes or none of them, whatever happens meanwhile. What was committed when
    /// this returns is there for good.
    ///
    /// # Errors
    /// Nothing was changed.
    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError>;
}

/// A store that ends with the process.
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
