//! JavaScript's values: reading, writing, and saying them in words.
//!
//! What the library needs of the browser beside `web-sys` stands here, each in the one form in
//! which it is used: every further form costs bytes in the wasm and in the glue.

use alloc::string::String;
use alloc::vec::Vec;
use contract::Value;
use js_sys::{Array, JsString, Number, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag};

/// As much of a caller's text as an error message repeats, in UTF-16 units.
const SHOWN: u32 = 60;

/// A value that came from the caller.
pub struct Given(pub JsValue);

impl Value for Given {
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
        Some(items.iter().map(Given).collect())
    }

    fn describe(&self) -> String {
        shown(&self.0)
    }
}

/// The value in words, short, and without asking its own methods: those may throw.
pub fn shown(value: &JsValue) -> String {
    if let Some(text) = value.dyn_ref::<JsString>() {
        return ["\"", &start(text, SHOWN), "\""].concat();
    }
    if let Some(number) = value.as_f64() {
        return digits(number);
    }
    if let Some(items) = value.dyn_ref::<Array>() {
        let mut text = String::from("[");
        for index in 0..items.length().min(4) {
            if index > 0 {
                text.push_str(", ");
            }
            let item = items.get(index);
            text.push_str(&match index {
                3 => "…".into(),
                _ if Array::is_array(&item) => "[…]".into(),
                _ => shown(&item),
            });
        }
        text.push(']');
        return text;
    }
    let word = match value.as_bool() {
        Some(true) => "true",
        Some(false) => "false",
        None if value.is_null() => "null",
        None if value.is_undefined() => "undefined",
        None => return tag(value),
    };
    word.into()
}

/// The start of a text, with a mark where it goes on.
pub fn start(text: &JsString, length: u32) -> String {
    let mut start = String::from(text.slice(0, length));
    if text.length() > length {
        start.push('…');
    }
    start
}

/// A number as JavaScript writes it.
pub fn digits(number: f64) -> String {
    let number = Number::from(number).to_string_with_radix(10);
    number.map_or_else(|_| "a number".into(), String::from)
}

/// A field of an object; `undefined` where there is no such object.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    get(object, name).unwrap_or_default()
}

/// A field of an object that holds a text which is not empty.
pub fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name)
        .as_string()
        .filter(|text| !text.is_empty())
}

/// An object with these fields; without those that are `undefined`.
pub fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        if !value.is_undefined() {
            set(&object, name, value);
        }
    }
    object
}

/// A `Blob` of parts of any kind.
pub fn blob(parts: &Array, media_type: &str) -> Result<Blob, JsValue> {
    let properties = BlobPropertyBag::from(JsValue::from(object(&[("type", media_type.into())])));
    Blob::new_with_blob_sequence_and_options(parts, &properties)
}

/// What the promise brings, or why it was rejected.
pub async fn settled(promise: impl Into<JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise.into().unchecked_into::<Promise>()).await
}

/// `scheme://host:port` of an address; empty where it is none.
pub fn origin(url: &str) -> String {
    Url::new(url, &JsValue::UNDEFINED).map_or_else(|_| String::new(), |url| url.origin())
}

#[wasm_bindgen]
extern "C" {
    /// What kind of object it is, in whichever frame it was made: `"[object Blob]"`.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    pub fn tag(value: &JsValue) -> String;

    #[wasm_bindgen(js_namespace = Reflect, catch)]
    fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Reflect)]
    pub fn set(object: &Object, name: &str, value: &JsValue) -> bool;

    #[wasm_bindgen(js_namespace = JSON, catch)]
    pub fn parse(text: &JsString) -> Result<JsValue, JsValue>;

    /// `names`: which fields of the object are written; all where it is `undefined`.
    #[wasm_bindgen(js_namespace = JSON, catch)]
    pub fn stringify(value: &JsValue, names: &JsValue) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_name = URL)]
    pub type Url;
    /// `base`: what a relative address starts from, or `undefined`.
    #[wasm_bindgen(constructor, js_class = URL, catch)]
    pub fn new(url: &str, base: &JsValue) -> Result<Url, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub fn href(this: &Url) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn origin(this: &Url) -> String;

    // js-sys hands texts over as Rust strings, which would copy a picture into the wasm.
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
    /// All that matched.
    #[wasm_bindgen(method, getter, js_name = "0")]
    pub fn text(this: &Match) -> JsString;
}
