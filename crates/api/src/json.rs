//! `serde_json`'s values as the contract's checks read them.

use serde_json::Value as Json;

/// As many characters of a value as an answer repeats.
const SHOWN: usize = 60;

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

    fn shown(&self) -> String {
        let text = match self.0 {
            Json::Object(_) => "an object".into(),
            // Cut first: a text may be as large as the whole body.
            Json::String(text) => format!("{:?}", text.chars().take(SHOWN).collect::<String>()),
            other => other.to_string(),
        };
        text.chars().take(SHOWN + 2).collect()
    }
}
