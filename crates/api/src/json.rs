//! `serde_json`'s values as the contract's checks read them.

use serde_json::Value as Json;

/// A value from a request's body.
pub struct Given<'a>(pub &'a Json);

impl contract::Value for Given<'_> {
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
        Some(self.0.as_array()?.iter().map(Given).collect())
    }

    fn describe(&self) -> String {
        match self.0 {
            Json::Object(_) => "{…}".into(),
            Json::Array(items) => {
                let items: Vec<_> = items.iter().map(Given).collect();
                contract::describe_array(&items)
            }
            Json::String(text) => contract::quote(text),
            other => other.to_string(),
        }
    }
}
