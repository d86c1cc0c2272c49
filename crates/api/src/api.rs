//! The API: its requests, its jobs and its metrics.

use contract::{IMAGE_URL, ImageErrorCode};
use http::{Method, Request as HttpRequest, StatusCode};
use image::RgbImage;

use crate::access::Client;
use crate::clock::Millis;
use crate::config::Config;
use crate::cors::with_cors;
use crate::delivery::Delivery;
use crate::engine::Engine;
use crate::error::ApiError;
use crate::fault::{self, Effect};
use crate::handlers::Context;
use crate::job_queue::Job;
use crate::job_runner::{Download, JobRunner};
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::record::{DeletedNote, EngineNote, JobId};
use crate::remote_engines::{DeletedJob, Worker};
use crate::request::{Request, api_key};
use crate::response::{self, Response, with_delivery, without_body};
use crate::routes::Route;
use crate::state::ApiState;
use crate::store::{JobKind, Store, StoreError};
use decode::CRASHED;

/// The API with all its sessions.
pub struct Api {
    state: ApiState,
}

impl Api {
    /// Opens the API with the sessions of a store, and deletes those that have expired.
    ///
    /// # Errors
    /// Fails if the store cannot be read or written, or has invalid contents.
    pub fn open(config: &Config, store: Box<dyn Store>, now: Millis) -> Result<Self, StoreError> {
        let state = ApiState::open(config, store, now)?;
        Ok(Self { state })
    }

    /// Handles a request that was received at `now`. Errors are returned as responses. A response
    /// that has a [`Delivery`] extension must be sent as it says.
    pub fn handle(&self, request: &Request, now: Millis) -> Response {
        let response = self.respond(request, now).unwrap_or_else(Into::into);
        let delivery = response.extensions().get().copied();
        let size = request.body().len();
        let status = response.status();
        if let Some(log) = &self.state.log {
            log.add(request, size, status, delivery, now);
        }
        let response = with_cors(response, self.state.web_access.cors_origin(request));
        match *request.method() {
            Method::HEAD => without_body(response),
            _ => response,
        }
    }

    /// Handles a request with the simulated fault that its key selects.
    fn respond(&self, request: &Request, now: Millis) -> Result<Response, ApiError> {
        self.check_web_access(request)?;
        if self.state.access.requires_key() {
            return self.execute(request, now);
        }
        let is_due = |effect| !matches!(effect, Effect::Session(_));
        match self.state.faults.take(request, is_due) {
            Some(Effect::Respond(respond)) => {
                Ok(respond(request, api_key(request).unwrap_or_default()))
            }
            Some(Effect::BeforeHandling(delivery)) => {
                Ok(with_delivery(Response::default(), delivery))
            }
            Some(Effect::AfterHandling(delivery)) => {
                let response = self.execute(request, now).unwrap_or_else(Into::into);
                Ok(with_delivery(response, delivery))
            }
            Some(Effect::Session(_)) | None => {
                fault::check_name(request).map_err(ApiError::bad_request)?;
                self.execute(request, now)
            }
        }
    }

    /// Authorizes and executes a request.
    fn execute(&self, request: &Request, now: Millis) -> Result<Response, ApiError> {
        let route = Route::parse(request);
        let access = &self.state.access;
        let client = match route.is_public() {
            true => None,
            false => access.authenticate(request)?,
        };
        let context = Context {
            state: &self.state,
            request,
            client: client.as_deref(),
            now,
        };
        Ok(context.render(context.execute(&route)?))
    }

    /// Checks the host of a request and the origin of the page that sent it.
    fn check_web_access<B>(&self, request: &HttpRequest<B>) -> Result<(), ApiError> {
        let access = &self.state.web_access;
        access.check_host(request)?;
        access.check_origin(request)
    }

    /// Returns whether the host of a request is allowed. If not, [`Api::handle`] returns an error
    /// with status 421.
    pub fn is_host_allowed<B>(&self, request: &HttpRequest<B>) -> bool {
        self.state.web_access.check_host(request).is_ok()
    }

