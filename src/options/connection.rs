//! Where the API is and how to talk to it: the options of every call.

use js_sys::{Function, Promise, Reflect};
use tsify::Tsify;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, Url};

use super::fields::{Fields, refused};
use crate::error::{ErrorKind, Failure, Result, Thrown, words};

/// The address that the API's documentation names.
const DEFAULT_BASE_URL: &str = "https://api.csm.ai";

/// In milliseconds, as the others.
pub(super) const DEFAULT_TIMEOUT: f64 = 600_000.0;

const DEFAULT_RETRIES: u32 = 2;

/// Where the API is and how to talk to it: the same for every call.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct ConnectionOptions {
    /// The API key, or a function that gives it (or a promise of it), asked once per call.
    ///
    /// Required unless `baseUrl` or `fetch` is given. A key in a page is public: let a server of
    /// your own add it, and name that server in `baseUrl`.
    #[tsify(type = "string | (() => string | Promise<string>)", optional)]
    api_key: JsValue,
    /// The API's address, with or without a trailing slash; a path prefix is allowed, and so is
    /// an address relative to the page. Default: `"https://api.csm.ai"`.
    #[tsify(type = "string | URL", optional)]
    base_url: JsValue,
    /// Further headers. They cannot set what the library sets itself: `x-api-key`, `content-type`
    /// and `idempotency-key`.
    #[tsify(type = "HeadersInit", optional)]
    headers: JsValue,
    /// Ends the call: it rejects with the signal's `reason`.
    #[tsify(type = "AbortSignal", optional)]
    signal: JsValue,
    /// How long the whole call may take, in milliseconds. Default: `600000` (ten minutes);
    /// `Infinity` for no limit.
    #[tsify(type = "number", optional)]
    timeout: JsValue,
    /// How often a failed request may be sent again, where that cannot cost twice. Default: `2`.
    ///
    /// A request that creates something is sent again only where the API has said that nothing
    /// was created (429, or 503 with `Retry-After`), or under an `idempotencyKey`.
    #[tsify(type = "number", optional)]
    max_retries: JsValue,
    /// What to call instead of the global `fetch`, with a `Request`.
    #[tsify(type = "(request: Request) => Promise<Response>", optional)]
    fetch: JsValue,
}

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
    pub key: Key,
    /// Absolute, with no slash at its end.
    pub base_url: String,
    pub headers: Headers,
    pub signal: Option<AbortSignal>,
    /// In milliseconds.
    pub timeout: f64,
    pub max_retries: u32,
    pub fetch: Option<Function>,
}

/// Where the API key comes from.
pub enum Key {
    /// The server needs none, or adds it itself.
    None,
    Text(String),
    Function(Function),
}

impl Key {
    pub(super) fn read(given: Option<JsValue>) -> Result<Self> {
        let Some(given) = given else {
            return Ok(Self::None);
        };
        match (given.as_string(), given.dyn_into::<Function>()) {
            (Some(key), _) if !key.is_empty() => {
                header_value("apiKey", &key)?;
                Ok(Self::Text(key))
            }
            (_, Ok(function)) => Ok(Self::Function(function)),
            // The value is not repeated: it may be most of a key.
            _ => Err(Failure::invalid(
                "apiKey: allowed: a text that is not empty, or a function that gives one",
            )
            .into()),
        }
    }

    /// The key, asked for where it is a function's to give.
    pub async fn get(&self) -> Result<Option<String>> {
        match self {
            Key::None => Ok(None),
            Key::Text(key) => Ok(Some(key.clone())),
            Key::Function(function) => {
                let given = function.call0(&JsValue::UNDEFINED).map_err(Thrown::Value)?;
                let given = JsFuture::from(Promise::resolve(&given)).await;
                let given = given.map_err(Thrown::Value)?;
                let key = given.as_string().filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| {
                    Failure::invalid("apiKey: the function gave no text, or an empty one")
                })?;
                header_value("apiKey", &key)?;
                Ok(Some(key))
            }
        }
    }
}

impl Connection {
    /// `timeout` is the default, in milliseconds.
    pub(super) fn read(fields: &Fields, timeout: f64) -> Result<Self> {
        let connection = Self::read_without_key(fields, timeout)?;
        if matches!(connection.key, Key::None)
            && fields.get("baseUrl").is_none()
            && connection.fetch.is_none()
        {
            return Err(Failure::invalid(
                "apiKey: missing; it is required unless baseUrl names a server that needs none",
            )
            .into());
        }
        Ok(connection)
    }

