//! The options of `listSessions`.

use strum::VariantNames;
use wasm_bindgen::prelude::*;

use super::connection::{Connection, ConnectionOption, ConnectionOptions, DEFAULT_TIMEOUT};
use super::define::define_options;
use super::object::OptionsObject;
use crate::error::Result;
use crate::js::format_number;

define_options! {
    /// The options of `listSessions`.
    enum ListOption, interface ListOptions extends ConnectionOptions {
        /// The maximum number of sessions on a page. Default: the API's, `10`.
        Limit = "limit": "number | undefined",
        /// The number of the page, starting at 0. Default: `0`.
        Page = "page": "number | undefined",
    }
}

/// Reads the options of `listSessions` and returns the query string and the connection.
pub fn read_list(options: &JsValue) -> Result<(String, Connection)> {
    let known = [ListOption::VARIANTS, ConnectionOption::VARIANTS];
    let options = OptionsObject::read(options, &known)?;
    let limit = options.number(ListOption::Limit, "an integer of at least 1", |limit| {
        limit >= 1.0 && is_u32(limit)
    })?;
    let page = options.number(ListOption::Page, "an integer of at least 0", is_u32)?;
    let mut query = String::new();
    for (option, number) in [(ListOption::Limit, limit), (ListOption::Page, page)] {
        if let Some(number) = number {
            let separator = if query.is_empty() { '?' } else { '&' };
            let name: &str = option.into();
            let number = format_number(number);
            query = format!("{query}{separator}{name}={number}");
        }
    }
    Ok((query, Connection::read(&options, DEFAULT_TIMEOUT)?))
}

fn is_u32(number: f64) -> bool {
    number % 1.0 == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)
}
