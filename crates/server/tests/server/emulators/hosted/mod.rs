//! fal and Meshy, emulated with what is nasty about them.
#![allow(dead_code, missing_docs)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{self as emulator, Clock, Reply, Request, model};
mod fal;
mod meshy;

/// Marked, so that it is found wherever it gets to.
pub const KEY: &str = "key-id-Zq81ENGINESECRET-canary7d1f93:Zq82ENGINESECRET-canary7d1f93";

/// How fast the emulators' clocks run.
const SPEED: f64 = 20.0;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Engine {
    Fal,
    Meshy,
}

/// In the addresses of Meshy's files.
const SIGNED: &str = "Signature=Zq83ENGINESECRET-canary7d1f93";

/// How a job ends that its queue was asked to cancel.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cancel {
    /// [A] 202, and it is over.
    Accepted,
    /// [B] The same with 200.
    AcceptedWith200,
    /// [A] 202, and it is made all the same.
    MadeAllTheSame,
    /// [A] 400 with `status`: it was made at this very moment.
    MadeByStatus,
    /// [B] The same with `detail`.
    MadeByDetail,
    /// [A] 404: nobody knows it any more.
    Unknown,
}

/// What goes wrong, and how sure it is that it does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Nasty {
    Nothing,
    /// [C] The job is begun, and the answer takes so many milliseconds.
    SubmitTakes(u64),
    /// [A] The job is begun, and the answer never comes.
    SubmitTimesOut,
    /// [A] The same, and the connection breaks.
    SubmitResets,
    /// [A] The same, with an answer of a gateway.
    SubmitAnswers(u16),
    /// [A] Nothing is begun, with these words; a little later it would be. Whether with
    /// `Retry-After`.
    BusyAtFirst(u16, &'static str, bool),
    /// [A] The job is never begun, and the answer never comes.
    NeverArrives,
    /// [A] Nothing is begun, for a reason that stays; [B] for the words.
    Refused(u16, &'static str),
    /// [B] Looks at the job fail for a time: the account is locked, or the moment is bad. The job
    /// goes on, and later it can be seen again.
    LooksFail(u16, &'static str),
    /// [C] The same, without an answer.
    LooksBreak,
    /// [A] The job fails.
    Fails,
    /// [A] fal: COMPLETED with an `error`, and then 504. Meshy: CANCELED.
    FailsOtherwise,
    /// [B] fal: COMPLETED, and the result is still refused once with 400.
    EarlyResult,
    /// [A] It runs at once, without a place in the queue.
    NoQueue,
    /// [A] fal: the job waits for ever, and ends so where it is cancelled.
    NeverStarts(Cancel),
    /// [A] The job is not known any more.
    Forgotten,
    /// [C] fal: the job's addresses are those of another host.
    ElsewhereAddresses,
    /// [A] Meshy: the link is too old; a new look brings a fresh one. [C] fal: its links are not
    /// signed.
    ExpiredOnce,
    /// [A] Nothing brings a fresh one.
    ExpiredForGood,
    /// [A] The file is something else than it says.
    Impostor(&'static [u8]),
    /// [C] The result lies where nobody expects it.
    ElsewhereResult,
    /// [C] The result leads to this machine.
    RedirectedResult,
    /// [C] It leads to where it is.
    RedirectedOnce,
    /// [C] It leads to itself.
    RedirectedForEver,
    /// [C] The file never ends.
    EndlessFile,
    /// [B] Progress stops at 99 for ever.
    Stuck,
    /// [C] Fields that nobody knows.
    UnknownFields,
    /// [C] The status is a word that nobody knows.
    UnknownStatus,
    /// [C] The file server fails so often at first.
    FileFails(usize),
    /// [C] It fails, and when it answers again the link is too old.
    FileFailsAndExpires,
    /// [B] fal: something before the queue answers for the result at first, and no JSON.
    ResultFails,
    /// [C] Nobody answers: the network is not there.
    Away,
}

/// A model that was asked for.
pub struct Job {
    id: String,
    /// By the emulator's clock.
    begun: f64,
    /// By the calendar.
    at: u64,
    /// That of its picture.
    number: u32,
    cancelled: Option<f64>,
    looks_since: usize,
    /// A cancelled job that never left the queue costs nothing.
    free: bool,
}

#[derive(Default)]
pub struct State {
    pub jobs: Vec<Job>,
    /// Requests that ask for a model, whether or not one was begun.
    pub asked: usize,
    looks: HashMap<String, usize>,
    pub bodies: Vec<Value>,
    pub downloads: usize,
    /// Requests to cancel a job.
    pub cancels: usize,
    /// Requests that nobody answered.
    pub unanswered: usize,
}

impl State {
    /// How often that was looked at, this time included.
    fn looks(&mut self, at: &str) -> usize {
        let looks = self.looks.entry(at.to_owned()).or_default();
        *looks += 1;
        *looks
    }

    fn begin(&mut self, picture: &Value, now: f64) -> String {
        let id = format!("0191e7c0-0000-7000-8000-{:012}", self.jobs.len() + 1);
        self.jobs.push(Job {
            id: id.clone(),
            begun: now,
            at: today(),
            number: emulator::number_of(picture),
            cancelled: None,
            looks_since: 0,
            free: false,
        });
        id
    }
}

#[derive(Clone)]
pub struct Emulator {
    pub engine: Engine,
    pub host: String,
    pub files: String,
    pub state: Arc<Mutex<State>>,
    pub clock: Clock,
    nasty: Arc<Mutex<Nasty>>,
}

impl Emulator {
    pub fn start(engine: Engine, nasty: Nasty) -> Self {
        Self::with(Clock::new(SPEED), engine, nasty)
    }

    /// Its clock moves only where a test moves it.
    pub fn standing(engine: Engine, nasty: Nasty) -> Self {
        Self::with(Clock::new(0.0), engine, nasty)
    }

    fn with(clock: Clock, engine: Engine, nasty: Nasty) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let nasty = Arc::new(Mutex::new(nasty));
        let (inner, now) = (state.clone(), nasty.clone());
        let files = emulator::serve(move |request| {
            let nasty = *now.lock().unwrap();
            // Where something is not as it must be, nobody can lock it again: the test notices.
            let mut state = inner.lock().unwrap();
            state.downloads += 1;
            file(request, engine, nasty, state.downloads)
        });
        let (inner, at, time) = (state.clone(), files.clone(), clock.clone());
        let now = nasty.clone();
        let host = emulator::serve(move |request| {
            let nasty = *now.lock().unwrap();
            let mut state = inner.lock().unwrap();
            if nasty == Nasty::Away {
                state.unanswered += 1;
                return Reply::Reset;
            }
            let reply = match engine {
                Engine::Fal => fal::answer(request, nasty, &mut state, time.now(), &at),
                Engine::Meshy => meshy::answer(request, nasty, &mut state, time.now(), &at),
            };
            drop(state);
            match nasty {
                Nasty::SubmitTakes(time) if request.method == "POST" => {
                    Reply::Late(Duration::from_millis(time), Box::new(reply))
                }
                _ => reply,
            }
        });
        Self {
            engine,
            host,
            files,
            state,
            clock,
            nasty,
        }
    }

    /// This goes wrong from now on.
    pub fn turns(&self, nasty: Nasty) {
        *self.nasty.lock().unwrap() = nasty;
    }

    /// How many models were billed.
    pub fn billed(&self) -> usize {
        self.billed_pictures().len()
    }

    /// The numbers of their pictures.
    pub fn billed_pictures(&self) -> Vec<u32> {
        let state = self.state.lock().unwrap();
        let billed = state.jobs.iter().filter(|job| !job.free);
        billed.map(|job| job.number).collect()
    }

    pub fn config(&self, own: &str) -> String {
        let name = match self.engine {
            Engine::Fal => "fal",
            Engine::Meshy => "meshy",
        };
        // Short only where it is about time: on a busy machine all else has to fit into it.
        let (timeout, deadline) = match *self.nasty.lock().unwrap() {
            Nasty::SubmitTimesOut | Nasty::NeverArrives => (1, 60),
            Nasty::Stuck | Nasty::NeverStarts(_) => (20, 2),
            Nasty::UnknownStatus => (20, 6),
            _ => (20, 60),
        };
        format!(
            "default = \"{name}\"\n[engines.{name}]\nurl = \"http://{}\"\nresult_hosts = [\"{}\"]\n\
             poll = 0.02\ntimeout = {timeout}\ndeadline = {deadline}\n{own}\n",
            self.host, self.files
        )
    }
}

fn answered_late() -> Reply {
    Reply::Silence(Duration::from_secs(2))
}

/// An error, in the words of both engines.
fn error(status: u16, words: &str) -> Reply {
    Reply::json(status, json!({"detail": words, "message": words}))
}

/// What becomes of a request for a model; whether one is begun, and the answer where it is not that
/// of success.
fn submission(nasty: Nasty, asked: usize) -> (bool, Option<Reply>) {
    match nasty {
        Nasty::SubmitTimesOut => (true, Some(answered_late())),
        Nasty::SubmitResets => (true, Some(Reply::Reset)),
        Nasty::SubmitAnswers(status) => (true, Some(error(status, "so it is"))),
        Nasty::NeverArrives => (false, Some(answered_late())),
        Nasty::Refused(status, words) => (false, Some(error(status, words))),
        Nasty::BusyAtFirst(status, words, after) if asked <= 2 => {
            let reply = error(status, words);
            let reply = match after {
                true => reply.with("retry-after", 1),
                false => reply,
            };
            (false, Some(reply))
        }
        _ => (true, None),
    }
}

/// What a look at a job is answered where looks fail.
fn blind(nasty: Nasty, looks: usize) -> Option<Reply> {
    match nasty {
        Nasty::LooksFail(status, words) if (2..6).contains(&looks) => Some(error(status, words)),
        Nasty::LooksBreak if (2..6).contains(&looks) => Some(Reply::Reset),
        _ => None,
    }
}

fn today() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

/// The file server: another host than that of the jobs, and not one header of CORS.
fn file(request: &Request, engine: Engine, nasty: Nasty, downloads: usize) -> Reply {
    // [A] A public file: the key has no business here, nor has whoever asked for the model.
    for name in ["authorization", "x-api-key", "origin", "referer", "cookie"] {
        assert_eq!(request.header(name), "", "{name}");
    }
    if engine == Engine::Meshy {
        assert_eq!(request.query, SIGNED);
    }
    let moved = |to: &str| Reply::text(302, "").with("location", to);
    match nasty {
        Nasty::ExpiredOnce if downloads == 1 => expired(engine),
        Nasty::ExpiredForGood => expired(engine),
        Nasty::FileFails(times) if downloads <= times => Reply::text(503, "down"),
        Nasty::FileFailsAndExpires if downloads == 1 => Reply::text(503, "down"),
        Nasty::FileFailsAndExpires if downloads == 2 => expired(engine),
        Nasty::Impostor(bytes) => Reply::bytes(bytes.to_vec()),
        Nasty::EndlessFile => Reply::Endless,
        Nasty::RedirectedResult => moved("http://169.254.169.254/latest/meta-data/"),
        Nasty::RedirectedForEver => moved(&format!("{}?{}", request.path, request.query)),
        Nasty::RedirectedOnce if !request.path.starts_with("/moved/") => {
            moved(&format!("/moved{}?{}", request.path, request.query))
        }
        _ if request.path.ends_with(".obj") => Reply::bytes(b"# obj\nv 1 2 3\n".to_vec()),
        _ if request.path.ends_with(".zip") => Reply::bytes(b"PK\x03\x04 zipped".to_vec()),
        _ => Reply::bytes(model()),
    }
}

/// [A] Meshy's links are signed for a time; fal's files are deleted after one.
fn expired(engine: Engine) -> Reply {
    match engine {
        Engine::Fal => Reply::text(404, "not found"),
        Engine::Meshy => Reply::text(403, "<Error>AccessDenied</Error>"),
    }
}