    /// Returns whether the sender of a request may use the API, which follows from its headers. If
    /// not, [`Api::handle`] returns the same response for any body, so that the body need not be
    /// kept.
    pub fn is_authorized<B>(&self, request: &HttpRequest<B>) -> bool {
        self.check_web_access(request).is_ok() && self.state.access.authenticate(request).is_ok()
    }

    /// Returns whether a simulated fault requires that the connection is closed before the body of
    /// the request is read. Counts and logs the request then, so that it must be called once for
    /// each request, and not followed by [`Api::handle`].
    pub fn should_drop_connection<B>(&self, request: &HttpRequest<B>, now: Millis) -> bool {
        if self.state.access.requires_key() || self.check_web_access(request).is_err() {
            return false;
        }
        let is_due = |effect| matches!(effect, Effect::BeforeHandling(Delivery::Drop));
        let is_dropped = self.state.faults.take(request, is_due).is_some();
        if is_dropped && let Some(log) = &self.state.log {
            log.add(request, 0, StatusCode::OK, Some(Delivery::Drop), now);
        }
        is_dropped
    }

    /// Creates the response to a body that is larger than the `limit` of the server, in bytes.
    pub fn payload_too_large<B>(&self, request: &HttpRequest<B>, limit: usize) -> Response {
        let mib = limit / (1024 * 1024);
        let message = format!("The request body is larger than {limit} bytes ({mib} MiB)");
        let response = response::error(StatusCode::PAYLOAD_TOO_LARGE, &message);
        with_cors(response, self.state.web_access.cors_origin(request))
    }

    /// Responds to a request whose image makes the decoder panic, in an instance where the panic does
    /// no harm: see [`try_create`](crate::try_create).
    pub fn reject_image(&self, request: &Request, now: Millis) -> Response {
        let message = format!("{IMAGE_URL}: the image file cannot be decoded: {CRASHED}");
        let response = response::image_error(ImageErrorCode::UnsupportedImage, &message);
        let size = request.body().len();
        if let Some(log) = &self.state.log {
            log.add(request, size, response.status(), None, now);
        }
        with_cors(response, self.state.web_access.cors_origin(request))
    }

    /// Returns the name of the client that sent a request, or `None` if callers need no key or the
    /// key is missing or unknown.
    pub fn client_name<B>(&self, request: &HttpRequest<B>) -> Option<String> {
        self.state.access.authenticate(request).ok().flatten()
    }

    /// Replaces the clients, for example because one has a new key. Sessions belong to the names of
    /// clients. Changes nothing if the API was opened without clients, or if `clients` is empty.
    pub fn set_clients(&self, clients: &[Client]) {
        self.state.access.set_clients(clients);
    }