    /// Where a call does without a key too.
    pub(super) fn read_without_key(fields: &Fields, timeout: f64) -> Result<Self> {
        Ok(Self {
            key: Key::read(fields.get("apiKey"))?,
            base_url: match fields.get("baseUrl") {
                None => DEFAULT_BASE_URL.into(),
                Some(url) => absolute(&url)?,
            },
            headers: read_headers(fields.get("headers"))?,
            signal: read_signal(fields.get("signal"))?,
            timeout: fields.milliseconds("timeout")?.unwrap_or(timeout),
            max_retries: fields
                .number("maxRetries", "a whole number from 0 to 100", |count| {
                    (0.0..=100.0).contains(&count) && count.trunc() == count
                })?
                .map_or(DEFAULT_RETRIES, |count| count as u32),
            fetch: fields.function("fetch")?,
        })
    }

    /// Where the API is, without its path: `https://api.csm.ai`.
    pub fn origin(&self) -> String {
        Url::new(&self.base_url).map_or_else(|_| String::new(), |url| url.origin())
    }

    /// The failure where no answer came.
    pub fn no_answer(&self, thrown: &JsValue) -> Failure {
        let mut message = ["no answer from ", &self.base_url, ": ", &words(thrown)].concat();
        message.push_str(if self.base_url == DEFAULT_BASE_URL {
            ". The service that stood at this address is reported gone since 2026: baseUrl names \
             another server of the same API, such as one of your own (see the README)"
        } else {
            ". The server is off, its name does not resolve, the connection broke, or it does not \
             allow this page's origin (CORS): a page cannot tell which"
        });
        Failure::new(ErrorKind::Network, message)
    }
}

/// The base URL, absolute and with no slash at its end.
fn absolute(given: &JsValue) -> Result<String> {
    const ALLOWED: &str = "an http: or https: address without query and fragment";
    let text = match given.dyn_ref::<Url>() {
        Some(url) => Some(url.href()),
        None => given.as_string(),
    };
    let url = text.and_then(|text| match page_address() {
        Some(page) => Url::new_with_base(&text, &page).ok(),
        None => Url::new(&text).ok(),
    });
    let Some(url) = url else {
        return Err(refused("baseUrl", given, ALLOWED));
    };
    if !url.username().is_empty() || !url.password().is_empty() {
        // Not repeated: it holds a password.
        return Err(Failure::invalid("baseUrl: an address with a user or password in it").into());
    }
    if !matches!(&*url.protocol(), "http:" | "https:")
        || !url.search().is_empty()
        || !url.hash().is_empty()
    {
        return Err(refused("baseUrl", given, ALLOWED));
    }
    Ok(url.href().trim_end_matches('/').into())
}

/// The page's (or worker's) own address; none in a runtime such as Node.
fn page_address() -> Option<String> {
    let location = Reflect::get(&js_sys::global(), &"location".into()).ok()?;
    if location.is_undefined() {
        return None;
    }
    Reflect::get(&location, &"href".into()).ok()?.as_string()
}

fn read_headers(given: Option<JsValue>) -> Result<Headers> {
    let headers = match given {
        None => Headers::new(),
        Some(given) => Headers::new_with_str_sequence_sequence(&given),
    };
    // The browser's message may repeat a value, and a value may be a secret.
    let headers = headers.map_err(|_| {
        Failure::invalid(
            "headers: allowed: an object, pairs or Headers with valid names and values",
        )
    })?;
    for (name, option) in [
        ("x-api-key", "apiKey sets it"),
        ("content-type", "the library sets it"),
        ("idempotency-key", "idempotencyKey sets it"),
    ] {
        if headers.has(name).unwrap_or(false) {
            return Err(Failure::invalid(["headers: ", name, ": ", option].concat()).into());
        }
    }
    Ok(headers)
}

fn read_signal(given: Option<JsValue>) -> Result<Option<AbortSignal>> {
    let Some(given) = given else {
        return Ok(None);
    };
    // A signal of another frame is no instance of this frame's class.
    match Reflect::get(&given, &"aborted".into()) {
        Ok(aborted) if aborted.as_bool().is_some() => Ok(Some(given.unchecked_into())),
        _ => Err(refused("signal", &given, "an AbortSignal")),
    }
}

/// Refuses what `fetch` would refuse, in words that do not repeat the value.
pub(super) fn header_value(name: &str, value: &str) -> Result<()> {
    let fits = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{ff}');
    if value.chars().all(fits) && value.trim() == value {
        return Ok(());
    }
    Err(Failure::invalid(
        [
            name,
            ": holds a character that no header may hold, or a space at its end",
        ]
        .concat(),
    )
    .into())
}
