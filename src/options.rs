//! What the caller said: parsed and checked before anything is read or sent.

use contract::{IMAGE_URL, Parameters, PreviewMesh};
use js_sys::{Function, JSON, Object, Promise, Reflect};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, Url};

use crate::error::{ErrorKind, Failure, Result, Thrown, words};
use crate::image::Picture;
use crate::js::{Given, shown};

/// The address that the API's documentation names.
pub const DEFAULT_BASE_URL: &str = "https://api.csm.ai";
const DEFAULT_TIMEOUT: f64 = 600_000.0;
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

/// How far the picture is on its way.
#[derive(Serialize, Tsify)]
pub struct Progress {
    /// `"encoding"`: the picture is being read and encoded. `"sending"`: the request has been
    /// handed to `fetch`, which reports no upload progress.
    pub phase: Phase,
    /// Bytes of the picture that are encoded.
    pub loaded: f64,
    /// Bytes of the picture in all.
    pub total: f64,
}

/// What a call is doing.
#[derive(Clone, Copy, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Phase {
    Encoding,
    Sending,
}

/// What only a request that creates something takes.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct CreateOptions {
    /// Further parameters, put into the request's body as they are: for parameters of the API
    /// that are newer than this library. A name that the library knows is an error here.
    #[tsify(type = "Record<string, unknown>", optional)]
    extra: JsValue,
    /// Sent as `Idempotency-Key`, for servers that honour it (the one of this project does):
    /// the same key and request twice make one session, and so the call may be sent again after
    /// any failure. The documented service is not known to honour it.
    #[tsify(type = "string", optional)]
    idempotency_key: JsValue,
    /// Called while the picture is read and encoded, and once when the request is handed to
    /// `fetch`. What it throws ends the call.
    #[tsify(type = "(progress: Progress) => void", optional)]
    on_progress: JsValue,
}

/// The picture: exactly one of `image` and `image_url`.
///
/// - `image`: a picture as the browser has it. What it is, is told from its first bytes; its
///   `type` and its name do not matter. PNG, JPEG, WebP, GIF, BMP, AVIF, HEIC and TIFF are known.
/// - `image_url`: an `https:` or `http:` URL that the API can reach, or the picture as a base64
///   `data:` URI. Who has a large picture does better with `image`.
#[derive(Tsify)]
#[serde(untagged)]
#[allow(dead_code, missing_docs)]
pub enum ImageSource {
    Image {
        #[tsify(type = "File | Blob | ArrayBuffer | ArrayBufferView")]
        image: JsValue,
        #[tsify(type = "never", optional)]
        image_url: JsValue,
    },
    Url {
        #[tsify(type = "never", optional)]
        image: JsValue,
        image_url: String,
    },
}

/// What `createSession` takes.
#[derive(Tsify)]
#[tsify(type = "ImageSource & Parameters & CreateOptions & ConnectionOptions")]
pub struct CreateSessionOptions;

const CONNECTION: [&str; 7] = [
    "apiKey",
    "baseUrl",
    "headers",
    "signal",
    "timeout",
    "maxRetries",
    "fetch",
];
const CREATE: [&str; 5] = ["image", IMAGE_URL, "extra", "idempotencyKey", "onProgress"];

/// The options of one `createSession`.
pub struct Create {
    pub picture: Picture,
    /// The parameters and `extra`, as one JSON object.
    pub parameters: String,
    pub idempotency_key: Option<String>,
    pub on_progress: Option<Function>,
    pub connection: Connection,
}

