//! A JSON value, independent of the library that parsed it.

/// A JSON value of the client (the browser's `JsValue`) or of the server (`serde_json`'s).
pub trait Value: Sized {
    /// Returns the text of a string.
    fn text(&self) -> Option<String>;
    /// Returns the value of a boolean.
    fn boolean(&self) -> Option<bool>;
    /// Returns the value of a number, which may be NaN or infinite.
    fn number(&self) -> Option<f64>;
    /// Returns the items of an array, of which those after the first [`MAX_ITEMS`] may be missing.
    fn items(&self) -> Option<Vec<Self>>;
    /// Describes the value for an error message in about 60 characters.
    fn describe(&self) -> String;
}

/// One item more than any valid array has, so that its length is not mistaken for a valid one.
pub const MAX_ITEMS: u32 = 4;

/// The number of items of an array that a message repeats at most.
const MAX_DESCRIBED_ITEMS: usize = 3;

/// Describes an array for an error message: its first items, without those of nested arrays.
pub fn describe_array(items: &[impl Value]) -> String {
    let mut described: Vec<String> = items
        .iter()
        .take(MAX_DESCRIBED_ITEMS)
        .map(|item| match item.items() {
            Some(_) => "[…]".into(),
            None => item.describe(),
        })
        .collect();
    if items.len() > MAX_DESCRIBED_ITEMS {
        described.push("…".into());
    }
    format!("[{}]", described.join(", "))
}
