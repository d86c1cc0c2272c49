//! The store in memory.

#[macro_use]
mod store_suite;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{Change, Config, EmbeddedStore, Entries, Order, Store, StoreError, Visit};
use serde_json::json;
use store_suite::Storage;
use support::*;

impl Storage for SharedStore {
    fn open(&self) -> Box<dyn Store> {
        Box::new(EmbeddedStore::open(self.clone()).unwrap())
    }
}

store_suite!(SharedStore::default());

#[test]
fn leaves_no_index_entry_of_a_deleted_session() {
    let entries = SharedStore::default();
    let mut api = entries.open(&Config::default(), START);
    let before: Vec<_> = entries.sizes().into_keys().collect();
    let key = [("idempotency-key", "a/b")];
    let code = code(&api.create_with(&key, json!({"auto_refine": true})));
    assert!(entries.sizes().len() > before.len() + 4);
    api.now += 10_000;
    assert_eq!(api.session(&code)["status"], "refine_done");
    let path = format!("{SESSIONS}/{code}");
    api.send(request("DELETE", &path, &[], ""));
    assert_eq!(entries.sizes().into_keys().collect::<Vec<_>>(), before);
}

/// Writes the changes, but reports a failure if `is_unsure` is set.
#[derive(Clone, Default)]
struct UnsureEntries {
    entries: SharedStore,
    is_unsure: Arc<AtomicBool>,
}

impl Entries for UnsureEntries {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.entries.get(key)
    }

    fn scan(
        &self,
        range: std::ops::Range<&str>,
        order: Order,
        visit: &mut Visit,
    ) -> Result<(), StoreError> {
        self.entries.scan(range, order, visit)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.entries.commit(changes)?;
        match self.is_unsure.load(Ordering::Relaxed) {
            true => Err("I/O error".into()),
            false => Ok(()),
        }
    }
}

#[test]
fn finds_a_session_that_was_stored_although_a_failure_was_reported() {
    let entries = UnsureEntries::default();
    let store = EmbeddedStore::open(entries.clone()).unwrap();
    let mut api = TestApi::open(&Config::default(), Box::new(store), START);
    api.engine = None;
    entries.is_unsure.store(true, Ordering::Relaxed);
    let response = api.post(SESSIONS, &with_image(json!({})));
    assert_eq!(response.status(), 500);
    assert!(api.inner.next_due(START).unwrap().is_none());
    entries.is_unsure.store(false, Ordering::Relaxed);
    api.inner.check_store().unwrap();
    assert!(api.inner.next_due(START).unwrap().is_some());
    assert_eq!(api.inner.metrics(START).unwrap().sessions, 1);
}
