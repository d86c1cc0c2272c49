//! Executes authorized requests against the sessions.

use contract::{Invalid, one_of_quoted, quote};
use http::StatusCode;
use image::GenericImageView;
use serde_json::{Value, json};

use crate::body::{CreateBody, StageBody};
use crate::clock::Millis;
use crate::engine::SCULPT;
use crate::error::ApiError;
use crate::fault::{self, Effect};
use crate::files::model_file;
use crate::idempotency::IdempotencyRecord;
use crate::image_source::ImageSource;
use crate::record::{NewSession, Record};
use crate::remote_engines::EndedJob;
use crate::request::Request;
use crate::response::Response;
use crate::routes::Route;
use crate::session_fault::SessionFault;
use crate::sessions::{AddError, Addition, Change, ReplayError, Start, UpdateError};
use crate::stage::{Stage, State};
use crate::state::ApiState;
use crate::store::{DeletedJobs, FileChanges, Page, QueueState, WriteError};
use decode::Patience;

/// The largest number of sessions on a page of the list.
const MAX_PAGE_SIZE: usize = 1000;

/// An authorized request, with all that its handler needs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub state: &'a ApiState,
    pub request: &'a Request,
    /// The name of the client, if callers need a key.
    pub client: Option<&'a str>,
    pub now: Millis,
}

/// The result of a request.
pub enum Output {
    Preflight,
    Created(Record),
    /// The session of a poll, with the number of its polls if it has a simulated fault.
    Polled(Record, Option<u32>),
    /// A session whose preview or refinement is started.
    Started(Record),
    /// A deleted session, with what becomes of its job at an engine.
    Deleted(Option<EndedJob>),
    Listed(Vec<Record>),
    /// The results of a route about the server itself.
    Results(Value),
    File(Response),
}

/// Why a stage is not started.
enum StartError {
    /// An earlier request has started it.
    Replayed(Box<Record>),
    Api(ApiError),
}

