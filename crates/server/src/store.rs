//! Stores sessions in a folder, as one `redb` file: an embedded store whose commits are atomic, even
//! if the process is killed.

use std::path::Path;

use anyhow::Context;
use api::{Change, Store, StoreError};
use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, TableDefinition};

use crate::private_file::{create_private_folder, open_private};

const ENTRIES: TableDefinition<&str, &[u8]> = TableDefinition::new("entries");

/// A store in a folder, for one process at a time.
pub struct FolderStore(Database);

impl FolderStore {
    /// Opens the store in `folder`. Creates both if they are missing. Only the owner has access to
    /// the file, which contains images and the secret of file URLs.
    ///
    /// # Errors
    /// Fails if the folder is not writable, if its file is not a store, or if another process has
    /// opened it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("sessions.redb");
        let store = create_private_folder(folder)
            .and_then(|()| open_private(&path))
            .map_err(anyhow::Error::from)
            .and_then(|file| {
                Ok(Self(
                    Builder::new().create_with_backend(FileBackend::new(file)?)?,
                ))
            })
            .with_context(|| format!("Cannot open {}", path.display()))?;
        // Reading a table that was never written is an error.
        store.write(Vec::new())?;
        Ok(store)
    }

    fn write(&self, changes: Vec<Change>) -> Result<(), redb::Error> {
        let mut transaction = self.0.begin_write()?;
        // Commits get slower, but a start after a kill does not read the whole file first.
        transaction.set_quick_repair(true);
        {
            let mut entries = transaction.open_table(ENTRIES)?;
            for change in changes {
                match change {
                    Change::Put(key, bytes) => entries.insert(&*key, &*bytes)?,
                    Change::Remove(key) => entries.remove(&*key)?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn read(&self, prefix: &str) -> Result<Vec<Vec<u8>>, redb::Error> {
        let entries = self.0.begin_read()?.open_table(ENTRIES)?;
        let mut found = Vec::new();
        for entry in entries.range(prefix..)? {
            let (key, bytes) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push(bytes.value().to_vec());
        }
        Ok(found)
    }

    fn entry(&self, key: &str) -> Result<Option<Vec<u8>>, redb::Error> {
        let entries = self.0.begin_read()?.open_table(ENTRIES)?;
        Ok(entries.get(key)?.map(|bytes| bytes.value().to_vec()))
    }
}

impl Store for FolderStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entry(key)?)
    }

    fn scan_prefix(&self, prefix: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.read(prefix)?)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        Ok(self.write(changes)?)
    }
}
