//! One session, and how far the clock has brought it.

use contract::{KnownStatus, Parameters, PreviewMesh, SessionFields, SessionStatus, Spin};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Millis;
use crate::engine::{SCULPT, VIEW_COUNT};
use crate::files::{FORMATS, IMAGE, spin_file};
use crate::jobs::Progressed;
use crate::shape::Shape;

/// What a session goes through, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    Spin,
    Preview,
    Refine,
}

impl Stage {
    /// The name of the files with the stage's model, without an ending; none where the stage makes
    /// no model.
    pub fn stem(self) -> Option<&'static str> {
        match self {
            Self::Spin => None,
            Self::Preview => Some("preview"),
            Self::Refine => Some("mesh"),
        }
    }

    /// The name of the file with the model as it is stored.
    pub fn file(self) -> Option<String> {
        self.stem().map(|stem| format!("{stem}.glb"))
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Spin => Some(Self::Preview),
            Self::Preview => Some(Self::Refine),
            Self::Refine => None,
        }
    }

    /// How long the stage takes, in seconds at speed 1.
    fn seconds(self) -> u64 {
        match self {
            Self::Spin | Self::Preview => 1,
            Self::Refine => 2,
        }
    }
}

/// How fast sessions go.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many times faster than a second per stage.
    pub speed: f64,
}

impl Pace {
    fn duration(self, stage: Stage) -> Millis {
        (1000.0 * stage.seconds() as f64 / self.speed) as Millis
    }
}

/// When a stage runs. Fixed when the stage is asked for, so that a server that starts again, at
/// another speed even, finds the session where it was.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Span {
    from: Millis,
    until: Millis,
    /// The size of the result once it is stored; 0 from the start for a stage without one.
    made: Option<u64>,
    /// Whether the result is a model that no other format can be written from.
    #[serde(default)]
    is_glb_alone: bool,
}

/// A piece of work: one stage's result. A stage that is begun anew makes another piece of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// The session's code.
    pub code: String,
    pub stage: Stage,
    /// When the stage begins, and with it the work.
    pub from: Millis,
}

/// Where a session ends badly.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub stage: Stage,
    pub reason: String,
}

/// An `Idempotency-Key`, and a digest of the request that it came with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Once {
    pub key: String,
    pub digest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Running,
    Done,
    Failed,
}

/// What an engine wrote down for a stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Note {
    stage: Stage,
    /// When the stage began: one that is begun anew knows nothing of it.
    from: Millis,
    text: String,
}

/// One session: what was asked for, and when. Where it stands follows from that and the clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub code: String,
    pub id: String,
    pub parameters: Parameters,
    /// Whose session it is, where callers have keys.
    #[serde(default)]
    pub client: Option<String>,
    /// What the addresses of its files carry, where callers have keys.
    #[serde(default)]
    pub ticket: Option<String>,
    /// The name of the engine that makes its models.
    #[serde(default = "sculptor")]
    pub engine: String,
    /// The names of the parameters that the newest model does not honour.
    #[serde(default)]
    unsupported: Vec<String>,
    #[serde(default)]
    note: Option<Note>,
    /// The picture's address, where it lies elsewhere.
    pub remote: Option<String>,
    pub created: Millis,
    spin: Option<Span>,
    preview: Option<Span>,
    refine: Option<Span>,
    /// The view that the model is made from, counted from 0.
    pub chosen_spin: usize,
    failure: Option<Failure>,
    pub shape: Option<Shape>,
    /// The keys of the requests that made the session what it is.
    pub once: Vec<Once>,
    /// The picture's size once it is stored here.
    pub picture_bytes: u64,
}

impl Record {
    /// A session that begins at `now`, with the preview where the spins are skipped.
    pub fn new(
        parameters: Parameters,
        engine: String,
        skip_spins: bool,
        shape: Option<Shape>,
        now: Millis,
        pace: Pace,
    ) -> Self {
        let mut record = Self {
            code: String::new(),
            id: String::new(),
            parameters,
            client: None,
            ticket: None,
            engine,
            unsupported: Vec::new(),
            note: None,
            remote: None,
            created: now,
            spin: None,
            preview: None,
            refine: None,
            chosen_spin: 0,
            failure: shape.and_then(Shape::failure),
            shape,
            once: Vec::new(),
            picture_bytes: 0,
        };
        let first = if skip_spins {
            Stage::Preview
        } else {
            Stage::Spin
        };
        record.begin(first, now, pace);
        record
    }

