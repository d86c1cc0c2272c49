//! The errors of stores.

use std::error::Error;

/// An error of a [`Store`](super::Store): it cannot be read or written.
pub type StoreError = Box<dyn Error + Send + Sync>;