impl Create {
    pub fn read(options: &JsValue) -> Result<Self> {
        let known = [&Parameters::NAMES[..], &CREATE, &CONNECTION];
        let fields = Fields::read(options, &known)?;
        let parameters = Parameters::read(|name| fields.get(name).map(Given))?;
        let picture = Picture::read(fields.get("image"), fields.get(IMAGE_URL))?;
        let idempotency_key = fields.text("idempotencyKey")?;
        if let Some(key) = &idempotency_key {
            header_value("idempotencyKey", key)?;
        }
        let json = body_json(&parameters, fields.get("extra"), &known)?;
        if parameters.preview_mesh == Some(PreviewMesh::Turbo)
            && parameters.generate_texture == Some(true)
        {
            warn("csm-image-to-3d: generate_texture has no effect with preview_mesh \"turbo\"");
        }
        Ok(Self {
            picture,
            parameters: json,
            idempotency_key,
            on_progress: fields.function("onProgress")?,
            connection: Connection::read(&fields)?,
        })
    }
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
    /// The key, asked for where it is a function's to give.
    pub async fn get(&self) -> Result<Option<String>> {
        match self {
            Key::None => Ok(None),
            Key::Text(key) => Ok(Some(key.clone())),
            Key::Function(function) => {
                let given = function.call0(&JsValue::UNDEFINED).map_err(Thrown::Value)?;
                let given = JsFuture::from(Promise::resolve(&given)).await;
                let given = given.map_err(Thrown::Value)?;
                // The value is not repeated: it may be most of a key.
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
    fn read(fields: &Fields) -> Result<Self> {
        let fetch = fields.function("fetch")?;
        let base_url = fields.get("baseUrl");
        let key = match fields.get("apiKey") {
            None if base_url.is_none() && fetch.is_none() => {
                return Err(Failure::invalid(
                    "apiKey: missing; it is required unless baseUrl names a server that needs none",
                )
                .into());
            }
            None => Key::None,
            Some(key) => match (key.as_string(), key.dyn_into::<Function>()) {
                (Some(key), _) if !key.is_empty() => {
                    header_value("apiKey", &key)?;
                    Key::Text(key)
                }
                (_, Ok(function)) => Key::Function(function),
                _ => {
                    return Err(Failure::invalid(
                        "apiKey: allowed: a text that is not empty, or a function that gives one",
                    )
                    .into());
                }
            },
        };
        Ok(Self {
            key,
            base_url: match base_url {
                None => DEFAULT_BASE_URL.into(),
                Some(url) => absolute(&url)?,
            },
            headers: read_headers(fields.get("headers"))?,
            signal: read_signal(fields.get("signal"))?,
            timeout: fields
                .number("timeout", "a number of milliseconds above 0", |ms| ms > 0.0)?
                .unwrap_or(DEFAULT_TIMEOUT),
            max_retries: fields
                .number("maxRetries", "a whole number from 0 to 100", |count| {
                    (0.0..=100.0).contains(&count) && count.trunc() == count
                })?
                .map_or(DEFAULT_RETRIES, |count| count as u32),
            fetch,
        })
    }
}

/// The caller's object, once it is known to hold no option that does not exist.
struct Fields(Object);

impl Fields {
    fn read(options: &JsValue, known: &[&[&str]]) -> Result<Self> {
        let fields = plain_object(options)
            .ok_or_else(|| refused("options", options, "an object with the call's options"))?;
        for name in names(&fields) {
            if known.iter().any(|names| names.contains(&&*name)) {
                continue;
            }
            let hint = match nearest(&name, known.iter().copied().flatten()) {
                Some(near) => ["; did you mean ", near, "?"].concat(),
                None => "; a parameter newer than this library goes into extra".into(),
            };
            return Err(Failure::invalid(
                [&name, ": there is no option of that name", &hint].concat(),
            )
            .into());
        }
        Ok(Self(fields))
    }

    /// The value of an option; `None` where it is left out or `undefined`.
    fn get(&self, name: &str) -> Option<JsValue> {
        let value = Reflect::get(&self.0, &name.into()).ok()?;
        (!value.is_undefined()).then_some(value)
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        self.checked(name, "a text that is not empty", |value| {
            value.as_string().filter(|text| !text.is_empty())
        })
    }

    fn function(&self, name: &str) -> Result<Option<Function>> {
        self.checked(name, "a function", |value| value.dyn_into().ok())
    }

    fn number(&self, name: &str, allowed: &str, fits: impl Fn(f64) -> bool) -> Result<Option<f64>> {
        self.checked(name, allowed, |value| value.as_f64().filter(|n| fits(*n)))
    }

    fn checked<T>(
        &self,
        name: &str,
        allowed: &str,
        convert: impl FnOnce(JsValue) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match convert(value.clone()) {
            Some(converted) => Ok(Some(converted)),
            None => Err(refused(name, &value, allowed)),
        }
    }
}

/// The error for an option that holds what is not allowed.
pub fn refused(name: &str, came: &JsValue, allowed: &str) -> Thrown {
    Failure::invalid([name, ": came ", &shown(came), ", allowed: ", allowed].concat()).into()
}

fn plain_object(value: &JsValue) -> Option<Object> {
    let is_record = value.is_object() && !js_sys::Array::is_array(value);
    is_record.then(|| value.clone().unchecked_into())
}

fn names(object: &Object) -> impl Iterator<Item = String> {
    let names = Object::keys(object).into_iter();
    names.filter_map(|name| name.as_string())
}

/// The known name that a caller most likely meant. Case and underscores do not count, so that
/// `api_key` finds `apiKey`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let meant = plain(name);
    let (distance, near) = known
        .map(|known| (strsim::osa_distance(&meant, &plain(known)), *known))
        .min()?;
    (distance <= 2.max(meant.len() / 4)).then_some(near)
}

/// The parameters and `extra` as one JSON object, written by the browser.
fn body_json(parameters: &Parameters, extra: Option<JsValue>, known: &[&[&str]]) -> Result<String> {
    let body: Object = serde_wasm_bindgen::to_value(parameters)
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?
        .unchecked_into();
    if let Some(extra) = extra {
        let fields = plain_object(&extra)
            .ok_or_else(|| refused("extra", &extra, "an object with further parameters"))?;
        for name in names(&fields) {
            if known.iter().any(|names| names.contains(&&*name)) {
                return Err(Failure::invalid(
                    [
                        "extra.",
                        &name,
                        ": the library knows this one: give it as an option",
                    ]
                    .concat(),
                )
                .into());
            }
        }
        Object::assign(&body, &fields);
    }
    let text = JSON::stringify(&body).map_err(|thrown| {
        let why = words(&thrown);
        Failure::invalid(["extra: cannot be written as JSON: ", &why].concat())
    })?;
    Ok(text.into())
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
fn header_value(name: &str, value: &str) -> Result<()> {
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

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn warn(message: &str);
}