    /// Begins a stage, and plans the ones that follow by themselves.
    pub fn begin(&mut self, stage: Stage, now: Millis, pace: Pace) {
        let until = now + pace.duration(stage);
        *self.span_mut(stage) = Some(Span {
            from: now,
            until,
            made: (stage == Stage::Spin && !self.turbo()).then_some(0),
            is_glb_alone: false,
        });
        if self.fails_in(stage) {
            return;
        }
        match stage {
            Stage::Spin if !self.turbo() => self.begin(Stage::Preview, until, pace),
            Stage::Preview if self.parameters.auto_refine == Some(true) => {
                self.begin(Stage::Refine, until, pace);
            }
            _ => {}
        }
    }

    /// Begins the refinement, even where one was there or failed before.
    pub fn refine_again(&mut self, now: Millis, pace: Pace) {
        self.failure = self.shape.and_then(Shape::failure);
        self.begin(Stage::Refine, now, pace);
    }

    /// Whether its model was asked for, even if it is made later.
    pub fn wants_model(&self) -> bool {
        self.preview.is_some()
    }

    /// What is to be made next, if anything. Its time may still have to come.
    pub fn next_piece(&self) -> Option<Piece> {
        let stages = [Stage::Spin, Stage::Preview, Stage::Refine].into_iter();
        let mut asked = stages.filter_map(|stage| Some((stage, self.span(stage)?)));
        let (stage, span) = asked.find(|(_, span)| span.made.is_none())?;
        (!self.fails_in(stage)).then(|| Piece {
            code: self.code.clone(),
            stage,
            from: span.from,
        })
    }

    /// When all that was asked for is to be over.
    pub fn ends(&self) -> Millis {
        let spans = [self.spin, self.preview, self.refine].into_iter().flatten();
        spans.map(|span| span.until).max().unwrap_or(self.created)
    }

    /// The address of the picture, where it is still to be fetched.
    pub fn to_fetch(&self) -> Option<&str> {
        self.remote.as_deref().filter(|_| self.picture_bytes == 0)
    }

    /// What the engine wrote down for a piece of work.
    pub fn note(&self, piece: &Piece) -> Option<&str> {
        let note = self.note.as_ref()?;
        let same = note.stage == piece.stage && note.from == piece.from;
        same.then_some(&note.text)
    }

    /// What the engine last wrote down, whatever for.
    pub fn last_note(&self) -> Option<&str> {
        self.note.as_ref().map(|note| note.text.as_str())
    }

    /// Keeps what the engine writes down for a piece of work.
    pub fn write(&mut self, piece: &Piece, text: String) {
        self.note = Some(Note {
            stage: piece.stage,
            from: piece.from,
            text,
        });
    }

    /// The stage's result is stored.
    pub fn made(&mut self, stage: Stage, bytes: u64, unsupported: Vec<String>, is_glb_alone: bool) {
        self.unsupported = unsupported;
        if let Some(span) = self.span_mut(stage) {
            span.made = Some(bytes);
            span.is_glb_alone = is_glb_alone;
        }
    }

    /// The stage has no result, and nothing follows it.
    pub fn fail(&mut self, stage: Stage, reason: String) {
        self.failure = Some(Failure { stage, reason });
        let mut later = stage.next();
        while let Some(stage) = later {
            *self.span_mut(stage) = None;
            later = stage.next();
        }
    }

    /// Where the session stands at `now`.
    pub fn stands(&self, now: Millis) -> (Stage, State) {
        let mut stage = self.first();
        loop {
            let over = self.span(stage).is_some_and(|span| span.until <= now);
            let made = self.span(stage).is_some_and(|span| span.made.is_some());
            let state = match (over, made) {
                (true, _) if self.fails_in(stage) => State::Failed,
                (true, true) => State::Done,
                _ => State::Running,
            };
            match stage.next() {
                Some(next) if state == State::Done && self.span(next).is_some() => stage = next,
                _ => return (stage, state),
            }
        }
    }

    /// The size of the picture and the results.
    pub fn bytes(&self) -> u64 {
        let spans = [self.spin, self.preview, self.refine].into_iter().flatten();
        let results = spans.filter_map(|span| span.made);
        self.picture_bytes + results.sum::<u64>()
    }

    fn turbo(&self) -> bool {
        self.parameters.preview_mesh == Some(PreviewMesh::Turbo)
    }

