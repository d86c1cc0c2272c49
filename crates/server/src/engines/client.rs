//! The HTTP client of a remote engine: it sends the API key to the engine's own URL only, and
//! downloads results without it.

use std::fmt::{self, Display};
use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, Body, Timeout};

use super::api_key::ApiKey;
use super::form::{BOUNDARY, Form};
use super::transport;

/// The largest response, in bytes: one that contains a whole model as base64.
const MAX_RESPONSE: u64 = 512 * 1024 * 1024;
/// The largest model that is downloaded, in bytes.
const MAX_MODEL: u64 = 256 * 1024 * 1024;
/// Time limit for a download: the largest model over a slow line.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;
/// How many characters of an engine's message are repeated.
const MAX_DETAIL: usize = 300;

/// Sends requests to one engine.
pub struct Client {
    agent: Agent,
    /// Time limit for one request; in a download, for each read.
    timeout: Duration,
    /// Without a trailing slash.
    base_url: String,
    /// `None` if the engine needs no key.
    api_key: Option<ApiKey>,
    /// The hosts of results, with their ports if not the default; `*.` allows any subdomain.
    result_hosts: Vec<String>,
}

/// A response of an engine's API.
pub struct ApiResponse {
    pub status: u16,
    /// Null if the body is not JSON.
    pub body: Value,
    pub retry_after: Option<Duration>,
    /// The number in the header `x-fal-billable-units`.
    pub billable_units: Option<f64>,
}

/// The body of a request.
enum RequestBody {
    None,
    Json(String),
    Multipart {
        boundary: &'static str,
        bytes: Vec<u8>,
    },
}

impl RequestBody {
    fn media_type(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Json(_) => Some("application/json".into()),
            Self::Multipart { boundary, .. } => {
                Some(format!("multipart/form-data; boundary={boundary}"))
            }
        }
    }
}

/// A header of a request.
pub type Header = (&'static str, String);

/// An error response, with the engine's message in a form that is safe to show.
#[derive(Debug, Error)]
pub struct ErrorResponse {
    status: u16,
    detail: String,
}

impl Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, detail } = self;
        match detail.is_empty() {
            true => write!(f, "HTTP {status}"),
            false => write!(f, "HTTP {status}: {detail}"),
        }
    }
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    #[error("host not found")]
    HostNotFound,
    #[error("cannot be reached")]
    Unreachable,
    #[error("connection refused")]
    Refused,
    #[error("no secure connection")]
    Tls,
    #[error("invalid URL")]
    InvalidUrl,
    #[error("no response in time")]
    TimedOut,
    #[error("the response is too large")]
    TooLarge,
    #[error("the connection broke")]
    Broken,
}

impl RequestError {
    /// Returns whether the engine may have received the request. Otherwise not a byte of it was sent.
    pub fn may_have_arrived(self) -> bool {
        matches!(self, Self::TimedOut | Self::TooLarge | Self::Broken)
    }
}

impl From<ureq::Error> for RequestError {
    fn from(error: ureq::Error) -> Self {
        use ureq::Error;
        match error {
            Error::HostNotFound => Self::HostNotFound,
            Error::ConnectionFailed => Self::Unreachable,
            Error::Timeout(Timeout::Resolve | Timeout::Connect) => Self::Unreachable,
            Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Self::Refused,
            Error::Timeout(_) => Self::TimedOut,
            Error::BodyExceedsLimit(_) => Self::TooLarge,
            Error::Tls(_) | Error::Rustls(_) => Self::Tls,
            Error::BadUri(_) | Error::Http(_) => Self::InvalidUrl,
            _ => Self::Broken,
        }
    }
}

/// Why a result cannot be downloaded.
#[derive(Debug, Error)]
pub enum DownloadError {
    #[error("the result has expired")]
    Expired,
    #[error("the result's server: {0}")]
    Request(#[from] RequestError),
    #[error("the result's server: HTTP {0}")]
    Status(u16),
    #[error("the result is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the result has an invalid URL")]
    InvalidUrl,
    #[error("the result's URL is not an https: one")]
    NotHttps,
    #[error(
        "the result is at {host:?}, and only results from {} are downloaded; add the host to \
         result_hosts in the engine's configuration",
        .allowed.join(", ")
    )]
    HostNotAllowed { host: String, allowed: Vec<String> },
    #[error("the result is behind more than {MAX_REDIRECTS} redirects")]
    TooManyRedirects,
}

