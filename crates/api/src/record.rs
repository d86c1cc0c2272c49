//! The stored record of a session, and the changes that it goes through.

use contract::{
    CutoutChoice, CutoutReport, KnownStatus, ModelShape, Parameters, PreviewMesh, SessionCost,
    ShapeChoice,
};
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::cutout::CutoutRecord;
use crate::engine::SCULPT;
use crate::files::Format;
use crate::idempotency::IdempotencyRecord;
use crate::service_format::ServiceFormat;
use crate::session_fault::SessionFault;
use crate::stage::{Failure, Pace, Stage, State};

/// The time span of a stage. It is fixed when the stage is requested, so that a restarted server,
/// even one of another speed, finds the session at the same point.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Span {
    #[serde(rename = "from")]
    pub start: Millis,
    #[serde(rename = "until")]
    pub end: Millis,
    /// The size of the stored result; `None` before it is stored, and 0 from the start for a stage
    /// without a result.
    #[serde(rename = "made")]
    pub result_bytes: Option<u64>,
    /// Whether the result is a model that cannot be converted to other formats.
    #[serde(default, rename = "is_glb_alone")]
    is_glb_only: bool,
}

impl Span {
    /// Returns the elapsed part of the span, from 0 to 1.
    pub fn elapsed(self, now: Millis) -> f64 {
        let length = self.end.saturating_sub(self.start).max(1);
        (now.saturating_sub(self.start) as f64 / length as f64).min(1.0)
    }

    pub fn has_result(self) -> bool {
        self.result_bytes.is_some()
    }
}

/// Identifies a job: the work for one stage. A stage that is started again has another job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobId {
    /// The session's code.
    pub code: String,
    pub stage: Stage,
    /// The start of the stage, which is when the job is due.
    pub start: Millis,
}

/// The text that an engine saved for a stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EngineNote {
    pub stage: Stage,
    /// The start of the stage: the note does not apply once the stage is started again.
    #[serde(rename = "from")]
    pub start: Millis,
    pub text: String,
}

/// The note of a job whose session was deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeletedNote {
    #[serde(flatten)]
    pub note: EngineNote,
    /// Whether the job was done before, or the engine has ended it since.
    #[serde(rename = "ended")]
    pub is_ended: bool,
}

impl EngineNote {
    pub fn new(job: &JobId, text: String) -> Self {
        Self {
            stage: job.stage,
            start: job.start,
            text,
        }
    }

    pub fn is_of(&self, job: &JobId) -> bool {
        self.stage == job.stage && self.start == job.start
    }
}

/// The result of a stage.
pub struct StageResult {
    /// The size of all files of the result.
    pub bytes: u64,
    /// The names of the requested parameters that the engine does not support.
    pub unsupported: Vec<String>,
    /// The formats that are offered as the engine's service made them.
    pub service_formats: Vec<ServiceFormat>,
    /// Whether the result is a model that cannot be converted to other formats.
    pub is_glb_only: bool,
}

/// The parameters of a new session.
pub struct NewSession {
    pub parameters: Parameters,
    /// The name of the engine.
    pub engine: String,
    /// The stage that the session starts with.
    pub first_stage: Stage,
    pub fault: Option<SessionFault>,
    /// The client that owns the session, if callers need a key.
    pub client: Option<String>,
    /// The URL of the image, if it still has to be downloaded.
    pub image_url: Option<String>,
    /// How the caller wants the object to be separated from its background.
    pub cutout: CutoutChoice,
    /// The kind of shape that the caller wants.
    pub shape: ShapeChoice,
    /// The names of requested parameters of later versions of the API, which have no effect.
    pub ignored: Vec<String>,
}

