//! The options of every call: the address of the API and how to access it.

use contract::Missing;
use gloo_net::http::Headers;
use js_sys::Function;
use strum::VariantNames;
use wasm_bindgen::prelude::*;
use web_sys::Url;

use super::define::define_options;
use super::header::check_header_value;
use super::object::OptionsObject;
use crate::error::{CallError, Result};
use crate::js::{await_value, field, has_method, object_tag};

/// The base URL in the API's documentation.
const DEFAULT_BASE_URL: &str = "https://api.csm.ai";

/// In milliseconds.
pub const DEFAULT_TIMEOUT: f64 = 600_000.0;

const DEFAULT_RETRIES: u32 = 2;

const MAX_RETRIES: f64 = 100.0;

/// The length of a header's value in bytes below which it is kept in errors: shorter values, such as
/// numbers, occur in messages by chance.
const SHORTEST_HEADER_SECRET: usize = 8;

define_options! {
    /// The options of every call: the address of the API and how to access it.
    enum ConnectionOption, interface ConnectionOptions {
        /// The API key, or a function that returns the key or a promise of it. The function is
        /// called once per call.
        ///
        /// Required unless `baseUrl` or `fetch` is given. A key in a web page is public: use a
        /// server of your own that adds the key, and set `baseUrl` to that server.
        ApiKey = "apiKey": "string | (() => string | Promise<string>) | undefined",
        /// The URL of the API, with or without a trailing slash. May have a path, and may be
        /// relative to the page. Default: `"https://api.csm.ai"`.
        BaseUrl = "baseUrl": "string | URL | undefined",
        /// Additional request headers. Must not contain the headers that the library sets:
        /// `x-api-key`, `content-type` and `idempotency-key`.
        Headers = "headers": "HeadersInit | undefined",
        /// Cancels the call, which then rejects with the signal's `reason`.
        Signal = "signal": "AbortSignal | undefined",
        /// The maximum duration of the whole call in milliseconds; `Infinity` for no limit. Default:
        /// `600000` (ten minutes), for `imageTo3d` and `waitForSession` `3600000` (one hour).
        Timeout = "timeout": "number | undefined",
        /// The maximum number of retries of a failed request, from 0 to 100. Default: `2`.
        ///
        /// A request that creates something is retried only after a temporary rejection (429, or 503
        /// with `Retry-After`), or if it has an `idempotencyKey`.
        MaxRetries = "maxRetries": "number | undefined",
        /// Replaces the global `fetch`. Called with a URL and the options of the request, as the
        /// functions of undici and other libraries expect; `init.headers` is a plain object.
        Fetch = "fetch": "((url: string, init: RequestInit & { headers: Record<string, string> }) => Promise<Response>) | undefined",
    }
}

/// Reads the options of a call that has only connection options.
pub fn read_connection(options: &JsValue) -> Result<Connection> {
    let options = OptionsObject::read(options, &[ConnectionOption::VARIANTS])?;
    Connection::read(&options, DEFAULT_TIMEOUT)
}

/// The connection options of a call.
pub struct Connection {
    /// A string or a function; `None` if the server needs no key, or adds the key.
    api_key: Option<JsValue>,
    /// Absolute, without a trailing slash.
    pub base_url: String,
    /// The caller's headers; the call adds the key.
    pub headers: Headers,
    /// An `AbortSignal`, possibly of another frame or library.
    pub signal: Option<JsValue>,
    /// In milliseconds.
    pub timeout: f64,
    pub max_retries: u32,
    pub fetch: Option<Function>,
}

impl Connection {
    /// Reads the options of a call that needs a key. `default_timeout` is in milliseconds.
    pub fn read(options: &OptionsObject, default_timeout: f64) -> Result<Self> {
        let connection = Self::read_without_key(options, default_timeout)?;
        if connection.api_key.is_none()
            && options.get(ConnectionOption::BaseUrl).is_none()
            && connection.fetch.is_none()
        {
            let expected = "an API key, or a baseUrl of a server that needs none";
            return Err(Missing::new("apiKey", expected).into());
        }
        Ok(connection)
    }

    /// Reads the options of a call that needs no key. `default_timeout` is in milliseconds.
    pub fn read_without_key(options: &OptionsObject, default_timeout: f64) -> Result<Self> {
        Ok(Self {
            api_key: read_key(options)?,
            base_url: match options.get(ConnectionOption::BaseUrl) {
                None => DEFAULT_BASE_URL.into(),
                Some(url) => absolute_url(&url)?,
            },
            headers: read_headers(options.get(ConnectionOption::Headers))?,
            // By its fields instead of `instanceof`, since each frame has its own classes.
            signal: options.checked(ConnectionOption::Signal, "an AbortSignal", &|signal| {
                field(signal, "aborted").as_bool().is_some()
                    && has_method(signal, "addEventListener")
            })?,
            timeout: options
                .milliseconds(ConnectionOption::Timeout)?
                .unwrap_or(default_timeout),
            max_retries: options
                .number(
                    ConnectionOption::MaxRetries,
                    "an integer from 0 to 100",
                    |count| (0.0..=MAX_RETRIES).contains(&count) && count % 1.0 == 0.0,
                )?
                .map_or(DEFAULT_RETRIES, |count| count as u32),
            fetch: options.function(ConnectionOption::Fetch)?,
        })
    }

