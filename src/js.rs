//! Access to JavaScript values and to browser APIs that `web-sys` does not cover.
//!
//! Each function is bound in the one form in which the library uses it: every further signature
//! adds bytes to the wasm and to the JavaScript glue.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use contract::{MAX_QUOTED_CHARS, Value, describe_array};
use js_sys::{Array, JsString, Number, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag};

/// A value of the caller, to be validated as JSON.
pub struct JsonValue(pub JsValue);

impl Value for JsonValue {
    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn boolean(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn items(&self) -> Option<Vec<Self>> {
        let items = self.0.dyn_ref::<Array>()?;
        Some(items.iter().map(Self).collect())
    }

    fn describe(&self) -> String {
        describe(&self.0)
    }
}

/// Describes a value for an error message in about 60 characters. Calls none of the value's own
/// methods, which may throw.
pub fn describe(value: &JsValue) -> String {
    if let Some(text) = value.dyn_ref::<JsString>() {
        return format!("\"{}\"", truncate(text, MAX_QUOTED_CHARS as u32));
    }
    if let Some(number) = value.as_f64() {
        return format_number(number);
    }
    if let Some(items) = JsonValue(value.clone()).items() {
        return describe_array(&items);
    }
    let literal = match value.as_bool() {
        Some(true) => "true",
        Some(false) => "false",
        None if value.is_null() => "null",
        None if value.is_undefined() => "undefined",
        None => match object_tag(value) {
            tag if tag == "[object Object]" => "{…}",
            tag => return tag,
        },
    };
    literal.into()
}

/// Describes a thrown value: the message of an error and of its cause, or the thrown string.
pub fn error_message(thrown: &JsValue) -> String {
    let message_of = |error: &JsValue| {
        let message = error.is_object().then(|| field(error, "message"));
        message.and_then(|message| message.as_string())
    };
    let Some(message) = message_of(thrown) else {
        return thrown.as_string().unwrap_or_else(|| "unknown error".into());
    };
    // Node's message is only "fetch failed"; the reason is in the cause.
    match message_of(&field(thrown, "cause")) {
        Some(cause) => format!("{message} ({cause})"),
        None => message,
    }
}

/// Returns the first `length` UTF-16 units of a text, followed by an ellipsis if it is longer.
pub fn truncate(text: &JsString, length: u32) -> String {
    let mut start = String::from(text.slice(0, length));
    if text.length() > length {
        start.push('…');
    }
    start
}

/// Formats a number as JavaScript does.
pub fn format_number(number: f64) -> String {
    let number = Number::from(number).to_string_with_radix(10);
    number.map_or_else(|_| "a number".into(), String::from)
}

/// Returns a field of an object, or `undefined` if the value is not an object.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    get(object, name).unwrap_or_default()
}

/// Returns a field of an object if it is a non-empty string.
pub fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name)
        .as_string()
        .filter(|text| !text.is_empty())
}

/// Creates an object with these fields, except those that are `undefined`.
pub fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        if !value.is_undefined() {
            set(&object, name, value);
        }
    }
    object
}

/// Creates a `Blob` from parts of any type.
pub fn blob(parts: &Array, media_type: &str) -> Result<Blob, JsValue> {
    let properties = BlobPropertyBag::from(JsValue::from(object(&[("type", media_type.into())])));
    Blob::new_with_blob_sequence_and_options(parts, &properties)
}

/// Waits for a promise and returns its value, or the reason of its rejection as the error.
pub async fn await_promise(promise: impl Into<JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise.into().unchecked_into::<Promise>()).await
}

/// Returns `scheme://host:port` of a URL, or an empty string for an invalid URL.
pub fn origin(url: &str) -> String {
    Url::new(url, &JsValue::UNDEFINED).map_or_else(|_| String::new(), |url| url.origin())
}

#[wasm_bindgen]
extern "C" {
    /// Returns the tag of an object, such as `"[object Blob]"`. Unlike `instanceof`, it works for
    /// objects of other frames.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    pub fn object_tag(value: &JsValue) -> String;

    #[wasm_bindgen(js_namespace = Reflect, catch)]
    fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Reflect)]
    pub fn set(object: &Object, name: &str, value: &JsValue) -> bool;

    #[wasm_bindgen(js_namespace = JSON, catch)]
    pub fn parse(text: &JsString) -> Result<JsValue, JsValue>;

    /// Writes the fields of the array `names`, or all fields if it is `undefined`.
    #[wasm_bindgen(js_namespace = JSON, catch)]
    pub fn stringify(value: &JsValue, names: &JsValue) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_name = URL)]
    pub type Url;
    /// Parses a URL, relative to `base` unless that is `undefined`.
    #[wasm_bindgen(constructor, js_class = URL, catch)]
    pub fn new(url: &str, base: &JsValue) -> Result<Url, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub fn href(this: &Url) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn origin(this: &Url) -> String;

    // js-sys passes texts as Rust strings, which would copy a whole image into the wasm.
    pub type RegExp;
    #[wasm_bindgen(constructor)]
    pub fn new(pattern: &str, flags: &str) -> RegExp;
    #[wasm_bindgen(method, setter, js_name = lastIndex)]
    pub fn set_last_index(this: &RegExp, index: u32);
    #[wasm_bindgen(method)]
    pub fn exec(this: &RegExp, text: &JsString) -> Option<Match>;

    pub type Match;
    #[wasm_bindgen(method, getter)]
    pub fn index(this: &Match) -> u32;
    /// The matched text.
    #[wasm_bindgen(method, getter, js_name = "0")]
    pub fn text(this: &Match) -> JsString;
}
