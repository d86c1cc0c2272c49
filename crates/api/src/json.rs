//! JSON values of requests, for the validation of [`contract`].

use contract::{MAX_QUOTED_CHARS, describe_array, quote};
use serde_json::Value;
use serde_json::value::RawValue;

/// A value of a request's body.
pub struct JsonValue<'a>(pub &'a Value);

impl contract::Value for JsonValue<'_> {
    fn text(&self) -> Option<String> {
        self.0.as_str().map(str::to_owned)
    }

    fn boolean(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn items(&self) -> Option<Vec<Self>> {
        Some(self.0.as_array()?.iter().map(JsonValue).collect())
    }

    fn describe(&self) -> String {
        match self.0 {
            Value::Object(_) => "{…}".into(),
            Value::String(text) => quote(text),
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(JsonValue).collect();
                describe_array(&items)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.0.to_string(),
        }
    }
}

/// Describes an unparsed value for an error message, shortened.
pub fn describe_raw(raw: &RawValue) -> String {
    let text = raw.get();
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
