//! Panics of code that handles files of callers.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A call panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// Calls a function that may panic on a damaged file. Everything that the panic leaves incomplete
/// must be owned by the function, so that it is dropped with it.
///
/// WebAssembly cannot catch panics: there, a panic ends the instance.
///
/// # Errors
/// Fails if the function panics.
pub fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked)
}
