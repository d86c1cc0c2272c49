//! A session's model from a service elsewhere: asked for once, followed to its end, downloaded, and
//! given what the parameters ask for.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use api::{
    Checkpoint, Detail, Engine, Millis, Model, ModelError, Progress, Sculptor, Source, VIEW_COUNT,
};
use contract::{Creativity, PreviewMesh, RefineSpeed};
use sculpt::GlbError;
use serde::{Deserialize, Serialize};

use super::net::NoResult;
use super::requests::Requests;
use super::service::{NotSubmitted, Order, Service, State};
use crate::http::now;

/// How often a wait looks whether anybody still waits.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// By how much the service's clock may be behind this one's.
const SKEW: Millis = 5_000;
/// How often a service is asked for a job whose answer was lost, with a pause before each: it may
/// still be on its way into the list. And how often for one that it was told to cancel.
const ASKED: usize = 3;
/// How often a result is downloaded again that is shorter than it says.
const TRIES: usize = 5;

/// How patient an engine is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From one look at a job to the next.
    pub poll: Duration,
    /// For a whole job.
    pub deadline: Duration,
}

/// An engine whose models a service elsewhere makes.
pub struct Living {
    service: Box<dyn Service>,
    patience: Patience,
    /// Held while a job is asked for, so that there is never more than one whose answer may be lost.
    asking: Mutex<()>,
    requests: Arc<Requests>,
}

/// What is written down with the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Note {
    /// The service was busy, or away; nothing was sent.
    Waiting { since: Millis },
    /// The request goes out now.
    Sending { since: Millis },
    /// It did, and this is the job.
    Sent { since: Millis, job: String },
}

/// How long nothing was learnt.
#[derive(Default)]
struct Silence(Option<Millis>);

impl Silence {
    /// Until now, counted from the first time that this was asked.
    fn lasts(&mut self) -> Duration {
        let now = now();
        Duration::from_millis(now.saturating_sub(*self.0.get_or_insert(now)))
    }
}

/// What went wrong with the downloads of a model.
#[derive(Default)]
struct Fetched {
    expired: bool,
    /// How often it was too short.
    short: usize,
}

/// What came of asking for a model.
enum Submitted {
    Job {
        since: Millis,
        job: String,
    },
    /// Nothing; it may be asked for again, and the service may have said when.
    Later(String, Option<Duration>),
}

impl Living {
    /// An engine that counts what becomes of its requests for models.
    pub fn new(service: Box<dyn Service>, patience: Patience, requests: Arc<Requests>) -> Self {
        Self {
            service,
            patience,
            asking: Mutex::default(),
            requests,
        }
    }

