//! The options of `listSessions`.

use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection, DEFAULT_TIMEOUT};
use super::fields::Fields;
use crate::error::Result;

/// What `listSessions` takes.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** How many sessions to answer at most. Default: the API's, `10`. */\n  limit?: number;\n  /** Which page of so many, from 0. Default: `0`. */\n  page?: number;\n} & ConnectionOptions"
)]
pub struct ListOptions;

/// Reads the options of `listSessions`: the query, and the connection.
pub fn read_list(options: &JsValue) -> Result<(String, Connection)> {
    let fields = Fields::read(options, &[&["limit", "page"], &CONNECTION])?;
    let mut query = String::new();
    for (name, least, allowed) in [
        ("limit", 1.0, "a whole number from 1"),
        ("page", 0.0, "a whole number from 0"),
    ] {
        let fits = |n: f64| n >= least && n.trunc() == n && n <= f64::from(u32::MAX);
        if let Some(number) = fields.number(name, allowed, fits)? {
            query.push(if query.is_empty() { '?' } else { '&' });
            for part in [name, "=", &(number as u32).to_string()] {
                query.push_str(part);
            }
        }
    }
    Ok((query, Connection::read(&fields, DEFAULT_TIMEOUT)?))
}
