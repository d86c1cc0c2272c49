//! The options of `listSessions`.

use alloc::string::String;
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection, DEFAULT_TIMEOUT};
use super::fields::Fields;
use crate::error::Result;
use crate::js::digits;

/// Reads the options of `listSessions`: the query, and the connection.
pub fn read_list(options: &JsValue) -> Result<(String, Connection)> {
    let fields = Fields::read(options, &[&["limit", "page"], &CONNECTION])?;
    let mut query = String::new();
    let limit = fields.number("limit", "a whole number from 1", |n| {
        n >= 1.0 && is_whole(n)
    })?;
    let page = fields.number("page", "a whole number from 0", |n| n >= 0.0 && is_whole(n))?;
    for (name, number) in [("limit=", limit), ("page=", page)] {
        if let Some(number) = number {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push_str(&digits(number));
        }
    }
    Ok((query, Connection::read(&fields, DEFAULT_TIMEOUT)?))
}

fn is_whole(number: f64) -> bool {
    number % 1.0 == 0.0 && number <= f64::from(u32::MAX)
}
