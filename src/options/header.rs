//! Validation of header values.

use crate::error::{CallError, Result};

/// Rejects a value that `fetch` would reject. The message does not contain the value, which may be
/// a secret.
pub fn check_header_value(option: &str, value: &str) -> Result<()> {
    let is_accepted = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{ff}');
    if value.chars().all(is_accepted) && value.trim() == value {
        return Ok(());
    }
    Err(CallError::invalid_options(format!(
        "{option} must contain only characters allowed in HTTP headers, and no leading or trailing \
         space"
    )))
}
