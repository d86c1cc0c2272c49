//! Removal of secrets from everything that leaves the library: see `pkg/redactor.js`.

use wasm_bindgen::prelude::*;

#[cfg_attr(test, wasm_bindgen(module = "/pkg/redactor.js"))]
#[cfg_attr(not(test), wasm_bindgen(raw_module = "./shared.js"))]
extern "C" {
    /// The secrets of a call: the API key and the credentials in the caller's headers.
    pub type Redactor;
    /// Creates a redactor without secrets.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Redactor;
    /// Adds a secret. Empty texts are ignored.
    #[wasm_bindgen(method)]
    pub fn add(this: &Redactor, secret: &str);
    /// Returns a value of an error without the secrets: a text, or JSON with them in any of its
    /// strings and names.
    #[wasm_bindgen(method, js_name = redactError)]
    pub fn redact_error(this: &Redactor, value: &JsValue) -> JsValue;
    /// Returns the JSON of a result without the secrets that are longer than 7 UTF-16 units.
    #[wasm_bindgen(method, js_name = redactResult)]
    pub fn redact_result(this: &Redactor, value: &JsValue) -> JsValue;
    /// Returns a thrown value, to be kept as the cause of an error. If a secret may be reachable from
    /// it, returns an error with its name and its redacted message instead.
    #[wasm_bindgen(method, js_name = redactCause)]
    pub fn redact_cause(this: &Redactor, thrown: &JsValue) -> JsValue;
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}