    /// Returns the key. Calls the caller's function, if the key is one.
    ///
    /// # Errors
    /// Fails if the function throws or returns something else than a valid key.
    pub async fn key(&self) -> Result<Option<String>> {
        let Some(key) = &self.api_key else {
            return Ok(None);
        };
        let key = match key.dyn_ref::<Function>() {
            Some(function) => {
                let returned = function.call0(&JsValue::UNDEFINED)?;
                await_value(returned).await?
            }
            None => key.clone(),
        };
        let key = key.as_string().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            CallError::invalid_options("The apiKey function must return a non-empty string")
        })?;
        check_header_value("apiKey", &key)?;
        Ok(Some(key))
    }

    /// Returns the message for a request without a response.
    pub fn no_response(&self, reason: &str) -> String {
        let base_url = &self.base_url;
        let hint = if base_url == DEFAULT_BASE_URL {
            "The service at this address has been reported offline since 2026. Set baseUrl to \
             another server of this API, for example your own (see the README)."
        } else {
            "The server may be down, its name may not resolve, or it may not allow this page's \
             origin (CORS); browsers do not report which."
        };
        format!("No response from {base_url}: {reason}. {hint}")
    }

    /// Returns the credentials in the caller's headers: the parts of `Authorization`, and the values
    /// of all other headers that may hold some.
    pub fn header_secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        for (name, value) in self.headers.entries() {
            if name == "authorization" {
                add_authorization(&mut secrets, &value);
            }
            if name == "authorization" || value.len() >= SHORTEST_HEADER_SECRET && !is_public(&name)
            {
                secrets.push(value);
            }
        }
        secrets
    }
}

/// Whether a header holds no credentials.
fn is_public(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-language"
            | "cache-control"
            | "traceparent"
            | "user-agent"
            | "x-correlation-id"
            | "x-request-id"
    )
}

/// Adds the credentials of `<scheme> <credentials>`, and for Basic authentication the password.
fn add_authorization(secrets: &mut Vec<String>, value: &str) {
    let Some((scheme, credentials)) = value.split_once(' ') else {
        return;
    };
    if scheme.eq_ignore_ascii_case("basic")
        && let Ok(decoded) = atob(credentials)
        && let Some((_, password)) = decoded.split_once(':')
    {
        secrets.push(password.to_owned());
    }
    secrets.push(credentials.to_owned());
}

#[wasm_bindgen]
extern "C" {
    // web-sys has it only for windows and for workers.
    #[wasm_bindgen(catch)]
    fn atob(base64: &str) -> Result<String, JsValue>;
}

fn read_key(options: &OptionsObject) -> Result<Option<JsValue>> {
    let Some(key) = options.get(ConnectionOption::ApiKey) else {
        return Ok(None);
    };
    match key.as_string() {
        Some(text) if !text.is_empty() => check_header_value("apiKey", &text)?,
        None if key.is_function() => {}
        // The message does not contain the value, which may be most of a key.
        _ => {
            return Err(CallError::invalid_options(
                "apiKey must be a non-empty string or a function that returns one",
            ));
        }
    }
    Ok(Some(key))
}

/// Returns the base URL, absolute and without a trailing slash.
fn absolute_url(value: &JsValue) -> Result<String> {
    let invalid = || {
        let expected = "an http: or https: URL without query and fragment";
        CallError::invalid_value("baseUrl", value, expected)
    };
    let text = match &*object_tag(value) {
        "[object URL]" => field(value, "href"),
        _ => value.clone(),
    };
    let text = text.as_string().ok_or_else(invalid)?;
    // The URL of the page or worker; `undefined` in Node.
    let page = field(&field(&js_sys::global(), "location"), "href").as_string();
    let url = match page {
        Some(page) => Url::new_with_base(&text, &page),
        None => Url::new(&text),
    };
    let url = url.map_err(|_| invalid())?;
    let (mut href, origin) = (url.href(), url.origin());
    if !href.starts_with("http:") && !href.starts_with("https:") {
        return Err(invalid());
    }
    // A user name would follow the scheme, and is not part of the origin.
    let path = href.strip_prefix(&*origin);
    if !path.is_some_and(|path| path.starts_with('/')) {
        // The message does not contain the URL, which may hold a password.
        return Err(CallError::invalid_options(
            "baseUrl must not contain a user name or password",
        ));
    }
    if href.contains(['?', '#']) {
        return Err(invalid());
    }
    while href.ends_with('/') {
        href.pop();
    }
    Ok(href)
}

fn read_headers(value: Option<JsValue>) -> Result<Headers> {
    // The browser's message may contain a value, which may be a secret.
    let headers = new_headers(&value.unwrap_or_default()).map_err(|_| {
        CallError::invalid_options(
            "headers must be an object, an array of pairs or Headers, with valid names and values",
        )
    })?;
    let headers = Headers::from_raw(headers);
    for (name, hint) in [
        ("x-api-key", "pass the key as apiKey"),
        ("content-type", "the library sets it"),
        ("idempotency-key", "pass it as idempotencyKey"),
    ] {
        if headers.has(name) {
            return Err(CallError::invalid_options(format!(
                "headers must not contain {name}: {hint}"
            )));
        }
    }
    Ok(headers)
}

/// Creates headers from a value of any form that `fetch` accepts, like the constructor, to which all
/// of these functions of web-sys pass their argument.
fn new_headers(value: &JsValue) -> Result<web_sys::Headers, JsValue> {
    web_sys::Headers::new_with_str_sequence_sequence(value)
}