impl DownloadError {
    /// Returns whether a later attempt may succeed.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Request(_) => true,
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }
}

impl Client {
    /// Creates a client. `timeout` limits one request, and each read of a download.
    pub fn new(
        base_url: &str,
        api_key: Option<ApiKey>,
        result_hosts: Vec<String>,
        timeout: Duration,
    ) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the key to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .timeout_resolve(Some(timeout))
            .timeout_connect(Some(timeout.min(CONNECT_TIMEOUT)))
            .proxy(None)
            // A request on an idle connection that the server is closing would be lost.
            .max_idle_connections(0)
            .user_agent("csm-image-to-3d")
            .build();
        Self {
            agent: transport::agent(config),
            timeout,
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_key,
            result_hosts,
        }
    }

    /// Returns the same client for another URL of the engine, with the same key.
    pub fn with_base_url(&self, base_url: &str) -> Self {
        Self {
            agent: self.agent.clone(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_key: self.api_key.clone(),
            result_hosts: self.result_hosts.clone(),
            ..*self
        }
    }

    /// Returns the engine's base URL, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Sends a GET request with the API key to a path below the base URL.
    ///
    /// # Errors
    /// Fails if there is no response. An error response is `Ok`.
    pub fn get(&self, path: &str) -> Result<ApiResponse, RequestError> {
        self.send(Method::GET, path, &[], RequestBody::None)
    }

    /// Sends a POST request with a JSON body, as [`get`](Self::get) does.
    ///
    /// # Errors
    /// Fails if there is no response.
    pub fn post(&self, path: &str, body: &Value) -> Result<ApiResponse, RequestError> {
        self.post_with(path, &[], body)
    }

    /// Sends a POST request with additional headers and a JSON body, as [`get`](Self::get) does.
    ///
    /// # Errors
    /// Fails if there is no response.
    pub fn post_with(
        &self,
        path: &str,
        headers: &[Header],
        body: &Value,
    ) -> Result<ApiResponse, RequestError> {
        self.send(
            Method::POST,
            path,
            headers,
            RequestBody::Json(body.to_string()),
        )
    }

    /// Sends a file in a form, as [`get`](Self::get) does.
    ///
    /// # Errors
    /// Fails if there is no response.
    pub fn upload(&self, path: &str, form: &Form) -> Result<ApiResponse, RequestError> {
        let body = RequestBody::Multipart {
            boundary: BOUNDARY,
            bytes: form.encode(),
        };
        self.send(Method::POST, path, &[], body)
    }

    /// Sends a PUT request with an empty body, as [`get`](Self::get) does.
    ///
    /// # Errors
    /// Fails if there is no response.
    pub fn put(&self, path: &str) -> Result<ApiResponse, RequestError> {
        self.send(Method::PUT, path, &[], RequestBody::Json(String::new()))
    }

    /// Sends a DELETE request, as [`get`](Self::get) does.
    ///
    /// # Errors
    /// Fails if there is no response.
    pub fn delete(&self, path: &str) -> Result<ApiResponse, RequestError> {
        self.send(Method::DELETE, path, &[], RequestBody::None)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[Header],
        body: RequestBody,
    ) -> Result<ApiResponse, RequestError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url));
        if let Some(key) = &self.api_key {
            request = request.header(AUTHORIZATION, key.header_value());
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(media_type) = body.media_type() {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let mut response = match body {
            RequestBody::None => self.run(request.body(())),
            RequestBody::Json(text) => self.run(request.body(text.into_bytes())),
            RequestBody::Multipart { bytes, .. } => self.run(request.body(bytes)),
        }?;
        let status = response.status().as_u16();
        let retry_after = number(&response, RETRY_AFTER.as_str()).map(Duration::from_secs);
        let billable_units = number(&response, "x-fal-billable-units");
        let body = response.body_mut().with_config().limit(MAX_RESPONSE);
        let body = body.read_to_vec()?;
        Ok(ApiResponse {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            retry_after,
            billable_units,
        })
    }

    fn run<B: ureq::AsSendBody>(
        &self,
        request: Result<Request<B>, ureq::http::Error>,
    ) -> Result<Response<Body>, ureq::Error> {
        self.agent.run(request?)
    }

    /// Downloads a result, without the API key.
    ///
    /// # Errors
    /// Fails if the URL, or one that it redirects to, is not at an allowed host, and if the file is
    /// not received whole.
    pub fn download(&self, url: &str) -> Result<Vec<u8>, DownloadError> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let uri: Uri = url.parse().map_err(|_| DownloadError::InvalidUrl)?;
            self.check_result_url(&uri)?;
            let mut response = self.start_download(&uri).map_err(RequestError::from)?;
            match response.status().as_u16() {
                200 => {
                    let body = response.body_mut().with_config().limit(MAX_MODEL);
                    return body.read_to_vec().map_err(|error| match error {
                        ureq::Error::BodyExceedsLimit(limit) => DownloadError::TooLarge(limit),
                        error => RequestError::from(error).into(),
                    });
                }
                301 | 302 | 303 | 307 | 308 => {
                    let location = response.headers().get(LOCATION);
                    let location = location.and_then(|value| value.to_str().ok());
                    let location = location.unwrap_or_default();
                    url = match (location.starts_with('/'), uri.scheme(), uri.authority()) {
                        (true, Some(scheme), Some(host)) => format!("{scheme}://{host}{location}"),
                        _ => location.to_owned(),
                    };
                }
                403 | 404 | 410 => return Err(DownloadError::Expired),
                status => return Err(DownloadError::Status(status)),
            }
        }
        Err(DownloadError::TooManyRedirects)
    }

    /// Requests a result. The download may take long as long as it makes progress.
    fn start_download(&self, uri: &Uri) -> Result<Response<Body>, ureq::Error> {
        let request = Request::get(uri.clone()).body(())?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(DOWNLOAD_TIMEOUT))
            .timeout_recv_response(Some(self.timeout))
            .timeout_per_read(Some(self.timeout));
        self.agent.run(request.build())
    }

    fn check_result_url(&self, uri: &Uri) -> Result<(), DownloadError> {
        let allows_http = self.base_url.starts_with("http://");
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if allows_http => {}
            _ => return Err(DownloadError::NotHttps),
        }
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let own = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        let own = own.split('/').next().unwrap_or_default();
        let matches = |pattern: &String| matches_host(pattern, host);
        if (host == own || self.result_hosts.iter().any(matches)) && !host.contains('@') {
            return Ok(());
        }
        Err(DownloadError::HostNotAllowed {
            host: shorten(host),
            allowed: self.result_hosts.clone(),
        })
    }

    /// Returns the error that a response describes, safe to show.
    pub fn error(&self, response: &ApiResponse) -> ErrorResponse {
        ErrorResponse {
            status: response.status,
            detail: self.redact(&detail_of(&response.body).unwrap_or_default()),
        }
    }

    /// Makes a text from the engine safe to show: removes the API key, `data:` URIs and the queries of
    /// URLs, which may be signatures, and shortens the rest.
    pub fn redact(&self, text: &str) -> String {
        let text = match &self.api_key {
            Some(key) => key.redact(text),
            None => text.to_owned(),
        };
        let words = text.split_whitespace().map(|word| {
            if word.contains("data:") {
                return "…";
            }
            match word.split_once('?') {
                Some((url, _)) if url.contains("://") => url,
                _ => word,
            }
        });
        shorten(&words.collect::<Vec<_>>().join(" "))
    }
}

/// Returns whether a host, with its port if not the default, matches an entry of `result_hosts`: a
/// leading `*` stands for any subdomain, and a trailing `:*` for any port.
pub fn matches_host(pattern: &str, host: &str) -> bool {
    if let Some(name) = pattern.strip_suffix(":*") {
        let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
        return host == name && port.bytes().all(|digit| digit.is_ascii_digit());
    }
    match pattern.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == pattern,
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_DETAIL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the message in an error's body, in any of the forms that engines use.
fn detail_of(body: &Value) -> Option<String> {
    match body {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let details: Vec<_> = items.iter().filter_map(detail_of).collect();
            (!details.is_empty()).then(|| details.join("; "))
        }
        Value::Object(fields) => {
            let names = ["detail", "message", "msg", "error", "text"];
            names.iter().find_map(|name| detail_of(fields.get(*name)?))
        }
        _ => None,
    }
}

/// Reads a number from a header.
fn number<T: FromStr>(response: &Response<Body>, name: &str) -> Option<T> {
    let text = response.headers().get(name)?.to_str().ok()?;
    text.trim().parse().ok()
}
