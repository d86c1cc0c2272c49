//! How an engine elsewhere is talked to: with its key to its own address alone, and for its results
//! without the key.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, Body, Error, Timeout};

use super::key::Key;
use super::reach;

/// The largest answer of an engine: one that carries the whole model as base64.
const LARGEST_ANSWER: u64 = 512 * 1024 * 1024;
/// The largest model that is downloaded.
const LARGEST_MODEL: u64 = 256 * 1024 * 1024;
/// How long a download may take as a whole: the largest model over a slow line.
const DOWNLOAD: Duration = Duration::from_secs(15 * 60);
/// More redirects than this are not followed on the way to a result.
const MOST_REDIRECTS: usize = 3;
/// How much of an engine's own words is repeated.
const WORDS: usize = 300;

/// Where an engine is, and how it is asked.
pub struct Client {
    agent: Agent,
    /// How long one request may take; of a download, how long it may stand still.
    timeout: Duration,
    /// Without a slash at its end.
    base: String,
    /// The header's value; nothing where the engine asks for no key.
    authorization: Option<Key>,
    /// The hosts that results come from, each with its port where it has one; `*.` stands for any
    /// name below.
    result_hosts: Vec<String>,
}

/// What an engine answered.
pub struct Answer {
    pub status: u16,
    /// Null where it is no JSON.
    pub body: Value,
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// Not a byte of the request was sent.
    Unsent(String),
    /// The request may have arrived.
    Lost(String),
}

impl NoAnswer {
    pub fn words(self) -> String {
        match self {
            Self::Unsent(words) | Self::Lost(words) => words,
        }
    }
}

/// Why a result is not there.
#[derive(Debug)]
pub enum NoResult {
    /// The address is too old.
    Expired,
    /// It may be there a little later.
    Later(String),
    /// It will never be.
    Never(String),
}

