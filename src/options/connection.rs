//! Where the API is and how to talk to it: the options of every call.

use alloc::boxed::Box;
use alloc::string::String;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers};

use super::fields::{Fields, refused};
use crate::error::{ErrorKind, Failure, Result, Thrown, words};
use crate::js::{Url, field, settled, tag};

/// The address that the API's documentation names.
const DEFAULT_BASE_URL: &str = "https://api.csm.ai";

/// In milliseconds, as the others.
pub(super) const DEFAULT_TIMEOUT: f64 = 600_000.0;

const DEFAULT_RETRIES: u32 = 2;

pub(super) const CONNECTION: [&str; 7] = [
    "apiKey",
    "baseUrl",
    "headers",
    "signal",
    "timeout",
    "maxRetries",
    "fetch",
];

/// The options of a call that has none but the connection's.
pub fn read_connection(options: &JsValue) -> Result<Connection> {
    Connection::read(&Fields::read(options, &[&CONNECTION])?, DEFAULT_TIMEOUT)
}

/// The connection options of any call.
pub struct Connection {
    /// A text, a function, or `None` where the server needs no key, or adds it itself.
    api_key: Option<JsValue>,
    /// Absolute, with no slash at its end.
    pub base_url: String,
    /// The caller's own; the call adds the key.
    pub headers: Headers,
    pub signal: Option<AbortSignal>,
    /// In milliseconds.
    pub timeout: f64,
    pub max_retries: u32,
    pub fetch: Option<Function>,
}

impl Connection {
    /// `timeout` is the default, in milliseconds.
    pub(super) fn read(fields: &Fields, timeout: f64) -> Result<Self> {
        let connection = Self::read_without_key(fields, timeout)?;
        if connection.api_key.is_none()
            && fields.get("baseUrl").is_none()
            && connection.fetch.is_none()
        {
            return Err(Thrown::invalid(&[
                "apiKey: missing; it is required unless baseUrl names a server that needs none",
            ]));
        }
        Ok(connection)
    }

    /// Where a call does without a key too.
    pub(super) fn read_without_key(fields: &Fields, timeout: f64) -> Result<Self> {
        Ok(Self {
            api_key: read_key(fields)?,
            base_url: match fields.get("baseUrl") {
                None => DEFAULT_BASE_URL.into(),
                Some(url) => absolute(&url)?,
            },
            headers: read_headers(fields.get("headers"))?,
            // A signal of another frame is no instance of this frame's class.
            signal: fields
                .checked("signal", "an AbortSignal", &|signal| {
                    field(signal, "aborted").as_bool().is_some()
                })?
                .map(JsCast::unchecked_into),
            timeout: fields.milliseconds("timeout")?.unwrap_or(timeout),
            max_retries: fields
                .number("maxRetries", "a whole number from 0 to 100", |count| {
                    (0.0..=100.0).contains(&count) && count % 1.0 == 0.0
                })?
                .map_or(DEFAULT_RETRIES, |count| count as u32),
            fetch: fields.function("fetch")?,
        })
    }

    /// The key, asked for where it is a function's to give.
    pub async fn key(&self) -> Result<Option<String>> {
        let Some(key) = &self.api_key else {
            return Ok(None);
        };
        let mut given = key.clone();
        if let Some(function) = key.dyn_ref::<Function>() {
            given = function.call0(&JsValue::UNDEFINED).map_err(Thrown::Value)?;
            given = settled(Promise::resolve(&given))
                .await
                .map_err(Thrown::Value)?;
        }
        let key = given.as_string().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            Thrown::invalid(&["apiKey: the function gave no text, or an empty one"])
        })?;
        header_value("apiKey", &key)?;
        Ok(Some(key))
    }

    /// The failure where no answer came.
    pub fn no_answer(&self, thrown: &JsValue) -> Box<Failure> {
        let hint = if self.base_url == DEFAULT_BASE_URL {
            ". The service that stood at this address is reported gone since 2026: baseUrl names \
             another server of the same API, such as one of your own (see the README)"
        } else {
            ". The server is off, its name does not resolve, the connection broke, or it does not \
             allow this page's origin (CORS): a page cannot tell which"
        };
        let message = [
            "no answer from ",
            &self.base_url,
            ": ",
            &words(thrown),
            hint,
        ];
        Failure::new(ErrorKind::Network, &message)
    }
}

fn read_key(fields: &Fields) -> Result<Option<JsValue>> {
    let Some(given) = fields.get("apiKey") else {
        return Ok(None);
    };
    match given.as_string() {
        Some(key) if !key.is_empty() => header_value("apiKey", &key)?,
        None if given.is_function() => {}
        // The value is not repeated: it may be most of a key.
        _ => {
            return Err(Thrown::invalid(&[
                "apiKey: allowed: a text that is not empty, or a function that gives one",
            ]));
        }
    }
    Ok(Some(given))
}

/// The base URL, absolute and with no slash at its end.
fn absolute(given: &JsValue) -> Result<String> {
    let refused = || {
        let allowed = "an http: or https: address without query and fragment";
        refused("baseUrl", given, allowed)
    };
    let text = match &*tag(given) {
        "[object URL]" => field(given, "href"),
        _ => given.clone(),
    };
    let text = text.as_string().ok_or_else(refused)?;
    // The page's (or worker's) own address; none in a runtime such as Node.
    let page = field(&field(&js_sys::global(), "location"), "href");
    let url = Url::new(&text, &page).map_err(|_| refused())?;
    let (mut href, origin) = (url.href(), url.origin());
    if !href.starts_with("http:") && !href.starts_with("https:") {
        return Err(refused());
    }
    // A user stands between scheme and host, where the origin has nothing.
    let path = href.strip_prefix(&*origin);
    if !path.is_some_and(|path| path.starts_with('/')) {
        // Not repeated: it holds a password.
        return Err(Thrown::invalid(&[
            "baseUrl: an address with a user or password in it",
        ]));
    }
    if href.contains(['?', '#']) {
        return Err(refused());
    }
    while href.ends_with('/') {
        href.pop();
    }
    Ok(href)
}

/// A copy of headers of any form.
pub fn new_headers(headers: &JsValue) -> Result<Headers, JsValue> {
    Headers::new_with_str_sequence_sequence(headers)
}

fn read_headers(given: Option<JsValue>) -> Result<Headers> {
    // The browser's message may repeat a value, and a value may be a secret.
    let headers = new_headers(&given.unwrap_or_default()).map_err(|_| {
        Thrown::invalid(&[
            "headers: allowed: an object, pairs or Headers with valid names and values",
        ])
    })?;
    for (name, option) in [
        ("x-api-key", ": apiKey sets it"),
        ("content-type", ": the library sets it"),
        ("idempotency-key", ": idempotencyKey sets it"),
    ] {
        if headers.has(name).unwrap_or(false) {
            return Err(Thrown::invalid(&["headers: ", name, option]));
        }
    }
    Ok(headers)
}

/// Refuses what `fetch` would refuse, in words that do not repeat the value.
pub(super) fn header_value(name: &str, value: &str) -> Result<()> {
    let fits = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{ff}');
    if value.chars().all(fits) && value.trim() == value {
        return Ok(());
    }
    Err(Thrown::invalid(&[
        name,
        ": holds a character that no header may hold, or a space at its end",
    ]))
}
