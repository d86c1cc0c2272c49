//! A response.

use serde_json::Value;

pub struct Response {
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(&prefix))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the `message` of an error.
    pub fn message(&self) -> String {
        let json = self.json();
        let message = json["message"].as_str();
        message.unwrap_or_else(|| panic!("{json}")).to_owned()
    }
}
