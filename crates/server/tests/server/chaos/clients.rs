//! The clients: they create sessions, repeat creates without a response, watch the sessions, and delete
//! some of them.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::run::Run;
use crate::emulators::samples::numbered_png;
use crate::support::{Response, SESSIONS, create_body, exchange, post, session_code};

/// The names and keys of the clients.
pub const KEYS: [(&str, &str); 3] = [
    ("ada", "ada-key-Zq91canary7d1f93"),
    ("ben", "ben-key-Zq92canary7d1f93"),
    ("eve", "eve-key-Zq93canary7d1f93"),
];
/// The pause before a create is repeated.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// The pause between two reads of the sessions.
const WATCH_PAUSE: Duration = Duration::from_millis(50);
/// One in this many creates loses the response to its first attempt.
const LOST_RESPONSES: u32 = 4;
/// One in this many sessions is deleted, after this many milliseconds.
const DELETED: u32 = 6;
const DELETION_MILLIS: std::ops::Range<u64> = 0..500;
/// The part of the chaos in which sessions are created.
const CREATING_PART: f64 = 0.85;

/// A session that a client creates.
pub struct Planned {
    /// The number of its image.
    pub number: u32,
    pub engine: &'static str,
    due: f64,
    /// Whether the client does not receive the response to its first attempt.
    loses_response: bool,
    /// When the client deletes the session after its creation, if it does.
    deleted_after: Option<Duration>,
}

pub struct Client {
    pub name: &'static str,
    key: &'static str,
    pub planned: Vec<Planned>,
    /// The codes of the sessions, in the order of [`Client::kept`]. `true` once a session was seen
    /// complete.
    created: Mutex<Vec<(String, bool)>>,
    deleted: Mutex<Vec<Deleted>>,
}

/// A session that its client has deleted.
#[derive(Clone)]
pub struct Deleted {
    /// The number of its image.
    pub number: u32,
    pub engine: &'static str,
    pub code: String,
}

/// Distributes the sessions over the clients, the engines and the time.
pub fn plan(sessions: u32, random: &mut fastrand::Rng) -> Vec<Client> {
    let mut clients: Vec<_> = KEYS
        .into_iter()
        .map(|(name, key)| Client {
            name,
            key,
            planned: Vec::new(),
            created: Mutex::default(),
            deleted: Mutex::default(),
        })
        .collect();
    for number in 1..=sessions {
        let client = &mut clients[number as usize % KEYS.len()];
        client.planned.push(Planned {
            number,
            engine: ["fal", "fal", "meshy", "meshy", "tripo", "tripo", "sculpt"]
                [random.usize(0..7)],
            loses_response: random.u32(0..LOST_RESPONSES) == 0,
            due: f64::from(number) / f64::from(sessions) * CREATING_PART,
            deleted_after: (random.u32(0..DELETED) == 0)
                .then(|| Duration::from_millis(random.u64(DELETION_MILLIS))),
        });
    }
    clients
}

impl Client {
    /// Creates the planned sessions. Repeats each create until it is acknowledged.
    pub fn create_sessions(&self, run: &Run) {
        for planned in &self.planned {
            run.sleep_until(planned.due);
            let Some(code) = self.create(run, planned) else {
                break;
            };
            match planned.deleted_after {
                Some(delay) => {
                    sleep(delay);
                    self.delete(run, planned, code);
                }
                None => self.created.lock().unwrap().push((code, false)),
            }
        }
        run.end_client();
    }

    fn create(&self, run: &Run, planned: &Planned) -> Option<String> {
        let number = planned.number;
        let mut body = create_body(&numbered_png(number));
        body["engine"] = planned.engine.into();
        body["generate_texture"] = false.into();
        let headers = format!("x-api-key: {}\r\nidempotency-key: {number}\r\n", self.key);
        let request = post(SESSIONS, &headers, body.to_string().as_bytes());
        if planned.loses_response {
            let connected = TcpStream::connect(run.host());
            // Whether the server has read the request by the time of the repetition is random.
            let _ = connected.and_then(|mut stream| stream.write_all(&request));
        }
        // The status of each attempt.
        let mut attempts = Vec::new();
        while run.is_creating() {
            let response = exchange(&run.host(), &request);
            attempts.push(response.as_ref().map(|response| response.status));
            match response.as_ref().map(|response| response.status) {
                Some(201) => return Some(session_code(&response?.json()["data"])),
                None | Some(429 | 503) => {}
                Some(500) if is_store_failure(response.as_ref()?) => {}
                Some(status) => {
                    let body = response.map(|response| response.body).unwrap_or_default();
                    let body = String::from_utf8_lossy(&body).into_owned();
                    run.check(false, || format!("create {number} got a {status}: {body}"));
                    return None;
                }
            }
            sleep(RETRY_PAUSE);
        }
        run.check(false, || {
            format!("create {number} was never acknowledged: {attempts:?}")
        });
        None
    }

