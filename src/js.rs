//! Access to JavaScript values.
//!
//! A value of the caller can be anything: a proxy, an object of another frame, or an object whose
//! methods throw. An exception that passes through the wasm leaves the promise of the call pending
//! for ever, so everything here that runs code of such a value returns what it throws.

use contract::{MAX_ITEMS, MAX_QUOTED_CHARS, Value, describe_array};
use js_sys::{
    Array, ArrayBuffer, Function, JsString, Number, Object, Promise, Reflect, Uint8Array,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Url};

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
        if !is_array(&self.0) {
            return None;
        }
        let length = field(&self.0, "length").as_f64()? as u32;
        let item = |index: u32| Self(Reflect::get(&self.0, &index.into()).unwrap_or_default());
        Some((0..length.min(MAX_ITEMS)).map(item).collect())
    }

    fn describe(&self) -> String {
        describe(&self.0)
    }
}

/// Describes a value for an error message in about 60 characters.
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
    let message_of = |error: &JsValue| field(error, "message").as_string();
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

/// Formats a number as JavaScript does. Rust's formatting of floating-point numbers would add 7.0 KB
/// to the wasm after brotli.
pub fn format_number(number: f64) -> String {
    let number = Number::from(number).to_string_with_radix(10);
    number.map_or_else(|_| "a number".into(), String::from)
}

/// Returns a field of a value, or `undefined` if it has none, is not an object, or throws.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    // wasm-bindgen leaks a slot of its table of JavaScript values for each exception.
    if !object.is_object() && !object.is_function() {
        return JsValue::UNDEFINED;
    }
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// Returns a field of an object if it is a non-empty string.
pub fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name)
        .as_string()
        .filter(|text| !text.is_empty())
}

/// Returns the names and values of an object's own fields, each of which it reads once.
///
/// # Errors
/// Fails if a field throws, and returns its name too.
pub fn own_fields(object: &JsValue) -> Result<Vec<(String, JsValue)>, (String, JsValue)> {
    let names = Reflect::own_keys(object).map_err(|thrown| (String::new(), thrown))?;
    let names = names.iter().filter_map(|name| name.as_string());
    names
        .map(|name| match Reflect::get(object, &name.as_str().into()) {
            Ok(value) => Ok((name, value)),
            Err(thrown) => Err((name, thrown)),
        })
        .collect()
}

/// Creates an object with these fields.
pub fn from_fields(fields: Vec<(String, JsValue)>) -> Object {
    let entries = fields.into_iter();
    let entries = entries.map(|(name, value)| Array::of2(&name.into(), &value));
    // Unlike an assignment, it does not give `__proto__` a meaning.
    Object::from_entries(&entries.collect::<Array>()).unwrap_or_default()
}

/// Returns the bytes of a buffer or of a view, without a copy; `None` for any other value. By tag
/// instead of `instanceof`, since each frame and each test environment has its own classes.
pub fn bytes(value: &JsValue) -> Option<Uint8Array> {
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        return Some(bytes.clone());
    }
    let size = |name| field(value, name).as_f64().unwrap_or_default() as u32;
    let length = size("byteLength");
    let buffer = match &*object_tag(value) {
        "[object ArrayBuffer]" | "[object SharedArrayBuffer]" => value.clone(),
        _ if ArrayBuffer::is_view(value) => field(value, "buffer"),
        _ => return None,
    };
    // The buffer may be detached, for which the other constructor throws.
    if length == 0 {
        return Some(Uint8Array::new_with_length(0));
    }
    let offset = size("byteOffset");
    Some(Uint8Array::new_with_byte_offset_and_length(
        &buffer, offset, length,
    ))
}

/// Whether a value is an array, also one of another frame.
pub fn is_array(value: &JsValue) -> bool {
    js_is_array(value).unwrap_or(false)
}

/// Returns the tag of an object, such as `"[object Blob]"`. Unlike `instanceof`, it works for objects
/// of other frames.
pub fn object_tag(value: &JsValue) -> String {
    js_object_tag(value).unwrap_or_else(|_| "[object Object]".into())
}

/// Calls a method of an object. The bindings of web-sys declare some of them as never throwing,
/// which holds for the browser's own objects only.
///
/// # Errors
/// Returns what the method throws, or an error if there is no such method.
pub fn call_method(object: &JsValue, name: &str, arguments: &Array) -> Result<JsValue, JsValue> {
    match Reflect::get(object, &name.into())?.dyn_into::<Function>() {
        Ok(method) => method.apply(object, arguments),
        Err(_) => Err(JsError::new(&format!("{name} is not a function")).into()),
    }
}

/// Whether an object has a method of this name.
pub fn has_method(object: &JsValue, name: &str) -> bool {
    field(object, name).is_function()
}

/// Waits for a value that may be a promise or another object with the method `then`.
///
/// # Errors
/// Returns the reason of a rejection.
pub async fn await_value(value: JsValue) -> Result<JsValue, JsValue> {
    // `Promise.resolve` throws if the value's `constructor` does.
    let promise = Promise::new(&mut |resolve, _| {
        let _ = resolve.call1(&JsValue::UNDEFINED, &value);
    });
    JsFuture::from(promise).await
}

/// Creates a `Blob` from parts of any type.
pub fn blob(parts: &Array, media_type: &str) -> Result<Blob, JsValue> {
    let properties = BlobPropertyBag::new();
    properties.set_type(media_type);
    Blob::new_with_blob_sequence_and_options(parts, &properties)
}

/// Returns `scheme://host:port` of a URL, or an empty string for an invalid URL.
pub fn origin(url: &str) -> String {
    Url::new(url).map_or_else(|_| String::new(), |url| url.origin())
}

// The bindings of js-sys do not return what a proxy or a getter throws.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Array, js_name = isArray, catch)]
    fn js_is_array(value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call, catch)]
    fn js_object_tag(value: &JsValue) -> Result<String, JsValue>;
}