impl Client {
    /// `base` is the engine's address, `timeout` how long one request may take; a download may take
    /// longer, as long as it goes on.
    pub fn new(
        base: &str,
        authorization: Option<Key>,
        result_hosts: Vec<String>,
        timeout: Duration,
    ) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Nobody but the engine gets the key.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .timeout_resolve(Some(timeout))
            .timeout_connect(Some(timeout.min(Duration::from_secs(10))))
            .proxy(None)
            // A request on a connection that is just being closed would be lost.
            .max_idle_connections(0)
            .user_agent("csm-image-to-3d")
            .build();
        Self {
            agent: reach::agent(config),
            timeout,
            base: base.trim_end_matches('/').to_owned(),
            authorization,
            result_hosts,
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.send(Method::GET, path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.send(Method::POST, path, Some(body.to_string().into_bytes()))
    }

    /// Without a body.
    pub fn put(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.send(Method::PUT, path, Some(Vec::new()))
    }

    fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Answer, NoAnswer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(key) = &self.authorization {
            request = request.header(AUTHORIZATION, key.reveal());
        }
        let sent = match body {
            Some(body) => {
                let request = request.header(CONTENT_TYPE, "application/json");
                self.run(request.body(body))
            }
            None => self.run(request.body(())),
        };
        let mut response = sent.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER);
        let body = body.read_to_vec().map_err(|error| no_answer(&error))?;
        Ok(Answer {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            retry_after,
        })
    }

    fn run<B: ureq::AsSendBody>(
        &self,
        request: Result<Request<B>, ureq::http::Error>,
    ) -> Result<Response<Body>, Error> {
        self.agent.run(request?)
    }

    /// Downloads a result, without the key, from the hosts that are known for it alone.
    pub fn download(&self, address: &str) -> Result<Vec<u8>, NoResult> {
        let never = |words: String| Err(NoResult::Never(words));
        let mut address = address.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let Ok(uri) = address.parse::<Uri>() else {
                return never("the result's address is none".into());
            };
            if let Err(words) = self.allows(&uri) {
                return never(words);
            }
            let mut response = match self.fetch(&uri) {
                Ok(response) => response,
                Err(error) => return Err(NoResult::Later(no_answer(&error).words())),
            };
            match response.status().as_u16() {
                200 => {
                    let body = response.body_mut();
                    let body = body.with_config().limit(LARGEST_MODEL);
                    return body.read_to_vec().map_err(|error| match error {
                        Error::BodyExceedsLimit(limit) => {
                            NoResult::Never(format!("the result is larger than {limit} bytes"))
                        }
                        error => NoResult::Later(no_answer(&error).words()),
                    });
                }
                301 | 302 | 303 | 307 | 308 => {
                    let to = response.headers().get(LOCATION);
                    let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
                    address = match (to.starts_with('/'), uri.scheme(), uri.authority()) {
                        (true, Some(scheme), Some(host)) => format!("{scheme}://{host}{to}"),
                        _ => to.to_owned(),
                    };
                }
                403 | 404 | 410 => return Err(NoResult::Expired),
                408 | 425 | 429 | 500..=599 => {
                    let status = response.status().as_u16();
                    return Err(NoResult::Later(format!(
                        "the result's server answered {status}"
                    )));
                }
                status => return never(format!("the result's server answered {status}")),
            }
        }
        never(format!(
            "the result is behind more than {MOST_REDIRECTS} redirects"
        ))
    }

    /// A result's answer, which may take its time as long as it goes on.
    fn fetch(&self, uri: &Uri) -> Result<Response<Body>, Error> {
        let request = Request::get(uri.clone()).body(())?;
        let patient = self
            .agent
            .configure_request(request)
            .timeout_global(Some(DOWNLOAD))
            .timeout_recv_response(Some(self.timeout))
            .timeout_per_read(Some(self.timeout));
        self.agent.run(patient.build())
    }

    /// Whether results are fetched from there.
    fn allows(&self, uri: &Uri) -> Result<(), String> {
        let plain = self.base.starts_with("http://");
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if plain => {}
            _ => return Err("the result is at no https: address".into()),
        }
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let own = self.base.split_once("://").map_or("", |(_, rest)| rest);
        let own = own.split('/').next().unwrap_or_default();
        let known = |pattern: &String| match pattern.strip_prefix('*') {
            Some(end) => host.ends_with(end),
            None => host == pattern,
        };
        if (host == own || self.result_hosts.iter().any(known)) && !host.contains('@') {
            return Ok(());
        }
        let known = self.result_hosts.join(", ");
        Err(format!(
            "the result is at {:?}, which is none of the hosts that results come from ({known}); \
             `result_hosts` in the engine's configuration names them",
            shortened(host)
        ))
    }

    /// The engine's words about what went wrong, fit to be repeated: short, without its key, without
    /// pictures, without what makes an address a secret.
    pub fn words(&self, answer: &Answer) -> String {
        let said = said(&answer.body).unwrap_or_default();
        let status = answer.status;
        match self.clean(&said) {
            said if said.is_empty() => format!("it answered {status}"),
            said => format!("it answered {status}: {said}"),
        }
    }

    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(key) = &self.authorization {
            text = key.removed_from(&text);
        }
        let words = text.split_whitespace().map(|word| {
            if word.contains("data:") {
                return "…";
            }
            match word.split_once('?') {
                Some((address, _)) if address.contains("://") => address,
                _ => word,
            }
        });
        shortened(&words.collect::<Vec<_>>().join(" "))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(WORDS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// What an error's body says, in any of the shapes that engines use.
fn said(body: &Value) -> Option<String> {
    match body {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let said: Vec<_> = items.iter().filter_map(said).collect();
            (!said.is_empty()).then(|| said.join("; "))
        }
        Value::Object(fields) => {
            let names = ["detail", "message", "msg", "error", "text"];
            names.iter().find_map(|name| said(fields.get(*name)?))
        }
        _ => None,
    }
}

fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn no_answer(error: &Error) -> NoAnswer {
    let unsent = |words: &str| NoAnswer::Unsent(words.into());
    let lost = |words: &str| NoAnswer::Lost(words.into());
    match error {
        Error::HostNotFound => unsent("there is no such host"),
        Error::ConnectionFailed => unsent("it cannot be reached"),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => unsent("it cannot be reached"),
        Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            unsent("nothing listens at its address")
        }
        Error::Timeout(_) => lost("it did not answer in time"),
        Error::BodyExceedsLimit(_) => lost("its answer is too large"),
        Error::Tls(_) | Error::Rustls(_) => unsent("it offers no secure connection"),
        Error::BadUri(_) | Error::Http(_) => unsent("its address is none"),
        _ => lost("the connection to it broke"),
    }
}