impl<E: Into<ApiError>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl Context<'_> {
    /// Executes the request.
    pub fn execute(self, route: &Route) -> Result<Output, ApiError> {
        let state = self.state;
        match *route {
            Route::Preflight => Ok(Output::Preflight),
            Route::File { code, name } => self.file(code, name).map(Output::File),
            Route::CreateSession => self.create().map(Output::Created),
            Route::ListSessions => self.list().map(Output::Listed),
            Route::GetSession { code } => self.poll(code),
            Route::DeleteSession { code } => self.delete(code),
            Route::StartPreview { code } => self.start(code, Stage::Preview, Self::start_preview),
            Route::StartRefinement { code } => {
                self.start(code, Stage::Refine, Self::start_refinement)
            }
            // Clients do not see each other's requests.
            Route::ListRequests if let Some(log) = &state.log => {
                Ok(Output::Results(json!(log.entries())))
            }
            Route::ListEngines => Ok(Output::Results(json!(state.engines))),
            Route::ListFaults => Ok(Output::Results(fault::list())),
            Route::ListRequests | Route::Unknown => Err(ApiError::not_found(format!(
                "No such endpoint: {} {}",
                self.request.method(),
                self.request.uri().path()
            ))),
        }
    }

    fn create(self) -> Result<Record, ApiError> {
        let state = self.state;
        let idempotency = self.idempotency()?;
        if let Some(replay) = state.sessions.find_replay(idempotency.as_ref())? {
            return Ok(replay);
        }
        // Saves decoding the image. The store checks again when the session is written.
        if let Some(queue) = state.sessions.full_queue(self.client)? {
            return Err(self.queue_full(queue));
        }
        let body = CreateBody::parse(self.request.body())?;
        let engine = self.engine(body.engine)?;
        let (image, image_url) = match body.image {
            ImageSource::Inline(file) => (Some(file), None),
            ImageSource::Remote(url) => (None, Some(url)),
        };
        self.check_images(image.as_deref(), body.mask.as_deref())?;
        let session = NewSession {
            parameters: body.parameters,
            engine,
            first_stage: body.first_stage,
            fault: self.session_fault(),
            client: self.client.map(str::to_owned),
            image_url,
            cutout: body.cutout,
            shape: body.shape,
            ignored: body.ignored,
        };
        let record = Record::new(session, self.now, state.pace);
        let addition = Addition {
            // A model that follows the selection of a spin is charged when it is requested.
            price: (record.is_model_requested())
                .then(|| state.price(&record.engine, &record.parameters))
                .flatten(),
            record,
            image,
            mask: body.mask,
            idempotency,
            random: state.fork_random(),
        };
        let added = state
            .sessions
            .add(addition, |id| state.access.url_token(id));
        if let (Ok(_), Some(client)) = (&added, self.client) {
            state.count_created(client);
        }
        added.map_err(|error| match error {
            AddError::Replay(error) => error.into(),
            AddError::Write(error) => self.write_failed(error),
        })
    }

    /// Checks the image, if it does not have to be downloaded first, and the caller's mask.
    fn check_images(self, image: Option<&[u8]>, mask: Option<&[u8]>) -> Result<(), ApiError> {
        let decode = |file: &[u8]| self.state.decoder.decode(file, Patience::Request);
        let image = image.map(decode).transpose().map_err(ApiError::of_image)?;
        // One decoded image at a time.
        let size = image.map(|image| image.dimensions());
        let Some(mask) = mask else {
            return Ok(());
        };
        let mask = decode(mask).map_err(ApiError::of_mask)?;
        let checked = sculpt::check_mask(&mask, size.unwrap_or_else(|| mask.dimensions()));
        checked.map_err(|error| ApiError::bad_request(error.to_string()))
    }

    fn poll(self, code: &str) -> Result<Output, ApiError> {
        let record = self.state.sessions.get(code)?;
        let record = record.filter(|record| record.belongs_to(self.client));
        let record = record.ok_or_else(|| ApiError::session_not_found(code))?;
        let polls = record
            .fault
            .is_some()
            .then(|| self.state.faults.count_poll(code));
        Ok(Output::Polled(record, polls))
    }

    /// Deletes a session with its files. Its running job notices that at its next report of progress.
    fn delete(self, code: &str) -> Result<Output, ApiError> {
        let engines = self.state.remote_engines.as_ref();
        let jobs = match engines {
            Some(_) => DeletedJobs::Keep,
            None => DeletedJobs::Forget,
        };
        let record = self.state.sessions.delete(code, self.client, jobs)?;
        let record = record.ok_or_else(|| ApiError::session_not_found(code))?;
        let note = record.unfinished_note();
        let ended = engines
            .zip(note)
            .and_then(|(engines, note)| engines.after_deletion(&record.engine, note));
        Ok(Output::Deleted(ended))
    }

    fn list(self) -> Result<Vec<Record>, ApiError> {
        let limit = self.query_number("limit")?.unwrap_or(10);
        let page = self.query_number("page")?.unwrap_or(0);
        let limit = limit.min(MAX_PAGE_SIZE);
        let offset = limit.saturating_mul(page);
        let records = self
            .state
            .sessions
            .list(self.client, Page { offset, limit });
        Ok(records?)
    }

    /// Starts a stage of a session, with the parameters of the request.
    fn start(
        self,
        code: &str,
        stage: Stage,
        start: fn(Self, &mut Record, &StageBody) -> Result<(), ApiError>,
    ) -> Result<Output, ApiError> {
        let sessions = &self.state.sessions;
        let idempotency = self.idempotency()?;
        if let Some(replay) = sessions.find_replay(idempotency.as_ref())? {
            return Ok(Output::Started(replay));
        }
        let body = StageBody::parse(self.request.body()).map_err(ApiError::bad_request)?;
        let record = sessions.get(code)?;
        let record = record.filter(|record| record.belongs_to(self.client));
        let record = record.ok_or_else(|| ApiError::session_not_found(code))?;
        let change = Change {
            files: FileChanges {
                put: Vec::new(),
                // The model of an earlier run is deleted when the stage starts again.
                remove: model_file(stage).into_iter().collect(),
            },
            start: Some(Start {
                price: (stage == Stage::Preview)
                    .then(|| self.state.price(&record.engine, &record.parameters))
                    .flatten(),
                now: self.now,
            }),
        };
        let updated = sessions.update(code, &change, |record| {
            // Two equal requests may arrive at the same time.
            if let Some(replay) = sessions.find_replay(idempotency.as_ref())? {
                return Err(StartError::Replayed(Box::new(replay)));
            }
            start(self, record, &body)?;
            let parameters = &mut record.parameters;
            parameters.scaled_bbox = body.parameters.scaled_bbox.or(parameters.scaled_bbox);
            parameters.pivot_point = body.parameters.pivot_point.or(parameters.pivot_point);
            record.idempotency.extend(idempotency.clone());
            Ok(record.clone())
        });
        match updated {
            Ok(record) => Ok(Output::Started(record)),
            Err(UpdateError::Rejected(StartError::Replayed(replay))) => {
                Ok(Output::Started(*replay))
            }
            Err(UpdateError::Rejected(StartError::Api(error))) => Err(error),
            Err(UpdateError::NotFound) => Err(ApiError::session_not_found(code)),
            Err(UpdateError::Write(error)) => Err(self.write_failed(error)),
        }
    }

    fn start_preview(self, record: &mut Record, body: &StageBody) -> Result<(), ApiError> {
        if record.stage_at(self.now) != (Stage::Spin, State::Done) {
            return Err(self.wrong_stage("A preview", "at spin_generate_done", record));
        }
        let spin = body.selected_spin(&record.code);
        record.selected_spin = spin.map_err(ApiError::bad_request)?;
        record.start_stage(Stage::Preview, self.now, self.state.pace);
        Ok(())
    }

    fn start_refinement(self, record: &mut Record, _: &StageBody) -> Result<(), ApiError> {
        match record.stage_at(self.now) {
            (Stage::Preview, State::Done) | (Stage::Refine, State::Done | State::Failed) => {
                record.start_refinement(self.now, self.state.pace);
                Ok(())
            }
            _ => Err(self.wrong_stage("A refinement", "after the preview is done", record)),
        }
    }

    fn wrong_stage(self, what: &str, when: &str, record: &Record) -> ApiError {
        let status = json!(record.status(self.now));
        let status = status.as_str().unwrap_or_default();
        ApiError::conflict(format!(
            "{what} can only be requested {when}; this session is at {status}"
        ))
    }

    fn idempotency(self) -> Result<Option<IdempotencyRecord>, ApiError> {
        let record = IdempotencyRecord::from_request(self.request, self.client);
        record.map_err(|invalid| ApiError::bad_request(invalid.to_string()))
    }

    /// Returns the fault of a session that this request creates, and counts it.
    fn session_fault(self) -> Option<SessionFault> {
        if self.state.access.requires_key() {
            return None;
        }
        let is_due = |effect| matches!(effect, Effect::Session(_));
        match self.state.faults.take(self.request, is_due) {
            Some(Effect::Session(fault)) => Some(fault),
            _ => None,
        }
    }

    /// Returns the engine of this name, or the default engine.
    fn engine(self, name: Option<String>) -> Result<String, ApiError> {
        let engines = &self.state.engines;
        match name {
            None => Ok(engines.first().cloned().unwrap_or_else(|| SCULPT.into())),
            Some(name) if engines.contains(&name) => Ok(name),
            Some(name) => {
                let error = Invalid::new(
                    "engine",
                    quote(&name),
                    one_of_quoted(engines.iter().map(String::as_str)),
                );
                Err(ApiError::bad_request(error.to_string()))
            }
        }
    }

    fn write_failed(self, error: WriteError) -> ApiError {
        match error {
            WriteError::QueueFull => match self.state.sessions.store.queue(self.client) {
                Ok(queue) => self.queue_full(queue),
                Err(error) => error.into(),
            },
            WriteError::LimitReached(limit) => {
                ApiError::new(StatusCode::PAYMENT_REQUIRED, limit.to_string())
            }
            WriteError::StorageFull => ApiError::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "The storage of this server is full of sessions in progress. Try again later.",
            ),
            error => ApiError::Store(error.into()),
        }
    }

    /// Returns the error of a full queue. The caller may retry once the first session is planned to
    /// end; a session that is overdue is expected to need as long again.
    fn queue_full(self, queue: QueueState) -> ApiError {
        let end = queue.first_end.unwrap_or(self.now);
        ApiError::QueueFull {
            retry_after_seconds: end.abs_diff(self.now).div_ceil(1000).clamp(1, 60),
        }
    }

    /// Reads a whole number of the query, or returns `None` if it is omitted.
    fn query_number(self, name: &str) -> Result<Option<usize>, ApiError> {
        let query = self.request.uri().query().unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let Some((_, text)) = pairs.find(|(key, _)| *key == name) else {
            return Ok(None);
        };
        let number = text.parse().map(Some);
        number.map_err(|_| {
            let error = Invalid::new(name, quote(text), "a whole number");
            ApiError::bad_request(error.to_string())
        })
    }
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::KeyReused => {
                Self::conflict("This Idempotency-Key was already used for a different request")
            }
            ReplayError::Store(error) => error.into(),
        }
    }
}