/// The stored record of a session. Its status follows from the record and the time.
///
/// Fields and variants are stored under the names that earlier versions gave them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub code: String,
    /// The number of times that the session was stored. 0 in records of earlier versions.
    #[serde(default)]
    pub version: u64,
    pub id: String,
    pub parameters: Parameters,
    /// The client that owns the session, if callers need a key.
    #[serde(default)]
    pub client: Option<String>,
    /// The token in the URLs of the session's files, if callers need a key.
    #[serde(default, rename = "ticket")]
    pub url_token: Option<String>,
    /// The name of the engine.
    #[serde(default = "default_engine")]
    pub engine: String,
    /// The names of the requested parameters that the engine did not support in the newest model.
    #[serde(default)]
    pub unsupported: Vec<String>,
    /// The names of requested parameters of later versions of the API, which have no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// The formats of the preview that are offered as the engine's service made them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_formats: Vec<ServiceFormat>,
    /// What the engine's service has charged for the model.
    #[serde(default)]
    pub cost: Option<SessionCost>,
    #[serde(default, rename = "note")]
    engine_note: Option<EngineNote>,
    /// The URL of the image, if the caller sent one.
    #[serde(rename = "remote")]
    pub image_url: Option<String>,
    #[serde(rename = "created")]
    pub created_at: Millis,
    spin: Option<Span>,
    preview: Option<Span>,
    refine: Option<Span>,
    /// The index of the view from which the model is created.
    #[serde(rename = "chosen_spin")]
    pub selected_spin: usize,
    failure: Option<Failure>,
    #[serde(rename = "shape")]
    pub fault: Option<SessionFault>,
    /// The idempotency keys of the requests that created or changed the session.
    #[serde(rename = "once")]
    pub idempotency: Vec<IdempotencyRecord>,
    /// The cutout of the image.
    #[serde(default)]
    pub cutout: CutoutRecord,
    /// The size of the stored image, 0 before it is stored.
    #[serde(rename = "picture_bytes")]
    pub image_bytes: u64,
}

impl Record {
    /// Creates a session that starts at `now`.
    pub fn new(session: NewSession, now: Millis, pace: Pace) -> Self {
        let mut record = Self {
            code: String::new(),
            version: 0,
            id: String::new(),
            parameters: session.parameters,
            client: session.client,
            url_token: None,
            engine: session.engine,
            unsupported: Vec::new(),
            ignored: session.ignored,
            service_formats: Vec::new(),
            cost: None,
            engine_note: None,
            image_url: session.image_url,
            created_at: now,
            spin: None,
            preview: None,
            refine: None,
            selected_spin: 0,
            failure: session.fault.and_then(SessionFault::failure),
            fault: session.fault,
            idempotency: Vec::new(),
            cutout: CutoutRecord {
                choice: session.cutout,
                shape_choice: session.shape,
                ..CutoutRecord::default()
            },
            image_bytes: 0,
        };
        record.start_stage(session.first_stage, now, pace);
        record
    }

    /// Starts a stage, and schedules the stages that follow it automatically.
    pub fn start_stage(&mut self, stage: Stage, now: Millis, pace: Pace) {
        let end = now + pace.duration(stage);
        *self.span_mut(stage) = Some(Span {
            start: now,
            end,
            result_bytes: (stage == Stage::Spin && !self.is_turbo()).then_some(0),
            is_glb_only: false,
        });
        if self.fails_at(stage) {
            return;
        }
        match stage {
            Stage::Spin if !self.is_turbo() => self.start_stage(Stage::Preview, end, pace),
            Stage::Preview if self.parameters.auto_refine == Some(true) => {
                self.start_stage(Stage::Refine, end, pace);
            }
            _ => {}
        }
    }

    /// Starts the refinement, also after an earlier one that is done or failed.
    pub fn start_refinement(&mut self, now: Millis, pace: Pace) {
        self.failure = self.fault.and_then(SessionFault::failure);
        self.start_stage(Stage::Refine, now, pace);
    }

    /// Sets the result of a stage.
    pub fn complete_stage(&mut self, stage: Stage, result: &StageResult) {
        self.unsupported.clone_from(&result.unsupported);
        if stage == Stage::Preview {
            self.service_formats.clone_from(&result.service_formats);
        }
        if let Some(span) = self.span_mut(stage) {
            span.result_bytes = Some(result.bytes);
            span.is_glb_only = result.is_glb_only;
        }
    }

    /// Fails a stage, and cancels the stages after it.
    pub fn fail_stage(&mut self, stage: Stage, reason: String) {
        self.failure = Some(Failure { stage, reason });
        let mut later = stage.next();
        while let Some(stage) = later {
            *self.span_mut(stage) = None;
            later = stage.next();
        }
    }