    /// Whether there are views to choose from.
    pub fn has_spins(&self, now: Millis) -> bool {
        self.turbo() && self.has(Stage::Spin, now)
    }

    /// Whether the session has got a stage behind it.
    pub fn has(&self, stage: Stage, now: Millis) -> bool {
        let (current, state) = self.stands(now);
        let behind = current > stage || (current == stage && state == State::Done);
        behind && self.span(stage).is_some()
    }

    pub fn status(&self, now: Millis) -> KnownStatus {
        use KnownStatus::*;
        let (stage, state) = self.stands(now);
        let [running, done, failed] = match stage {
            Stage::Spin => [SpinGenerateProcessing, SpinGenerateDone, SpinGenerateFailed],
            Stage::Preview => [TrainingPreview, PreviewDone, PreviewFailed],
            Stage::Refine => [TrainingRefine, RefineDone, RefineFailed],
        };
        match state {
            State::Running => running,
            State::Done => done,
            State::Failed => failed,
        }
    }

    /// The session as the API answers it. `origin` is where the caller reaches this server,
    /// `progress` how far that is which is being made, and `polls` is 0 unless the answer is that to
    /// a poll.
    pub fn answered(
        &self,
        origin: &str,
        now: Millis,
        progress: &Progressed,
        polls: u32,
    ) -> Map<String, Value> {
        #[derive(Serialize)]
        struct Answered {
            #[serde(flatten)]
            session: SessionFields,
            #[serde(flatten)]
            parameters: Parameters,
        }
        let answered = Answered {
            session: self.fields(origin, now, progress),
            parameters: self.parameters.or_defaults(),
        };
        let Ok(Value::Object(mut session)) = serde_json::to_value(answered) else {
            return Map::new();
        };
        session.extend(self.results(origin, now));
        if let Some(shape) = self.shape {
            shape.session(&mut session, polls);
        }
        session
    }

    fn fields(&self, origin: &str, now: Millis, progress: &Progressed) -> SessionFields {
        let (stage, state) = self.stands(now);
        let span = self.span(stage);
        let since = match state {
            State::Running => span.map(|span| span.from),
            State::Done | State::Failed => span.map(|span| span.until),
        };
        let failure = self.failure.as_ref().filter(|_| state == State::Failed);
        let percent = self.percent(now, progress.part);
        let remote = self.remote.clone();
        SessionFields {
            id: Some(self.id.clone()),
            user_id: Some("5a4db0c5a4db0c5a4db0c5a4".into()),
            session_code: self.code.clone(),
            image_url: Some(remote.unwrap_or_else(|| self.address(origin, IMAGE))),
            status: self.status(now),
            session_status: Some(match state {
                State::Failed => SessionStatus::Failed,
                _ if self.is_complete(now) => SessionStatus::Complete,
                // It waits for its caller, and in no queue.
                State::Done if stage == Stage::Spin => SessionStatus::InProgress,
                _ if percent == 0 => SessionStatus::Queued,
                _ => SessionStatus::InProgress,
            }),
            percent_done: Some(percent),
            error: failure.map(|failure| failure.reason.clone()),
            spins: self.has_spins(now).then(|| {
                let addresses = (0..VIEW_COUNT).map(|view| self.address(origin, &spin_file(view)));
                addresses.map(|image_url| Spin { image_url }).collect()
            }),
            // With those of the other formats.
            preview_mesh_url_glb: None,
            mesh_url_glb: None,
            engine: Some(self.engine.clone()),
            engine_status: progress.words.clone().filter(|_| state == State::Running),
            unsupported: (!self.unsupported.is_empty()).then(|| self.unsupported.clone()),
            source: Some("external".into()),
            created_at: Some(date(self.created)),
            updated_at: Some(date(since.unwrap_or(self.created))),
        }
    }

    /// Where the models that there are can be fetched, by the names of the fields that say so.
    fn results(&self, origin: &str, now: Millis) -> Vec<(String, Value)> {
        let [preview, refined] =
            [Stage::Preview, Stage::Refine].map(|stage| self.has(stage, now).then_some(stage));
        let best = refined.or(preview.filter(|_| self.is_complete(now)));
        let mut results = Vec::new();
        for (field, stage) in [("preview_mesh_url", preview), ("mesh_url", best)] {
            let Some((stage, stem)) = stage.and_then(|stage| Some((stage, stage.stem()?))) else {
                continue;
            };
            let address = |ending| self.address(origin, &format!("{stem}.{ending}")).into();
            let is_glb_alone = self.span(stage).is_some_and(|span| span.is_glb_alone);
            if !is_glb_alone {
                results.push((field.to_owned(), address("zip")));
            }
            let formats = FORMATS
                .iter()
                .filter(|format| format.is_stored() || !is_glb_alone)
                .map(|format| format.name);
            results.extend(formats.map(|name| (format!("{field}_{name}"), address(name))));
        }
        results
    }

