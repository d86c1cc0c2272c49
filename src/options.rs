//! What the caller said: parsed and checked before anything is read or sent.

use contract::{IMAGE_URL, Parameters, PreviewMesh};
use js_sys::{Function, JSON, Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use tsify::Tsify;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, Url};

use crate::error::{ErrorKind, Failure, Result, Thrown, words};
use crate::image::Picture;
use crate::js::{Given, shown};

/// The address that the API's documentation names.
pub const DEFAULT_BASE_URL: &str = "https://api.csm.ai";
/// In milliseconds, as the others.
const DEFAULT_TIMEOUT: f64 = 600_000.0;
/// A refinement may take longer than ten minutes.
const DEFAULT_WAIT: f64 = 3_600_000.0;
const DEFAULT_INTERVAL: f64 = 2000.0;
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

/// How far the picture, or the model, is on its way.
#[derive(Serialize, Tsify)]
pub struct Progress {
    /// `"encoding"`: the picture is being read and encoded. `"sending"`: the request has been
    /// handed to `fetch`, which reports no upload progress. `"downloading"`: the model is coming.
    pub phase: Phase,
    /// Bytes of the picture that are encoded, or of the model that have come.
    pub loaded: f64,
    /// Bytes in all; 0 where the server does not say how many.
    pub total: f64,
}

/// What a call is doing.
#[derive(Clone, Copy, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Phase {
    Encoding,
    Sending,
    Downloading,
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
/// What a request for a mesh may say once more.
const PLACEMENT: [&str; 2] = ["scaled_bbox", "pivot_point"];
const SPINS: [&str; 2] = ["selected_spin_index", "selected_spin"];
const FOLLOW: [&str; 2] = ["onUpdate", "interval"];

/// What following a session takes beside the connection.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct FollowOptions {
    /// Called with the session whenever its status or its percentage has changed, the first time
    /// at once. What it throws ends the call.
    #[tsify(type = "(session: Session) => void", optional)]
    on_update: JsValue,
    /// How long to wait before the session is asked for again, in milliseconds. Default: `2000`.
    /// Each wait is half as long again as the one before, up to 15 s (or to `interval`, where that
    /// is longer), unless the API says in `Retry-After` when to come back.
    #[tsify(type = "number", optional)]
    interval: JsValue,
    /// How long the whole call may take, in milliseconds. Default: `3600000` (an hour);
    /// `Infinity` for no limit. The error holds the session as it was last seen.
    #[tsify(type = "number", optional)]
    timeout: JsValue,
}

/// A stage of a session, as something to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Until {
    Spins,
    Preview,
    Refine,
}

/// What `waitForSession` takes beside the session's code.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** What to wait for. Default: `\"preview\"`. */\n  until?: Until;\n} & FollowOptions & ConnectionOptions"
)]
pub struct WaitOptions;

/// What `imageTo3d` takes.
#[derive(Tsify)]
#[tsify(type = "CreateSessionOptions & FollowOptions")]
pub struct ImageTo3dOptions;

/// What `listSessions` takes.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** How many sessions to answer at most. Default: the API's, `10`. */\n  limit?: number;\n  /** Which page of so many, from 0. Default: `0`. */\n  page?: number;\n} & ConnectionOptions"
)]
pub struct ListOptions;

/// What may be said once more about the mesh when it is requested.
#[derive(Tsify)]
#[tsify(
    type = "Pick<Parameters, \"scaled_bbox\" | \"pivot_point\"> & Pick<CreateOptions, \"idempotencyKey\"> & ConnectionOptions"
)]
pub struct RefineOptions;

/// What `requestPreview` takes beside the session's code.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** Which of the session's `spins` to go on with, from 0 to 3. For `preview_mesh: \"turbo\"`. */\n  selected_spin_index?: 0 | 1 | 2 | 3;\n  /** The `image_url` of the spin to go on with. For `preview_mesh: \"turbo\"`. */\n  selected_spin?: string;\n} & RefineOptions"
)]
pub struct PreviewOptions;

