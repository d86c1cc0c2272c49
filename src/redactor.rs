//! Removal of secrets from texts that leave the library.

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;

use crate::js::stringify;

/// The replacement of a secret.
const REPLACEMENT: &str = "[hidden]";

/// The longest secret, in UTF-16 units, that stays in results. Keys for test servers may be short
/// and may occur in a result as ordinary words.
const LONGEST_KEPT_IN_RESULTS: u32 = 7;

/// The secrets of a call: the API key and the caller's `Authorization` header.
#[derive(Default)]
pub struct Redactor {
    secrets: Array,
}

impl Redactor {
    /// Adds a secret, both unchanged and escaped as in JSON.
    pub fn add_secret(&self, secret: &JsString) {
        self.secrets.push(secret);
        if let Ok(quoted) = stringify(secret, &JsValue::UNDEFINED) {
            self.secrets.push(&quoted.slice(1, quoted.length() - 1));
        }
    }

    /// Returns the text of an error without the secrets.
    pub fn redact_error(&self, text: JsString) -> JsString {
        self.redact_longer_than(0, text)
    }

    /// Returns the text of a result without the secrets that are longer than 7 UTF-16 units.
    pub fn redact_result(&self, text: JsString) -> JsString {
        self.redact_longer_than(LONGEST_KEPT_IN_RESULTS, text)
    }

    fn redact_longer_than(&self, length: u32, mut text: JsString) -> JsString {
        for index in 0..self.secrets.length() {
            let secret: JsString = self.secrets.get(index).unchecked_into();
            if secret.length() > length {
                text = replace_all(&text, &secret, REPLACEMENT);
            }
        }
        text
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["String", "prototype", "replaceAll"], js_name = call)]
    fn replace_all(text: &JsString, secret: &JsString, replacement: &str) -> JsString;
}