    /// Deletes a session. Repeats the request until it is acknowledged.
    fn delete(&self, run: &Run, planned: &Planned, code: String) {
        let key = self.key;
        let request = format!(
            "DELETE {SESSIONS}/{code} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             x-api-key: {key}\r\n\r\n"
        );
        let Planned { number, engine, .. } = *planned;
        while run.is_creating() {
            let response = exchange(&run.host(), request.as_bytes());
            match response.as_ref().map(|response| response.status) {
                // An attempt whose response was lost may have deleted it.
                Some(200 | 204 | 404) => {
                    let deleted = Deleted {
                        number,
                        engine,
                        code,
                    };
                    self.deleted.lock().unwrap().push(deleted);
                    return;
                }
                None | Some(429 | 503) => {}
                Some(500) if response.as_ref().is_some_and(is_store_failure) => {}
                Some(status) => {
                    return run.check(false, || format!("delete {number} got a {status}"));
                }
            }
            sleep(RETRY_PAUSE);
        }
        run.check(false, || format!("delete {number} was never acknowledged"));
    }

    /// Returns the sessions that were deleted.
    pub fn deleted(&self) -> Vec<Deleted> {
        self.deleted.lock().unwrap().clone()
    }

    /// Returns the sessions that are created and not deleted, in the order of their creation.
    fn kept(&self) -> impl Iterator<Item = &Planned> {
        let planned = self.planned.iter();
        planned.filter(|planned| planned.deleted_after.is_none())
    }

    /// Reads the acknowledged sessions again and again. Each must exist, and a complete one stays
    /// complete.
    pub fn watch_sessions(&self, run: &Run) {
        let mut turn = 0;
        while run.is_chaotic() {
            sleep(WATCH_PAUSE);
            let created = self.created.lock().unwrap().clone();
            if created.is_empty() {
                continue;
            }
            turn = (turn + 1) % created.len();
            let (code, was_complete) = &created[turn];
            let number = self.kept().nth(turn).map_or(0, |planned| planned.number);
            let Some(response) = self.get(&run.host(), &format!("{SESSIONS}/{code}")) else {
                continue;
            };
            match response.status {
                200 => {
                    let status = response.json()["data"]["session_status"].take();
                    let is_complete = status == "complete";
                    run.check(is_complete || !*was_complete, || {
                        format!("session {number} ({code}) was complete, and is {status} now")
                    });
                    self.created.lock().unwrap()[turn].1 = is_complete;
                }
                503 => {}
                500 if is_store_failure(&response) => {}
                status => run.check(false, || {
                    let message = response.message();
                    format!("session {number} ({code}) got a {status}: {message}")
                }),
            }
        }
    }

    /// Returns the acknowledged sessions.
    pub fn acknowledged(&self) -> Vec<(&Planned, String)> {
        let created = self.created.lock().unwrap();
        let codes = created.iter().map(|(code, _)| code.clone());
        self.kept().zip(codes).collect()
    }

    /// Sends a GET request with the client's key. Returns `None` if there was no response.
    pub fn get(&self, host: &str, path: &str) -> Option<Response> {
        let key = self.key;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n"
        );
        exchange(host, request.as_bytes())
    }

    /// Returns the session, or null if there is none.
    pub fn session(&self, host: &str, code: &str) -> Value {
        let response = self.get(host, &format!("{SESSIONS}/{code}"));
        response.map_or(Value::Null, |response| response.json()["data"].take())
    }
}

/// Returns whether the response says that the store has failed.
fn is_store_failure(response: &Response) -> bool {
    let body = String::from_utf8_lossy(&response.body);
    body.contains("Sessions cannot be read or stored: ")
}