    /// Returns the next job of the session, which may be due later, or `None` if no work is
    /// pending.
    pub fn next_job(&self) -> Option<JobId> {
        let mut requested = Stage::ALL
            .into_iter()
            .filter_map(|stage| Some((stage, self.span(stage)?)));
        let (stage, span) = requested.find(|(_, span)| !span.has_result())?;
        (!self.fails_at(stage)).then(|| JobId {
            code: self.code.clone(),
            stage,
            start: span.start,
        })
    }

    /// Returns whether the model is requested, even if it is created later.
    pub fn is_model_requested(&self) -> bool {
        self.preview.is_some()
    }

    /// Returns the planned end of the last requested stage.
    pub fn planned_end(&self) -> Millis {
        let ends = self.spans().map(|span| span.end);
        ends.max().unwrap_or(self.created_at)
    }

    /// Returns the URL of the image if it still has to be downloaded.
    pub fn url_to_download(&self) -> Option<&str> {
        self.image_url.as_deref().filter(|_| self.image_bytes == 0)
    }

    /// Returns the text that the engine saved for a job.
    pub fn engine_note(&self, job: &JobId) -> Option<&str> {
        let note = self.engine_note.as_ref()?;
        note.is_of(job).then_some(&note.text)
    }

    /// Returns the text that the engine saved last, for any job.
    pub fn latest_engine_note(&self) -> Option<&str> {
        self.engine_note.as_ref().map(|note| note.text.as_str())
    }

    pub fn set_engine_note(&mut self, job: &JobId, text: String) {
        self.engine_note = Some(EngineNote::new(job, text));
    }

    /// Returns the note of the next job.
    pub fn unfinished_note(&self) -> Option<&str> {
        self.engine_note(&self.next_job()?)
    }

    /// Returns what is kept of the session's last job when the session is deleted.
    pub fn deleted_note(&self) -> Option<DeletedNote> {
        Some(DeletedNote {
            note: self.engine_note.clone()?,
            is_ended: self.unfinished_note().is_none(),
        })
    }

    /// Returns the current stage and its state.
    pub fn stage_at(&self, now: Millis) -> (Stage, State) {
        let mut stage = self.first_stage();
        loop {
            let span = self.span(stage);
            let is_over = span.is_some_and(|span| span.end <= now);
            let has_result = span.is_some_and(Span::has_result);
            let state = match (is_over, has_result) {
                (true, _) if self.fails_at(stage) => State::Failed,
                (true, true) => State::Done,
                _ => State::Running,
            };
            match stage.next() {
                Some(next) if state == State::Done && self.span(next).is_some() => stage = next,
                _ => return (stage, state),
            }
        }
    }

