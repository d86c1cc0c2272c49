//! One session, and how far the clock has brought it.

use contract::{KnownStatus, Parameters, PreviewMesh, SessionFields, SessionStatus, Spin};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Millis;
use crate::shape::Shape;

/// What a session goes through, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    Spin,
    Preview,
    Refine,
}

impl Stage {
    /// The result's file name, where the stage has a result.
    pub fn file(self) -> Option<&'static str> {
        match self {
            Self::Spin => None,
            Self::Preview => Some("preview.glb"),
            Self::Refine => Some("mesh.glb"),
        }
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

/// One session: what was asked for, and when. Where it stands follows from that and the clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub code: String,
    pub id: String,
    pub parameters: Parameters,
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
    /// The picture's size, where it is stored here.
    pub picture_bytes: u64,
}

impl Record {
    /// A session that begins at `now`, with the preview where the spins are skipped.
    pub fn new(
        parameters: Parameters,
        skip_spins: bool,
        shape: Option<Shape>,
        now: Millis,
        pace: Pace,
    ) -> Self {
        let mut record = Self {
            code: String::new(),
            id: String::new(),
            parameters,
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
            made: stage.file().is_none().then_some(0),
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

    /// The stage whose time is over at `now` and whose result is still to be made.
    pub fn due(&self, now: Millis) -> Option<Stage> {
        let (stage, state) = self.stands(now);
        let span = self.span(stage)?;
        (state == State::Running && span.until <= now && span.made.is_none()).then_some(stage)
    }

    /// The stage's result is stored.
    pub fn made(&mut self, stage: Stage, bytes: u64) {
        if let Some(span) = self.span_mut(stage) {
            span.made = Some(bytes);
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
        let (stage, state) = self.stands(now);
        let done = stage > Stage::Spin || state == State::Done;
        self.turbo() && self.spin.is_some() && done
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

    /// The session as the API answers it. `origin` is where the caller reaches this server, and
    /// `polls` is 0 unless the answer is that to a poll.
    pub fn answered(&self, origin: &str, now: Millis, polls: u32) -> Map<String, Value> {
        #[derive(Serialize)]
        struct Answered {
            #[serde(flatten)]
            session: SessionFields,
            #[serde(flatten)]
            parameters: Parameters,
        }
        let answered = Answered {
            session: self.fields(origin, now),
            parameters: self.parameters.or_defaults(),
        };
        let Ok(Value::Object(mut session)) = serde_json::to_value(answered) else {
            return Map::new();
        };
        if let Some(shape) = self.shape {
            shape.session(&mut session, polls);
        }
        session
    }

    fn fields(&self, origin: &str, now: Millis) -> SessionFields {
        let (stage, state) = self.stands(now);
        let span = self.span(stage);
        let since = match state {
            State::Running => span.map(|span| span.from),
            State::Done | State::Failed => span.map(|span| span.until),
        };
        let address = |name: &str| format!("{origin}/files/{}/{name}", self.code);
        let result = |of: Stage| {
            let there = stage > of || (stage == of && state == State::Done);
            there.then(|| of.file().map(address)).flatten()
        };
        let preview = result(Stage::Preview);
        let complete = self.is_complete(now);
        let failure = self.failure.as_ref().filter(|_| state == State::Failed);
        let percent = self.percent(now);
        SessionFields {
            id: Some(self.id.clone()),
            user_id: Some("5a4db0c5a4db0c5a4db0c5a4".into()),
            session_code: self.code.clone(),
            image_url: Some(self.remote.clone().unwrap_or_else(|| address("image"))),
            status: self.status(now),
            session_status: Some(match state {
                State::Failed => SessionStatus::Failed,
                _ if complete => SessionStatus::Complete,
                _ if percent == 0 => SessionStatus::Queued,
                _ => SessionStatus::InProgress,
            }),
            percent_done: Some(percent),
            error: failure.map(|failure| failure.reason.clone()),
            spins: self.has_spins(now).then(|| {
                let names = (0..sculpt::SPINS).map(spin_file);
                let addresses = names.map(|name| address(&name));
                addresses.map(|image_url| Spin { image_url }).collect()
            }),
            mesh_url_glb: result(Stage::Refine).or_else(|| preview.clone().filter(|_| complete)),
            preview_mesh_url_glb: preview,
            source: Some("external".into()),
            created_at: Some(date(self.created)),
            updated_at: Some(date(since.unwrap_or(self.created))),
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

    /// By the time that all the stages asked for take together.
    fn percent(&self, now: Millis) -> u8 {
        if self.is_complete(now) {
            return 100;
        }
        let (current, state) = self.stands(now);
        let refines = self.refine.is_some() || self.parameters.auto_refine == Some(true);
        let (mut all, mut done) = (0.0, 0.0);
        let mut next = Some(self.first());
        while let Some(stage) = next {
            let weight = stage.seconds() as f64;
            let part = match self.span(stage) {
                Some(span) if stage == current && state == State::Running => span.part(now),
                _ if stage < current || (stage == current && state == State::Done) => 1.0,
                _ => 0.0,
            };
            all += weight;
            done += weight * part;
            next = stage.next().filter(|next| *next < Stage::Refine || refines);
        }
        // Not all of it before the result is stored.
        ((100.0 * done / all) as u8).min(99)
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

/// The name of the file with one of the views.
pub fn spin_file(index: usize) -> String {
    format!("spin-{index}.png")
}

fn date(at: Millis) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(at);
    humantime::format_rfc3339_millis(time).to_string()
}