/// A format in which a model can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ModelFormat {
    Glb,
    Obj,
    Usdz,
    Zip,
    Fbx,
}

impl ModelFormat {
    pub const ALL: [(&'static str, Self); 5] = [
        ("glb", Self::Glb),
        ("obj", Self::Obj),
        ("usdz", Self::Usdz),
        ("zip", Self::Zip),
        ("fbx", Self::Fbx),
    ];

    /// As the fields of a session are named: `mesh_url_<name>`.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// The media type, by IANA's registry; FBX has none of its own.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Glb => "model/gltf-binary",
            Self::Obj => "model/obj",
            Self::Usdz => "model/vnd.usdz+zip",
            Self::Zip => "application/zip",
            Self::Fbx => "application/octet-stream",
        }
    }
}

/// What `downloadModel` takes beside the session.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** Default: `\"glb\"`. */\n  format?: ModelFormat;\n  /** Called for each piece that has come. What it throws ends the call. */\n  onProgress?: (progress: Progress) => void;\n} & Partial<ConnectionOptions>"
)]
pub struct DownloadOptions;

/// The options of one `createSession`.
pub struct Create {
    pub picture: Picture,
    pub parameters: Parameters,
    /// The parameters and `extra`, as one JSON object.
    pub json: String,
    pub idempotency_key: Option<String>,
    pub on_progress: Option<Function>,
    pub connection: Connection,
}

impl Create {
    /// Reads the options of `createSession`.
    pub fn read(options: &JsValue) -> Result<Self> {
        let known = [&Parameters::NAMES[..], &CREATE, &CONNECTION];
        Self::from(&Fields::read(options, &known)?, DEFAULT_TIMEOUT)
    }

    fn from(fields: &Fields, timeout: f64) -> Result<Self> {
        let parameters = Parameters::read(|name| fields.get(name).map(Given))?;
        if parameters.preview_mesh == Some(PreviewMesh::Turbo)
            && parameters.generate_texture == Some(true)
        {
            warn("csm-image-to-3d: generate_texture has no effect with preview_mesh \"turbo\"");
        }
        Ok(Self {
            picture: Picture::read(fields.get("image"), fields.get(IMAGE_URL))?,
            json: body_json(&parameters, fields.get("extra"))?,
            parameters,
            idempotency_key: fields.idempotency_key()?,
            on_progress: fields.function("onProgress")?,
            connection: Connection::read(fields, timeout)?,
        })
    }
}

/// How to follow a session.
pub struct Follow {
    pub on_update: Option<Function>,
    /// In milliseconds.
    pub interval: f64,
}

impl Follow {
    fn read(fields: &Fields) -> Result<Self> {
        Ok(Self {
            on_update: fields.function("onUpdate")?,
            interval: fields.milliseconds("interval")?.unwrap_or(DEFAULT_INTERVAL),
        })
    }

    /// Reads the options of `waitForSession`.
    pub fn read_wait(options: &JsValue) -> Result<(Until, Self, Connection)> {
        let fields = Fields::read(options, &[&["until"], &FOLLOW, &CONNECTION])?;
        let until = fields.checked("until", "\"spins\", \"preview\", \"refine\"", |value| {
            serde_wasm_bindgen::from_value(value).ok()
        })?;
        let connection = Connection::read(&fields, DEFAULT_WAIT)?;
        Ok((
            until.unwrap_or(Until::Preview),
            Self::read(&fields)?,
            connection,
        ))
    }

    /// Reads the options of `imageTo3d`.
    pub fn read_with_create(options: &JsValue) -> Result<(Create, Self)> {
        let known = [&Parameters::NAMES[..], &CREATE, &FOLLOW, &CONNECTION];
        let fields = Fields::read(options, &known)?;
        Ok((Create::from(&fields, DEFAULT_WAIT)?, Self::read(&fields)?))
    }
}

/// A request for a mesh of a session that is there: its body, and what goes with it.
pub struct Mesh {
    /// The request's body.
    pub json: String,
    pub idempotency_key: Option<String>,
    pub connection: Connection,
}