    fn charged(&self) -> &'static str {
        match self.service.is_paid() {
            true => "; it may have been charged, and is not asked for again",
            false => "",
        }
    }

    fn failed(&self, words: &str) -> ModelError {
        ModelError::Failed(format!("{}: {words}", self.service.name()))
    }

    /// The job of this session, and when it was asked for: the one that is written down, or a new
    /// one.
    fn job(
        &self,
        order: &Order,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<(Millis, String), ModelError> {
        let note = checkpoint.load();
        let note = note.map(|note| serde_json::from_str(&note)).transpose();
        // Whatever it says, it says that there may be a job.
        let unread = |_| {
            let words = "what was written down about the model cannot be read";
            self.failed(&format!("{words}{}", self.charged()))
        };
        let mut since = now();
        match note.map_err(unread)? {
            Some(Note::Sent { since, job }) => return Ok((since, job)),
            // The process ended before the answer came.
            Some(Note::Sending { since }) => {
                let _asking = self.asking();
                let words = "the server ended while the model was asked for";
                let job = self.lost(since, words, checkpoint, progress)?;
                write(
                    checkpoint,
                    &Note::Sent {
                        since,
                        job: job.clone(),
                    },
                )?;
                return Ok((since, job));
            }
            Some(Note::Waiting { since: before }) => since = before,
            None => {}
        }
        loop {
            let (words, pause) = match self.submit(order, checkpoint, progress)? {
                Submitted::Job { since, job } => return Ok((since, job)),
                Submitted::Later(words, pause) => (words, pause),
            };
            write(checkpoint, &Note::Waiting { since })?;
            checkpoint.set_status(&words);
            if now().saturating_sub(since) >= self.patience.deadline.as_millis() as Millis {
                let seconds = self.patience.deadline.as_secs_f32();
                return Err(self.failed(&format!(
                    "{words}; for {seconds} s it took no job, and nothing was charged"
                )));
            }
            let pause = pause.unwrap_or(self.patience.poll);
            self.pause(pause.min(self.patience.deadline), progress)?;
        }
    }

    /// Asks for the model.
    fn submit(
        &self,
        order: &Order,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<Submitted, ModelError> {
        if let Some(words) = self.service.missing() {
            return Err(self.failed(&words));
        }
        let _asking = self.asking();
        go_on(progress, 0.0)?;
        // Until the answer is written down, too.
        let _under_way = self.requests.begin();
        let since = now();
        write(checkpoint, &Note::Sending { since })?;
        let outcome = self.service.submit(order);
        self.requests.count(&outcome);
        let job = match outcome {
            Ok(job) => job,
            Err(NotSubmitted::Refused(words)) => return Err(self.failed(&words)),
            Err(NotSubmitted::Later(words, pause)) => {
                return Ok(Submitted::Later(words, pause));
            }
            Err(NotSubmitted::Unknown(words)) => self.lost(since, &words, checkpoint, progress)?,
        };
        let sent = Note::Sent {
            since,
            job: job.clone(),
        };
        if let Err(stopped) = write(checkpoint, &sent) {
            self.service.cancel(&job);
            return Err(stopped);
        }
        Ok(Submitted::Job { since, job })
    }

    /// The job whose answer was lost, where the service can be asked and there is no doubt.
    fn lost(
        &self,
        since: Millis,
        words: &str,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<String, ModelError> {
        // From before the process began, too.
        let others = checkpoint.load_others().into_iter();
        let known: HashSet<_> = others
            .filter_map(|note| match serde_json::from_str(&note) {
                Ok(Note::Sent { job, .. }) => Some(job),
                _ => None,
            })
            .collect();
        let mut found = Vec::new();
        let mut silence = Silence::default();
        let mut lists = 0;
        while lists < ASKED && found.is_empty() {
            self.pause(self.patience.poll, progress)?;
            match self.service.since(since.saturating_sub(SKEW)) {
                None => break,
                // Without a network there is nothing to learn, and nothing to give up.
                Some(Err(_)) if silence.lasts() < self.patience.deadline => {}
                Some(Err(_)) => break,
                Some(Ok(listed)) => {
                    silence = Silence::default();
                    lists += 1;
                    found = listed;
                    found.retain(|job| !known.contains(job));
                }
            }
        }
        match found.as_slice() {
            [job] => Ok(job.clone()),
            [] => Err(self.failed(&format!("{words}{}", self.charged()))),
            several => Err(self.failed(&format!(
                "{words}, and {} jobs could be the one that was asked for{}",
                several.len(),
                self.charged()
            ))),
        }
    }

    /// The file, once the job is done.
    ///
    /// The deadline is for what the service says of the job. While it says nothing, as it seems to a
    /// machine that was asleep or has no network yet, nothing is known of the job, and there is as
    /// much patience again.
    fn follow(
        &self,
        since: Millis,
        job: &str,
        checkpoint: &dyn Checkpoint,
        progress: &mut Progress,
    ) -> Result<Vec<u8>, ModelError> {
        let deadline = since + self.patience.deadline.as_millis() as Millis;
        let mut silence = Silence::default();
        let mut fetched = Fetched::default();
        // How many looks are left at a job that is to be given up.
        let mut left = None;
        loop {
            let last = match self.service.look(job) {
                Ok(State::Running(part, words)) => {
                    checkpoint.set_status(&words);
                    go_on(progress, part.clamp(0.0, 1.0))?;
                    Ok(words)
                }
                Ok(State::Failed(words)) if left.is_none() => return Err(self.failed(&words)),
                Ok(State::Failed(words)) => {
                    left = Some(0);
                    Ok(words)
                }
                Ok(State::Made(file)) => match whole(file) {
                    Ok(file) => return Ok(file),
                    // It is still being written.
                    Err(GlbError::Truncated) => Ok(GlbError::Truncated.to_string()),
                    Err(error) => return Err(self.failed(&error.to_string())),
                },
                Ok(State::MadeAt(address)) => {
                    checkpoint.set_status("downloading the model");
                    match self.fetch(&address, &mut fetched)? {
                        Ok(file) => return Ok(file),
                        Err(words) => Err(format!(
                            "the model was made, but cannot be downloaded: {words}"
                        )),
                    }
                }
                Err(words) => Err(words),
            };
            match last {
                Ok(last) => {
                    silence = Silence::default();
                    if now() >= deadline {
                        left = Some(self.given_up(job, left, &last)?);
                    }
                }
                Err(last) if silence.lasts() >= self.patience.deadline => {
                    return Err(self.failed(&format!(
                        "for {} s nothing could be learnt of the model; last: {last}{}",
                        self.patience.deadline.as_secs_f32(),
                        self.charged()
                    )));
                }
                Err(_) => {}
            }
            self.pause(self.patience.poll, progress)?;
        }
    }

    /// What is over its deadline is cancelled; how many more looks there are at it.
    fn given_up(&self, job: &str, left: Option<usize>, last: &str) -> Result<usize, ModelError> {
        match left {
            // It may be done at this very moment, or be made all the same: what may have been charged
            // is not thrown away.
            None if self.service.cancel(job) => Ok(ASKED),
            Some(more @ 1..) => Ok(more - 1),
            _ => {
                let cancelled = match left {
                    Some(_) => ", and so it was cancelled",
                    None => "",
                };
                Err(self.failed(&format!(
                    "no model after {} s{cancelled}; last: {last}{}",
                    self.patience.deadline.as_secs_f32(),
                    self.charged()
                )))
            }
        }
    }

    /// The file at an address; in words why it is not there yet.
    fn fetch(
        &self,
        address: &str,
        fetched: &mut Fetched,
    ) -> Result<Result<Vec<u8>, String>, ModelError> {
        let words = match self.service.client().download(address).map(whole) {
            Ok(Ok(file)) => return Ok(Ok(file)),
            Ok(Err(GlbError::Truncated)) if fetched.short < TRIES => {
                fetched.short += 1;
                GlbError::Truncated.to_string()
            }
            Ok(Err(error)) => return Err(self.failed(&error.to_string())),
            Err(NoResult::Never(words)) => return Err(self.failed(&words)),
            // The next look brings a fresh address.
            Err(NoResult::Expired) if !fetched.expired => {
                fetched.expired = true;
                "its address is too old".into()
            }
            Err(NoResult::Expired) => {
                return Err(self.failed("the model was made, but is gone already"));
            }
            Err(NoResult::Later(words)) => words,
        };
        Ok(Err(words))
    }

    fn pause(&self, pause: Duration, progress: &mut Progress) -> Result<(), ModelError> {
        let mut left = pause;
        while !left.is_zero() {
            go_on(progress, 0.0)?;
            let part = left.min(HEARTBEAT);
            thread::sleep(part);
            left -= part;
        }
        go_on(progress, 0.0)
    }

    fn asking(&self) -> MutexGuard<'_, ()> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file, if it is a whole GLB.
fn whole(file: Vec<u8>) -> Result<Vec<u8>, GlbError> {
    sculpt::check_glb(&file).map(|()| file)
}

fn write(checkpoint: &dyn Checkpoint, note: &Note) -> Result<(), ModelError> {
    let text = serde_json::to_string(note).map_err(|error| error.to_string())?;
    checkpoint.save(&text)
}

fn go_on(progress: &mut Progress, part: f32) -> Result<(), ModelError> {
    match progress(part).is_continue() {
        true => Ok(()),
        false => Err(ModelError::Cancelled),
    }
}

impl Engine for Living {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError> {
        let order = Order {
            picture: source.picture,
            parameters: source.parameters.or_defaults(),
            textured: sculpt::is_textured(source.parameters),
        };
        // There is one model: a refinement asks for no other, and pays for none.
        let (file, view) = match (detail, source.preview) {
            (Detail::Refined, Some(preview)) => (preview.to_vec(), 0),
            (Detail::Refined, None) => return Err(self.failed("the preview's model is gone")),
            (Detail::Preview, _) => {
                let (since, job) = self.job(&order, source.checkpoint, progress)?;
                let followed = self.follow(since, &job, source.checkpoint, progress);
                // The session itself is gone, and this is not only the process that ends.
                if matches!(followed, Err(ModelError::Cancelled))
                    && source.checkpoint.load().is_none()
                {
                    self.service.cancel(&job);
                }
                (followed?, view)
            }
        };
        source
            .checkpoint
            .set_status("giving the model what was asked for");
        go_on(progress, 0.99)?;
        let imported = sculpt::import_glb(&file, source.parameters, view)
            .map_err(|error| self.failed(&error.to_string()))?;
        let mut unsupported: Vec<_> = imported.unsupported;
        let asked = source.parameters;
        let freer = asked
            .creativity
            .is_some_and(|asked| asked != Creativity::Lowest);
        for (name, is) in [
            ("creativity", freer),
            (
                "refine_speed",
                asked.refine_speed == Some(RefineSpeed::Fast),
            ),
            ("auto_refine", asked.auto_refine == Some(true)),
            (
                "preview_mesh",
                asked.preview_mesh == Some(PreviewMesh::Turbo),
            ),
        ] {
            unsupported.extend(is.then_some(name));
        }
        unsupported.sort_unstable();
        unsupported.dedup();
        Ok(Model {
            glb: imported.glb,
            unsupported: unsupported.into_iter().map(str::to_owned).collect(),
        })
    }

    /// The views are those of the outline: to show the model itself it would have to be made before
    /// anybody chose.
    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Sculptor.views(source, progress)
    }
}
