//! The sentences of error messages that client and server share, one type or function per form.

use std::error::Error;
use std::fmt::{self, Display};

/// The number of characters of a caller's text that a message repeats at most.
pub const MAX_QUOTED_CHARS: usize = 60;

/// An option or parameter that holds a value which is not accepted.
///
/// ```
/// use contract::{Invalid, one_of};
///
/// let invalid = Invalid::new("texture_resolution", 300, one_of([128, 256, 512]));
/// assert_eq!(
///     invalid.to_string(),
///     "Invalid texture_resolution 300: expected 128, 256 or 512"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The name, spelled as callers spell it.
    pub name: String,
    /// The description of the received value: JSON, shortened, or the kind of the value.
    pub received: String,
    /// The accepted values.
    pub expected: String,
}

impl Invalid {
    /// Creates the error from the name, the described value and the accepted values.
    pub fn new(name: impl Display, received: impl Display, expected: impl Display) -> Self {
        Self {
            name: name.to_string(),
            received: received.to_string(),
            expected: expected.to_string(),
        }
    }
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            name,
            received,
            expected,
        } = self;
        write!(f, "Invalid {name} {received}: expected {expected}")
    }
}

impl Error for Invalid {}

/// A required option or parameter that was omitted.
///
/// ```
/// let missing = contract::Missing::new("image_url", "an https: or data: URL");
/// assert_eq!(
///     missing.to_string(),
///     "Missing image_url: expected an https: or data: URL"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name, spelled as callers spell it.
    pub name: String,
    /// The accepted values.
    pub expected: String,
}

impl Missing {
    /// Creates the error from the name and the accepted values.
    pub fn new(name: impl Display, expected: impl Display) -> Self {
        Self {
            name: name.to_string(),
            expected: expected.to_string(),
        }
    }
}

impl Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { name, expected } = self;
        write!(f, "Missing {name}: expected {expected}")
    }
}

impl Error for Missing {}

/// Joins alternatives with commas and a final "or".
///
/// ```
/// assert_eq!(contract::one_of([1, 2, 3]), "1, 2 or 3");
/// assert_eq!(contract::one_of(["true", "false"]), "true or false");
/// assert_eq!(contract::one_of(["a function"]), "a function");
/// ```
pub fn one_of(alternatives: impl IntoIterator<Item = impl Display>) -> String {
    let alternatives = alternatives.into_iter().map(|item| item.to_string());
    let alternatives: Vec<String> = alternatives.collect();
    match alternatives.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// Joins alternative strings, each in double quotes, with commas and a final "or".
///
/// ```
/// assert_eq!(contract::one_of_quoted(["fast", "slow"]), r#""fast" or "slow""#);
/// ```
pub fn one_of_quoted<'a>(alternatives: impl IntoIterator<Item = &'a str>) -> String {
    one_of(alternatives.into_iter().map(quote))
}

/// Puts a text into double quotes, shortened to [`MAX_QUOTED_CHARS`] characters and an ellipsis.
///
/// ```
/// assert_eq!(contract::quote("high"), "\"high\"");
/// assert_eq!(contract::quote(&"x".repeat(61)), format!("\"{}…\"", "x".repeat(60)));
/// ```
pub fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}