    /// Returns the `status` of the session.
    pub fn status(&self, now: Millis) -> KnownStatus {
        use KnownStatus::*;
        let (stage, state) = self.stage_at(now);
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

    /// Returns the reason if the session has failed.
    pub fn failure_reason(&self, now: Millis) -> Option<&str> {
        let failure = self.failure.as_ref()?;
        let (_, state) = self.stage_at(now);
        (state == State::Failed).then_some(&failure.reason)
    }

    /// Returns whether a stage is done.
    pub fn is_stage_done(&self, stage: Stage, now: Millis) -> bool {
        let (current, state) = self.stage_at(now);
        let is_over = current > stage || (current == stage && state == State::Done);
        is_over && self.span(stage).is_some()
    }

    /// Returns whether all requested results are available. Without a refinement, a session is
    /// complete with its preview. A session that waits for the selection of a spin is not complete.
    pub fn is_complete(&self, now: Millis) -> bool {
        matches!(
            self.stage_at(now),
            (Stage::Preview | Stage::Refine, State::Done)
        )
    }

    /// Returns whether there are spins to choose from.
    pub fn has_spins(&self, now: Millis) -> bool {
        self.is_turbo() && self.is_stage_done(Stage::Spin, now)
    }

    /// Returns the first stage with a result of an engine.
    pub fn first_result_stage(&self) -> Stage {
        match self.is_turbo() {
            true => self.first_stage(),
            false => Stage::Preview,
        }
    }

    /// Returns what was cut out of the image, once the first result is available.
    pub fn cutout_report(&self, now: Millis) -> Option<CutoutReport> {
        let is_done = self.is_stage_done(self.first_result_stage(), now);
        self.cutout.report.filter(|_| is_done)
    }

    /// Returns the kind of shape of the built-in engine's model, once the first result is available.
    pub fn shape(&self, now: Millis) -> Option<ModelShape> {
        let is_done = self.is_stage_done(self.first_result_stage(), now);
        self.cutout
            .shape
            .filter(|_| is_done && self.engine == SCULPT)
    }

    /// Returns the kind of shape that the engine is to make: other engines than the built-in one choose
    /// it themselves.
    pub fn shape_choice(&self) -> ShapeChoice {
        match self.engine == SCULPT {
            true => self.cutout.shape_choice,
            false => ShapeChoice::Auto,
        }
    }

    /// Returns whether the engine cannot make the kind of shape that the caller chose.
    pub fn ignores_shape(&self) -> bool {
        self.cutout.shape_choice != self.shape_choice()
    }

    /// Returns whether the result of a stage is a model that cannot be converted to other formats.
    pub fn is_glb_only(&self, stage: Stage) -> bool {
        self.span(stage).is_some_and(|span| span.is_glb_only)
    }

    /// Returns the format of this name if the preview is offered in it as the engine's service made it.
    pub fn service_format(&self, name: &str) -> Option<ServiceFormat> {
        let mut formats = self.service_formats.iter().copied();
        formats.find(|format| format.name() == name)
    }

    /// Returns the format if a service's file of it is offered as the model of a stage. A refinement has
    /// the preview's, unless the server moved or scaled the model and can make the format itself.
    pub fn offered_service_format(&self, stage: Stage, format: &Format) -> Option<ServiceFormat> {
        let is_changed = stage == Stage::Refine && self.parameters.is_placed();
        self.service_format(format.name)
            .filter(|_| !is_changed || !format.is_converted())
    }

    /// Returns whether a client may see the session. `None` may see all sessions.
    pub fn belongs_to(&self, client: Option<&str>) -> bool {
        client.is_none() || self.client.as_deref() == client
    }

    /// Returns the size of the image, of all results and of the record itself.
    pub fn total_bytes(&self) -> u64 {
        let results = self.spans().filter_map(|span| span.result_bytes);
        let cutout = self.cutout.mask_bytes + self.cutout.file_bytes;
        self.image_bytes + cutout + results.sum::<u64>() + self.record_bytes()
    }

    /// Estimates the size of the stored record, because it is needed for all records at once. Counts
    /// the texts whose number or length varies.
    fn record_bytes(&self) -> u64 {
        /// The names of the fields, and the values of limited length.
        const FIXED_BYTES: usize = 1024;
        /// The digest of a request: 32 numbers of at most three digits.
        const DIGEST_BYTES: usize = 32 * 4 + 32;
        let idempotency = self.idempotency.iter();
        let idempotency = idempotency.map(|record| record.key.len() + DIGEST_BYTES);
        let note = self.latest_engine_note().map_or(0, str::len);
        let failure = self.failure.as_ref();
        let texts = [
            self.image_url.as_ref().map_or(0, String::len),
            self.client.as_ref().map_or(0, String::len),
            failure.map_or(0, |failure| failure.reason.len()),
            self.unsupported.iter().map(String::len).sum(),
            self.ignored.iter().map(String::len).sum(),
            idempotency.sum(),
            note,
        ];
        (FIXED_BYTES + texts.iter().sum::<usize>()) as u64
    }

    pub fn first_stage(&self) -> Stage {
        if self.spin.is_some() {
            Stage::Spin
        } else {
            Stage::Preview
        }
    }

    pub fn span(&self, stage: Stage) -> Option<Span> {
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

    fn spans(&self) -> impl Iterator<Item = Span> {
        Stage::ALL.into_iter().filter_map(|stage| self.span(stage))
    }

    fn fails_at(&self, stage: Stage) -> bool {
        let failure = self.failure.as_ref();
        failure.is_some_and(|failure| failure.stage == stage)
    }

    fn is_turbo(&self) -> bool {
        self.parameters.preview_mesh == Some(PreviewMesh::Turbo)
    }
}

/// Returns the engine of sessions that were stored when [`SCULPT`] was the only one.
fn default_engine() -> String {
    SCULPT.into()
}
