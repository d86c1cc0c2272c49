//! Stores sessions in a folder, as one `redb` file: an embedded store whose commits are atomic, even
//! if the process is killed.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyhow::{Context, anyhow};
use api::{Change, EmbeddedStore, Entries, Order, Panicked, StoreError, Visit, catch_panic};
use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, TableDefinition};
use thiserror::Error;

use crate::private_file::{create_private_folder, open_private};

const ENTRIES: TableDefinition<&str, &[u8]> = TableDefinition::new("entries");

/// The memory for pages of the file, in bytes. By default, `redb` takes up to 1 GiB.
const CACHE_BYTES: usize = 64 << 20;

/// Opens the store in `folder`, for one process at a time. Creates both if they are missing. Only the
/// owner has access to the file, which contains images and the secret of file URLs.
///
/// # Errors
/// Fails if the folder is not writable, if its file is not a store, or if another process has
/// opened it.
pub fn open(folder: &Path) -> anyhow::Result<EmbeddedStore<FolderEntries>> {
    let entries = FolderEntries::open(folder)?;
    EmbeddedStore::open(entries).map_err(|error| anyhow!(error))
}

/// Parts of the file were overwritten.
#[derive(Debug, Error)]
#[error(
    "The stored sessions are damaged ({0}). Restore sessions.redb from a backup, or move it away to \
     start without sessions"
)]
struct DamagedError(String);

/// Converts the errors of `redb`, which panics when it reads some kinds of damaged pages.
fn store_result<T>(accessed: Result<Result<T, redb::Error>, Panicked>) -> Result<T, StoreError> {
    match accessed {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(redb::Error::Corrupted(detail))) => Err(DamagedError(detail).into()),
        Ok(Err(error)) => Err(error.into()),
        Err(Panicked) => Err(DamagedError("a page cannot be read".into()).into()),
    }
}

/// The entries of a store in a folder.
///
/// After an I/O error, such as of a full disk, `redb` fails every further access until its file is
/// opened again. The next access does that.
pub struct FolderEntries {
    path: PathBuf,
    /// `None` after an I/O error, until the file is opened again.
    database: RwLock<Option<Database>>,
}

impl FolderEntries {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("sessions.redb");
        let database = create_private_folder(folder)
            .map_err(anyhow::Error::from)
            .and_then(|()| open_database(&path).map_err(|error| anyhow!(error)))
            .with_context(|| format!("Cannot open {}", path.display()))?;
        let store = Self {
            path,
            database: RwLock::new(Some(database)),
        };
        // Reading a table that was never written is an error.
        store.commit(Vec::new()).map_err(|error| anyhow!(error))?;
        Ok(store)
    }

    /// Accesses the database, which is opened first if that is necessary. Closes it after an I/O
    /// error.
    fn access<T>(
        &self,
        access: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if self.read_lock().is_none() {
            let mut database = self.write_lock();
            if database.is_none() {
                *database = Some(open_database(&self.path)?);
            }
        }
        let accessed = match &*self.read_lock() {
            Some(database) => catch_panic(|| access(database)),
            None => Ok(Err(redb::Error::PreviousIo)),
        };
        // A panic may leave a transaction incomplete.
        let is_unusable = matches!(
            accessed,
            Err(_) | Ok(Err(redb::Error::Io(_) | redb::Error::PreviousIo))
        );
        if is_unusable {
            *self.write_lock() = None;
        }
        store_result(accessed)
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        self.database
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the database in a file that only the owner can access. Creates the file if it is missing.
fn open_database(path: &Path) -> Result<Database, StoreError> {
    let file = FileBackend::new(open_private(path)?)?;
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    store_result(catch_panic(|| Ok(builder.create_with_backend(file)?)))
}

fn write(database: &Database, changes: Vec<Change>) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
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

fn scan(
    database: &Database,
    range: Range<&str>,
    order: Order,
    visit: &mut Visit,
) -> Result<(), redb::Error> {
    let entries = database.begin_read()?.open_table(ENTRIES)?;
    let mut found = entries.range(range)?;
    let next = || match order {
        Order::Ascending => found.next(),
        Order::Descending => found.next_back(),
    };
    for entry in std::iter::from_fn(next) {
        let (key, value) = entry?;
        if visit(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}

fn get(database: &Database, key: &str) -> Result<Option<Vec<u8>>, redb::Error> {
    let entries = database.begin_read()?.open_table(ENTRIES)?;
    Ok(entries.get(key)?.map(|bytes| bytes.value().to_vec()))
}

impl Entries for FolderEntries {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.access(|database| get(database, key))
    }

    fn scan(&self, range: Range<&str>, order: Order, visit: &mut Visit) -> Result<(), StoreError> {
        self.access(|database| scan(database, range, order, visit))
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.access(|database| write(database, changes))
    }
}
