//! What a call has done so far: what an error has to tell, and what it must not.

use std::cell::{Cell, RefCell};

use js_sys::JSON;
use wasm_bindgen::prelude::*;

use crate::error::{Failure, Result, Sent, Thrown};

/// One call's account. It outlives the call's work, which an abort or the time may drop.
#[derive(Default)]
pub struct Ledger {
    /// Whether a request that is over may have created something.
    doubtful: Cell<bool>,
    current: Cell<Option<Sent>>,
    secrets: RefCell<Vec<String>>,
    session: RefCell<JsValue>,
}

impl Ledger {
    /// A request that creates something is handed to `fetch`.
    pub fn sending(&self) {
        if self.current.get() == Some(Sent::Unknown) {
            self.doubtful.set(true);
        }
        self.current.set(Some(Sent::Unknown));
    }

    /// The API said no to the request under way.
    pub fn rejected(&self) {
        self.current.set(Some(Sent::Rejected));
    }

    /// What `sent` says if the call fails now.
    pub fn sent(&self) -> Sent {
        if self.doubtful.get() {
            return Sent::Unknown;
        }
        self.current.get().unwrap_or(Sent::No)
    }

    /// The session as it is now.
    pub fn saw(&self, session: &JsValue) {
        self.session.replace(session.clone());
    }

    /// The session as it was last seen; `undefined` where none was.
    pub fn session(&self) -> JsValue {
        self.session.borrow().clone()
    }

    /// Keeps something that must not show in anything that is thrown.
    pub fn keep_secret(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut secrets = self.secrets.borrow_mut();
        secrets.push(secret.to_owned());
        // As a JSON answer would spell it.
        if let Ok(quoted) = JSON::stringify(&secret.into()).map(String::from) {
            let inner = quoted[1..quoted.len() - 1].to_owned();
            if inner != secret {
                secrets.push(inner);
            }
        }
    }

    /// The text of an error without the secrets.
    pub fn hide(&self, text: &str) -> String {
        self.hide_longer_than(0, text)
    }

    /// The text of a result without the secrets. A key of a few letters, as sandboxes take, is
    /// no secret, and may well be a word of the result.
    pub fn hide_in_result(&self, text: &str) -> String {
        self.hide_longer_than(7, text)
    }

    fn hide_longer_than(&self, length: usize, text: &str) -> String {
        let mut text = text.to_owned();
        let secrets = self.secrets.borrow();
        for secret in secrets.iter().filter(|secret| secret.len() > length) {
            text = text.replace(secret.as_str(), "[hidden]");
        }
        text
    }
}

/// Makes a call; what ends it becomes what JavaScript catches.
pub async fn account<T>(call: impl AsyncFnOnce(&Ledger) -> Result<T>) -> Result<T, JsValue> {
    let ledger = Ledger::default();
    call(&ledger).await.map_err(|thrown| match thrown {
        Thrown::Failure(failure) => Failure::into_js(failure, &ledger),
        Thrown::Value(value) => value,
    })
}
