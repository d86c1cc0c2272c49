//! The state of a call that its errors report.

use std::cell::Cell;

use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::redactor::Redactor;

/// Whether the API may have created a session, and charged for it, before the call failed.
///
/// - `"no"`: no create request was sent.
/// - `"rejected"`: the API rejected the request and created nothing.
/// - `"unknown"`: a create request was sent and not rejected. A session may exist; if the error has
///   a `session`, it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// No create request was sent.
    No,
    /// The API rejected the request and created nothing.
    Rejected,
    /// A create request was sent and not rejected.
    Unknown,
}

/// The requests that a call has sent, the session that it has received, and its secrets. Outlives
/// the call's future, which cancellation drops.
#[derive(Default)]
pub struct CallState {
    /// Whether an earlier create request may have been carried out.
    has_unresolved_create: Cell<bool>,
    last_create: Cell<Option<Sent>>,
    last_session: Cell<JsValue>,
    pub redactor: Redactor,
}

impl CallState {
    /// Records that `fetch` has accepted a create request.
    pub fn create_sent(&self) {
        if self.last_create.get() == Some(Sent::Unknown) {
            self.has_unresolved_create.set(true);
        }
        self.last_create.set(Some(Sent::Unknown));
    }

    /// Records that the API rejected the last create request.
    pub fn create_rejected(&self) {
        self.last_create.set(Some(Sent::Rejected));
    }

    /// Returns the `sent` of an error that ends the call now.
    pub fn sent(&self) -> Sent {
        if self.has_unresolved_create.get() {
            return Sent::Unknown;
        }
        self.last_create.get().unwrap_or(Sent::No)
    }

    /// Records the session as received last.
    pub fn session_received(&self, session: &JsValue) {
        self.last_session.set(session.clone());
    }

    /// Takes the session as received last; `undefined` if none was received.
    pub fn take_session(&self) -> JsValue {
        self.last_session.take()
    }
}
