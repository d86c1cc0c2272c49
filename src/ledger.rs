//! What a call has done so far: what an error has to tell, and what it must not.

use core::cell::Cell;

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;

use crate::error::Sent;
use crate::js::stringify;

/// One call's account. It outlives the call's work, which an abort or the time may drop.
#[derive(Default)]
pub struct Ledger {
    /// Whether a request that is over may have created something.
    doubtful: Cell<bool>,
    current: Cell<Option<Sent>>,
    secrets: Array,
    session: Cell<JsValue>,
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
        self.session.set(session.clone());
    }

    /// Gives the session as it was last seen; `undefined` where none was.
    pub fn session(&self) -> JsValue {
        self.session.take()
    }

    /// Keeps something that must not show in anything that is thrown.
    pub fn keep_secret(&self, secret: &JsString) {
        self.secrets.push(secret);
        // As a JSON answer would spell it.
        if let Ok(quoted) = stringify(secret, &JsValue::UNDEFINED) {
            self.secrets.push(&quoted.slice(1, quoted.length() - 1));
        }
    }

    /// The text of an error without the secrets.
    pub fn hide(&self, text: JsString) -> JsString {
        self.hide_longer_than(0, text)
    }

    /// The text of a result without the secrets. A key of a few letters, as sandboxes take, is
    /// no secret, and may well be a word of the result.
    pub fn hide_in_result(&self, text: JsString) -> JsString {
        self.hide_longer_than(7, text)
    }

    fn hide_longer_than(&self, length: u32, mut text: JsString) -> JsString {
        for at in 0..self.secrets.length() {
            let secret: JsString = self.secrets.get(at).unchecked_into();
            if secret.length() > length {
                text = replace_all(&text, &secret, "[hidden]");
            }
        }
        text
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["String", "prototype", "replaceAll"], js_name = call)]
    fn replace_all(text: &JsString, secret: &JsString, by: &str) -> JsString;
}