    /// Whether it is one of this client's; with `None`, of anybody's.
    pub fn is_of(&self, client: Option<&str>) -> bool {
        client.is_none() || self.client.as_deref() == client
    }

    fn address(&self, origin: &str, name: &str) -> String {
        let address = format!("{origin}/files/{}/{name}", self.code);
        match &self.ticket {
            Some(ticket) => format!("{address}?ticket={ticket}"),
            None => address,
        }
    }

    /// Whether all that was asked for is there. A session without a refinement is complete with
    /// its preview: nothing more comes by itself. One that waits for a spin to be chosen is not.
    fn is_complete(&self, now: Millis) -> bool {
        matches!(
            self.stands(now),
            (Stage::Preview | Stage::Refine, State::Done)
        )
    }

    fn percent(&self, now: Millis, progress: f32) -> u8 {
        if self.is_complete(now) {
            return 100;
        }
        let percent = match self.engine.as_str() {
            SCULPT => self.percent_by_time(now, progress),
            _ => self.percent_elsewhere(progress),
        };
        // Not all of it before the result is stored.
        percent.min(99)
    }

    /// As far as the engine itself is with the model. The other stages cost it no time: the views
    /// are made here, and a refinement is the same model again.
    fn percent_elsewhere(&self, progress: f32) -> u8 {
        let is_made = self.preview.is_some_and(|span| span.made.is_some());
        let working = self.next_piece().map(|piece| piece.stage);
        let part = match (is_made, working) {
            (true, _) => 1.0,
            (false, Some(Stage::Preview)) => progress,
            _ => 0.0,
        };
        (100.0 * part).round() as u8
    }

    /// By the time that all the stages asked for take together, but never ahead of the work.
    fn percent_by_time(&self, now: Millis, progress: f32) -> u8 {
        let (current, state) = self.stands(now);
        let piece = self.next_piece();
        let working = piece.is_some_and(|piece| piece.stage == current);
        let most = if working { f64::from(progress) } else { 1.0 };
        let refines = self.refine.is_some() || self.parameters.auto_refine == Some(true);
        let (mut all, mut done) = (0.0, 0.0);
        let mut next = Some(self.first());
        while let Some(stage) = next {
            let weight = stage.seconds() as f64;
            let part = match self.span(stage) {
                Some(span) if stage == current && state == State::Running => {
                    span.part(now).min(most)
                }
                _ if stage < current || (stage == current && state == State::Done) => 1.0,
                _ => 0.0,
            };
            all += weight;
            done += weight * part;
            next = stage.next().filter(|next| *next < Stage::Refine || refines);
        }
        (100.0 * done / all) as u8
    }

    fn first(&self) -> Stage {
        if self.spin.is_some() {
            Stage::Spin
        } else {
            Stage::Preview
        }
    }

    fn fails_in(&self, stage: Stage) -> bool {
        let failure = self.failure.as_ref();
        failure.is_some_and(|failure| failure.stage == stage)
    }

    fn span(&self, stage: Stage) -> Option<Span> {
        match stage {
            Stage::Spin => self.spin,
            Stage::Preview => self.preview,
            Stage::Refine => self.refine,
        }
    }

    fn span_mut(&mut self, stage: Stage) -> &mut Option<Span> {
        match stage {
            Stage::Spin => &mut self.spin,
            Stage::Preview => &mut self.preview,
            Stage::Refine => &mut self.refine,
        }
    }
}

impl Span {
    /// How much of it is over, from 0 to 1.
    fn part(self, now: Millis) -> f64 {
        let length = self.until.saturating_sub(self.from).max(1);
        (now.saturating_sub(self.from) as f64 / length as f64).min(1.0)
    }
}

/// The engine of the sessions that were stored when there was no other.
fn sculptor() -> String {
    SCULPT.into()
}

fn date(at: Millis) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(at);
    humantime::format_rfc3339_millis(time).to_string()
}