    /// Leases the next job that is due at `now`: first one for which its engine has saved a
    /// checkpoint, then the one of the oldest session. Each job is leased to one worker at a time.
    ///
    /// A job is due when its stage starts. A stage ends when its time is over and its result is
    /// stored. Several workers may call this at once.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn next_job(&self, now: Millis) -> Result<Option<Job>, StoreError> {
        self.next_job_of(JobKind::Any, now)
    }

    /// Leases the next due job of a kind, as [`Api::next_job`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn next_job_of(&self, kind: JobKind, now: Millis) -> Result<Option<Job>, StoreError> {
        self.state.queue.next(&self.state.sessions.store, kind, now)
    }

    /// Returns the time at which the next job is due, at the earliest `now`, unless a request
    /// changes it. Returns `None` if no job is planned.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn next_due(&self, now: Millis) -> Result<Option<Millis>, StoreError> {
        self.next_due_of(JobKind::Any, now)
    }

    /// Returns the time at which the next job of a kind is due, as [`Api::next_due`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn next_due_of(&self, kind: JobKind, now: Millis) -> Result<Option<Millis>, StoreError> {
        let store = &*self.state.sessions.store;
        let due = self.state.queue.next_due(store, kind)?;
        Ok(due.map(|due| due.max(now)))
    }

    /// Runs a job to its end and stores its result. `download` is the image at [`Job::image_url`],
    /// or the reason why it cannot be downloaded, with which the session then fails.
    ///
    /// A job whose result is no longer needed is cancelled, and stores nothing. A panic of the
    /// engine fails the session, on platforms that can catch panics.
    ///
    /// # Errors
    /// Fails if the store fails. The job is due again then.
    pub fn run_job(
        &self,
        job: Job,
        download: Option<Download>,
        engine: &dyn Engine,
    ) -> Result<(), StoreError> {
        self.runner().run(job, download, engine)
    }

    /// Returns the image of a job as a network takes it, whose input has this size: for a platform that
    /// runs the network before the job, and passes its output to [`Job::set_segmentation`]. Returns
    /// `None` if the job does not need the network.
    ///
    /// # Errors
    /// Fails if the store fails. The job is due again then.
    pub fn network_input(
        &self,
        job: &mut Job,
        size: (u32, u32),
    ) -> Result<Option<RgbImage>, StoreError> {
        self.runner().network_input(job, size)
    }

    /// Sets the progress of a job before it is run: the completed part, from 0 to 1, and the
    /// `engine_status` of its session.
    pub fn report_progress(&self, job: &Job, fraction: f32, status: &str) {
        self.state.queue.set_progress(job.id(), fraction);
        self.state.queue.set_status(job.id(), status);
    }

    /// Stores the downloaded image of a job, which is then due without a download. Fails the session if
    /// the download failed, or if the image cannot be decoded.
    ///
    /// # Errors
    /// Fails if the store fails. The job is due again then.
    pub fn store_download(&self, job: Job, download: Download) -> Result<(), StoreError> {
        self.runner().store_download(&job, download)
    }

    /// Returns the jobs of an engine whose sessions were deleted, also by earlier processes. The engine ends
    /// those that are not done; there are none without [remote engines](crate::Config::remote_engines).
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn deleted_jobs(&self, engine: &str) -> Result<Vec<DeletedJob>, StoreError> {
        // Before the notes, because the worker of a job may save another one at its end.
        let running = self.state.queue.running_jobs();
        let jobs = self.state.sessions.store.deleted_jobs(engine)?.into_iter();
        let jobs = jobs.map(|(code, DeletedNote { note, is_ended })| {
            let EngineNote { stage, start, text } = note;
            let id = JobId { code, stage, start };
            DeletedJob {
                worker: match running.contains(&id) {
                    true => Worker::Running,
                    false => Worker::Absent,
                },
                id,
                note: text,
                is_ended,
            }
        });
        Ok(jobs.collect())
    }

    /// Returns the latest note of each other session and deleted job of an engine.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn other_notes(&self, engine: &str, job: &DeletedJob) -> Result<Vec<String>, StoreError> {
        let store = &self.state.sessions.store;
        store.engine_notes_except(engine, &job.id.code)
    }

    /// Notes that its engine has ended a job.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn end_deleted_job(&self, engine: &str, job: &DeletedJob) -> Result<(), StoreError> {
        self.state.sessions.store.end_deleted_job(engine, &job.id)
    }

    /// Removes a job that its engine has ended long ago.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn forget_deleted_job(&self, engine: &str, job: &DeletedJob) -> Result<(), StoreError> {
        self.state
            .sessions
            .store
            .forget_deleted_job(engine, &job.id)
    }

    fn runner(&self) -> JobRunner<'_> {
        JobRunner {
            sessions: &self.state.sessions,
            queue: &self.state.queue,
            decoder: &self.state.decoder,
            segmenter: self.state.segmenter.as_deref(),
        }
    }

    /// Checks whether sessions can be stored. Writes to the store only if the last change could not be
    /// stored.
    ///
    /// # Errors
    /// Fails if the store still fails.
    pub fn check_store(&self) -> Result<(), StoreError> {
        self.state.sessions.store.check()
    }

    /// Deletes the sessions that have expired. New sessions do the same, so this is needed only where
    /// none are created for a long time.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn delete_expired(&self, now: Millis) -> Result<(), StoreError> {
        self.state.sessions.delete_expired(now)
    }

    /// Returns the metrics of all sessions and engines.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn metrics(&self, now: Millis) -> Result<Metrics, StoreError> {
        let mut metrics = self.state.sessions.metrics(now)?;
        self.add_client_metrics(&mut metrics);
        // Engines without sessions are listed too, with zeros.
        for name in &self.state.engines {
            metrics.engines.entry(name.clone()).or_default();
        }
        self.state.queue.add_outcomes(&mut metrics.engines);
        Ok(metrics)
    }

    fn add_client_metrics(&self, metrics: &mut Metrics) {
        let access = &self.state.access;
        if !access.requires_key() {
            return;
        }
        let clients = &mut metrics.clients;
        for name in access.client_names() {
            clients.entry(name).or_default();
        }
        for (name, created) in lock(&self.state.created).iter() {
            clients.entry(name.clone()).or_default().created = *created;
        }
        for (name, paid) in &metrics.paid_today_by_client {
            let name = access.without_user(name).to_owned();
            clients.entry(name).or_default().paid_today += paid;
        }
    }

    /// Cancels running jobs and leases no more. The jobs are due again when the store is opened
    /// again.
    pub fn close(&self) {
        self.state.queue.close();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Cursor;

    use image::{ImageFormat, RgbImage};

    use super::*;
    use crate::access::Client;
    use crate::engine::{Detail, Model, ModelError, Progress, Source};
    use crate::sessions::Change;
    use crate::stage::Stage;
    use crate::store::MemoryStore;

    /// Restarts the stage while its job runs.
    struct Restarting<'a>(&'a ApiState);

    impl Engine for Restarting<'_> {
        fn model(
            &self,
            source: Source,
            _: Detail,
            _: usize,
            progress: &mut Progress,
        ) -> Result<Model, ModelError> {
            let before = progress(0.1);
            let state = self.0;
            let change = Change::default();
            let changed = state.sessions.update(source.code, &change, |record| {
                record.start_stage(Stage::Preview, 7, state.pace);
                Ok::<_, Infallible>(())
            });
            let after = progress(0.2);
            // Ignores the cancellation.
            let result = format!("{} {before:?} {after:?}", changed.is_ok());
            Ok(result.into_bytes().into())
        }

        fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; 4], ModelError> {
            Err(ModelError::Cancelled)
        }
    }

    #[test]
    fn logs_requests_only_if_callers_need_no_key() {
        let client = Client {
            name: "shop".into(),
            key: "0123456789abcdef".into(),
        };
        for (clients, expected) in [(vec![], Some(1)), (vec![client], None)] {
            let config = Config {
                clients,
                ..Config::default()
            };
            let api = Api::open(&config, Box::new(MemoryStore::default()), 0).unwrap();
            api.handle(&Request::new(Vec::new()), 0);
            let logged = api.state.log.as_ref().map(|log| log.entries().len());
            assert_eq!(logged, expected);
        }
    }

    #[test]
    fn discards_the_result_of_a_stage_that_was_restarted() {
        let api = Api::open(&Config::default(), Box::new(MemoryStore::default()), 0).unwrap();
        let mut create = Request::new(
            br#"{"image_url":"https://example.com/","generate_preview_mesh":true}"#.to_vec(),
        );
        *create.method_mut() = http::Method::POST;
        *create.uri_mut() = contract::SESSIONS_PATH.parse().unwrap();
        assert_eq!(api.handle(&create, 0).status(), 201);

        let mut png = Cursor::new(Vec::new());
        let image = RgbImage::new(8, 8);
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        let job = api.next_job(0).unwrap().unwrap();
        let code = job.id().code.clone();
        api.run_job(job, Some(Ok(png.into_inner())), &Restarting(&api.state))
            .unwrap();
        let file = api.state.sessions.file(&code, "preview.glb");
        assert_eq!(file.unwrap(), None);
        // The job of the restarted stage is still to be run.
        assert!(api.next_job(6).unwrap().is_none());
        assert_eq!(api.next_job(7).unwrap().unwrap().id().start, 7);
    }
}
