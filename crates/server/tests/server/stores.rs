//! The store in a folder passes the tests of all stores.

#[macro_use]
#[path = "../../../api/tests/store_suite/mod.rs"]
mod store_suite;

use api::Store;
use store_suite::Storage;
use tempfile::TempDir;

impl Storage for TempDir {
    fn open(&self) -> Box<dyn Store> {
        Box::new(crate::store::open(self.path()).unwrap())
    }
}

store_suite!(TempDir::new().unwrap());
