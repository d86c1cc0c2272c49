//! JavaScript's values as the contract's checks read them.

use contract::Value;
use js_sys::{Array, JsString, Number};
use wasm_bindgen::prelude::*;

/// As much of a caller's text as an error message repeats.
const SHOWN: usize = 60;

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

    fn shown(&self) -> String {
        shown(&self.0)
    }
}

/// The value in words, short, and without asking its own methods: those may throw.
pub fn shown(value: &JsValue) -> String {
    if let Some(text) = value.dyn_ref::<JsString>() {
        let short = String::from(text.slice(0, SHOWN as u32));
        let more = if text.length() as usize > SHOWN {
            "…"
        } else {
            ""
        };
        return ["\"", &short, more, "\""].concat();
    }
    if let Some(number) = value.dyn_ref::<Number>() {
        return number_text(number);
    }
    if let Some(items) = value.dyn_ref::<Array>() {
        let mut text = String::from("[");
        for (index, item) in items.iter().take(4).enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            match index {
                3 => text.push('…'),
                _ => text.push_str(&if Array::is_array(&item) {
                    "[…]".into()
                } else {
                    shown(&item)
                }),
            }
        }
        text.push(']');
        return text;
    }
    match value.as_bool() {
        Some(true) => return "true".into(),
        Some(false) => return "false".into(),
        None => {}
    }
    if value.is_null() {
        "null".into()
    } else if value.is_undefined() {
        "undefined".into()
    } else {
        tag(value)
    }
}

#[wasm_bindgen]
extern "C" {
    /// What kind of object it is, in whichever frame it was made: `"[object Blob]"`.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    pub fn tag(value: &JsValue) -> String;
}

fn number_text(number: &Number) -> String {
    number
        .to_string_with_radix(10)
        .map_or_else(|_| "a number".into(), String::from)
}