impl Mesh {
    /// Reads the options of `requestPreview`, or, without the spins, of `requestRefine`.
    pub fn read(options: &JsValue, with_spins: bool) -> Result<Self> {
        let spins = if with_spins { &SPINS[..] } else { &[] };
        let fields = Fields::read(
            options,
            &[spins, &PLACEMENT, &["idempotencyKey"], &CONNECTION],
        )?;
        let placement = |name| {
            PLACEMENT
                .contains(&name)
                .then(|| fields.get(name))
                .flatten()
        };
        let body = parameters_object(&Parameters::read(|name| placement(name).map(Given))?)?;
        let index = fields.number("selected_spin_index", "0, 1, 2, 3", |index| {
            [0.0, 1.0, 2.0, 3.0].contains(&index)
        })?;
        fields.text("selected_spin")?;
        if index.is_some() && fields.get("selected_spin").is_some() {
            return Err(Failure::invalid(
                "selected_spin: came together with selected_spin_index; give one",
            )
            .into());
        }
        for name in SPINS {
            if let Some(value) = fields.get(name) {
                Reflect::set(&body, &name.into(), &value).map_err(Thrown::Value)?;
            }
        }
        Ok(Self {
            json: JSON::stringify(&body).map_err(Thrown::Value)?.into(),
            idempotency_key: fields.idempotency_key()?,
            connection: Connection::read(&fields, DEFAULT_TIMEOUT)?,
        })
    }
}

/// The options of a call that has none but the connection's.
pub fn read_connection(options: &JsValue) -> Result<Connection> {
    Connection::read(&Fields::read(options, &[&CONNECTION])?, DEFAULT_TIMEOUT)
}

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

/// What to download, and how.
pub struct Download {
    pub format: ModelFormat,
    pub on_progress: Option<Function>,
    pub connection: Connection,
}

impl Download {
    /// Reads the options of `downloadModel`.
    pub fn read(options: &JsValue) -> Result<Self> {
        let none = Object::new();
        let options = if options.is_undefined() {
            &none
        } else {
            options
        };
        let fields = Fields::read(options, &[&["format", "onProgress"], &CONNECTION])?;
        let format = fields.checked(
            "format",
            "\"glb\", \"obj\", \"usdz\", \"zip\", \"fbx\"",
            |value| {
                let text = value.as_string()?;
                let found = ModelFormat::ALL.iter().find(|(name, _)| *name == text);
                found.map(|(_, format)| *format)
            },
        )?;
        Ok(Self {
            format: format.unwrap_or(ModelFormat::Glb),
            on_progress: fields.function("onProgress")?,
            // The links of a result need no key.
            connection: Connection::read_without_key(&fields, DEFAULT_TIMEOUT)?,
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
    fn read(given: Option<JsValue>) -> Result<Self> {
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
    fn read(fields: &Fields, timeout: f64) -> Result<Self> {
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

    fn read_without_key(fields: &Fields, timeout: f64) -> Result<Self> {
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

    fn milliseconds(&self, name: &str) -> Result<Option<f64>> {
        self.number(name, "a number of milliseconds above 0", |ms| ms > 0.0)
    }

    fn idempotency_key(&self) -> Result<Option<String>> {
        let key = self.text("idempotencyKey")?;
        if let Some(key) = &key {
            header_value("idempotencyKey", key)?;
        }
        Ok(key)
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
fn body_json(parameters: &Parameters, extra: Option<JsValue>) -> Result<String> {
    let body = parameters_object(parameters)?;
    if let Some(extra) = extra {
        let fields = plain_object(&extra)
            .ok_or_else(|| refused("extra", &extra, "an object with further parameters"))?;
        let known = [&Parameters::NAMES[..], &CREATE, &CONNECTION];
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

fn parameters_object(parameters: &Parameters) -> Result<Object> {
    let object = serde_wasm_bindgen::to_value(parameters);
    let object = object.map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    Ok(object.unchecked_into())
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
