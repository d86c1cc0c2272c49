//! A JSON value as the checks see it, whoever parsed it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A JSON value of either side: the browser's (`JsValue`) or `serde_json`'s.
pub trait Value: Sized {
    /// The text, where the value is a string.
    fn text(&self) -> Option<String>;
    /// The truth, where the value is a boolean.
    fn boolean(&self) -> Option<bool>;
    /// The number, where the value is one (NaN and infinities included).
    fn number(&self) -> Option<f64>;
    /// The items, where the value is an array.
    fn items(&self) -> Option<Vec<Self>>;
    /// The value in words for an error message, short whatever it is.
    fn shown(&self) -> String;
}

/// A parameter that does not hold what the API allows. Nothing was sent.
#[derive(Debug, PartialEq)]
pub struct Invalid {
    /// The parameter's name, as the API spells it.
    pub field: &'static str,
    /// What was given instead, shortened.
    pub came: String,
    /// What is allowed, in words.
    pub allowed: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.field)?;
        f.write_str(": came ")?;
        f.write_str(&self.came)?;
        f.write_str(", allowed: ")?;
        f.write_str(&self.allowed)
    }
}
