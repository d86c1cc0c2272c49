//! The worker threads that process the sessions' jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use api::{
    Api, Detail, Engine, EngineFilter, Job, JobKind, Millis, Model, ModelError, Progress, Source,
    StoreError, VIEW_COUNT, catch_panic,
};

use crate::clock::now;
use crate::deleted_jobs::end_deleted_jobs;
use crate::engines::ConfiguredEngine;
use crate::fetch::Fetcher;
use crate::metrics::JobSeconds;
use crate::notify::{Notify, WorkerGuard};

/// How long a worker waits after the store has failed, at first and at most. Each pause is twice as long
/// as the previous one.
const STORE_FAILURE_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];
/// The number of threads that download images, so that a silent server does not hold up models.
const DOWNLOAD_THREADS: usize = 8;
/// The maximum number of simultaneous downloads for each client, so that one client cannot hold up the
/// images of all.
const MAX_DOWNLOADS_PER_CLIENT: usize = 2;
/// How often expired sessions are deleted.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);
/// How often a stopping server checks for paid requests that wait for their response.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The state that the worker threads share.
pub struct WorkerContext {
    /// Hands out the jobs, and stores their results.
    pub api: Arc<Api>,
    /// Each with threads of its own.
    pub engines: Vec<ConfiguredEngine>,
    /// Fetches the images that are given by URL.
    pub fetcher: Fetcher,
    job_seconds: JobSeconds,
    /// Whether the failure of the store was logged.
    is_store_failing: AtomicBool,
}

impl WorkerContext {
    /// Creates the state for an API with its engines, each of which has threads of its own.
    pub fn new(
        api: Arc<Api>,
        engines: Vec<ConfiguredEngine>,
        fetcher: Fetcher,
        job_seconds: JobSeconds,
    ) -> Self {
        Self {
            api,
            engines,
            fetcher,
            job_seconds,
            is_store_failing: AtomicBool::default(),
        }
    }
}

/// A handle to the worker threads.
pub struct Workers {
    context: Arc<WorkerContext>,
    notify: Arc<Notify>,
}

impl Workers {
    /// Starts the threads of each engine, so that no engine waits for another. They look for pending
    /// jobs at once.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn start(context: WorkerContext) -> std::io::Result<Self> {
        let context = Arc::new(context);
        let notify = Arc::new(Notify::default());
        {
            let (context, guard) = (context.clone(), WorkerGuard::new(&notify));
            thread::Builder::new()
                .name("retention".into())
                .spawn(move || delete_expired(&context, guard.notify()))?;
        }
        for engine in &context.engines {
            let (name, Some(remote)) = (engine.name.clone(), engine.remote.clone()) else {
                continue;
            };
            let (api, guard) = (context.api.clone(), WorkerGuard::new(&notify));
            thread::Builder::new()
                .name(format!("{name} deletion"))
                .spawn(move || end_deleted_jobs(&api, &name, &remote, guard.notify()))?;
        }
        for number in 0..DOWNLOAD_THREADS {
            let (context, guard) = (context.clone(), WorkerGuard::new(&notify));
            thread::Builder::new()
                .name(format!("download {number}"))
                .spawn(move || download_images(&context, guard.notify()))?;
        }
        for (index, engine) in context.engines.iter().enumerate() {
            for number in 0..engine.max_concurrent {
                let (context, guard) = (context.clone(), WorkerGuard::new(&notify));
                thread::Builder::new()
                    .name(format!("{} {number}", engine.name))
                    .spawn(move || make_models(&context, index, guard.notify()))?;
            }
        }
        Ok(Self { context, notify })
    }

    /// Wakes the workers because there may be a new job.
    pub fn wake(&self) {
        self.notify.notify_all();
    }

    /// Cancels the jobs in progress and waits at most `timeout` for the workers to end. Only the
    /// response to a request for a model is awaited as long as the engine's own timeout allows:
    /// the model may have been paid for.
    pub fn stop(&self, timeout: Duration) {
        self.context.api.close();
        let mut ended = self.notify.stop(timeout);
        if !ended && self.has_model_request_in_flight() {
            eprintln!("Waiting for the response to a request for a model");
        }
        while !ended && self.has_model_request_in_flight() {
            ended = self.notify.stop(STOP_CHECK_INTERVAL);
        }
        if !ended {
            eprintln!("Stopping with unfinished jobs; they resume at the next start");
        }
    }

    fn has_model_request_in_flight(&self) -> bool {
        let engines = self.context.engines.iter();
        let mut counts = engines.filter_map(|engine| engine.request_counts.as_ref());
        counts.any(|counts| counts.has_in_flight())
    }
}

/// Processes the jobs of one engine. The workers of the first engine also end the sessions whose
/// engine is no longer configured.
fn make_models(context: &WorkerContext, index: usize, notify: &Notify) {
    let engines = &context.engines;
    let known: Vec<_> = engines.iter().map(|engine| engine.name.clone()).collect();
    let ConfiguredEngine { name, engine, .. } = &engines[index];
    let filter = match index {
        0 => EngineFilter::NamedOrUnknown {
            name,
            known: &known,
        },
        _ => EngineFilter::Named(name),
    };
    process_jobs(context, JobKind::Engine(filter), notify, |job| {
        let engine: &dyn Engine = match job.engine() == name {
            true => &**engine,
            false => &RemovedEngine,
        };
        let (engine_name, start) = (job.engine().to_owned(), Instant::now());
        context.api.run_job(job, None, engine)?;
        // If the session was deleted, its job can be ended now.
        notify.notify_all();
        context.job_seconds.observe(&engine_name, start.elapsed());
        Ok(())
    });
}

/// Downloads the images that are given by URL.
fn download_images(context: &WorkerContext, notify: &Notify) {
    let kind = JobKind::Download {
        max_per_client: MAX_DOWNLOADS_PER_CLIENT,
    };
    process_jobs(context, kind, notify, |job| {
        let url = job.image_url().unwrap_or_default();
        // A worker must survive a response that makes the HTTP client panic.
        let download = match catch_panic(|| context.fetcher.fetch(url)) {
            Ok(fetched) => fetched.map_err(|error| error.to_string()),
            Err(_) => Err("the response could not be processed".into()),
        };
        context.api.store_download(job, download)?;
        // The image's model may be made now.
        notify.notify_all();
        Ok(())
    });
}

/// Processes the jobs of a kind until the server stops.
fn process_jobs(
    context: &WorkerContext,
    kind: JobKind,
    notify: &Notify,
    process: impl Fn(Job) -> Result<(), StoreError>,
) {
    let [first_pause, longest_pause] = STORE_FAILURE_PAUSES;
    let mut pause = first_pause;
    while let Some(seen) = notify.notifications() {
        let due = match process_next(context, kind, notify, &process) {
            Ok(due) => due,
            Err(error) => {
                if !context.is_store_failing.swap(true, Ordering::Relaxed) {
                    eprintln!("Cannot read or store sessions; their jobs are paused: {error}");
                }
                notify.sleep(pause);
                pause = longest_pause.min(2 * pause);
                continue;
            }
        };
        context.is_store_failing.store(false, Ordering::Relaxed);
        pause = first_pause;
        match due {
            NextDue::Now => {}
            NextDue::At(due) => {
                let timeout = Duration::from_millis(due.saturating_sub(now()));
                notify.wait(seen, Some(timeout));
            }
            NextDue::Unplanned => notify.wait(seen, None),
        }
    }
}

/// When a worker looks for its next job.
enum NextDue {
    Now,
    At(Millis),
    Unplanned,
}

/// Processes the next due job of a kind.
fn process_next(
    context: &WorkerContext,
    kind: JobKind,
    notify: &Notify,
    process: impl Fn(Job) -> Result<(), StoreError>,
) -> Result<NextDue, StoreError> {
    let api = &context.api;
    // A result that cannot be stored would have to be made or downloaded again.
    api.check_store()?;
    if let Some(job) = api.next_job_of(kind, now())? {
        // Other workers may find further jobs.
        notify.notify_all();
        process(job)?;
        return Ok(NextDue::Now);
    }
    let due = api.next_due_of(kind, now())?;
    Ok(due.map_or(NextDue::Unplanned, NextDue::At))
}

/// Deletes expired sessions from time to time. New sessions do the same.
fn delete_expired(context: &WorkerContext, notify: &Notify) {
    while notify.notifications().is_some() {
        // The failure of a store is reported when something has to be stored.
        let _ = context.api.delete_expired(now());
        notify.sleep(RETENTION_INTERVAL);
    }
}

/// Stands in for an engine that was configured when its sessions were created.
struct RemovedEngine;

impl RemovedEngine {
    fn failure() -> ModelError {
        ModelError::Failed(
            "the session's engine is no longer configured; a paid model may have been charged"
                .into(),
        )
    }
}

impl Engine for RemovedEngine {
    fn model(&self, _: Source, _: Detail, _: usize, _: &mut Progress) -> Result<Model, ModelError> {
        Err(Self::failure())
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Err(Self::failure())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use api::{Client, Config, MemoryStore, Request};
    use serde_json::{Value, json};
    use ureq::tls::RootCerts;

    use super::*;
    use crate::engines;

    /// One pixel.
    const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4\
                       2mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    const CLIENTS: [&str; 2] = ["a", "b"];

    fn send(api: &Api, client: &str, (method, path): (&str, &str), body: &Value) -> Value {
        let mut request = Request::new(body.to_string().into_bytes());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        let key = client.parse().unwrap();
        request.headers_mut().insert("x-api-key", key);
        let response = api.handle(&request, now());
        serde_json::from_slice(response.body()).unwrap()
    }

    fn create(api: &Api, client: &str, image_url: &str) -> String {
        let body = json!({"image_url": image_url, "generate_preview_mesh": true});
        let created = send(api, client, ("POST", "/image-to-3d-sessions"), &body);
        let code = created["data"]["session_code"].as_str();
        code.unwrap_or_else(|| panic!("{created}")).to_owned()
    }

    fn status(api: &Api, client: &str, code: &str) -> Value {
        let path = format!("/image-to-3d-sessions/{code}");
        let session = send(api, client, ("GET", &path), &Value::Null);
        session["data"]["status"].clone()
    }

    #[test]
    fn silent_servers_of_images_delay_neither_models_nor_images_of_other_clients() {
        // Accepts connections, but sends nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = format!("https://{}/", silent.local_addr().unwrap());
        let clients = CLIENTS.map(|name| Client {
            name: name.into(),
            key: name.into(),
        });
        let config = Config {
            speed: 1000.0,
            clients: clients.to_vec(),
            ..Config::default()
        };
        let api = Api::open(&config, Box::new(MemoryStore::default()), now()).unwrap();
        let api = Arc::new(api);
        let pending: Vec<_> = (0..2 * DOWNLOAD_THREADS)
            .map(|_| create(&api, CLIENTS[0], &silent))
            .collect();
        let model = create(&api, CLIENTS[1], PNG);
        let refused = create(&api, CLIENTS[1], "https://127.0.0.1:1/");
        let timeout = Duration::from_secs(60);
        let fetcher = Fetcher::new(|_| true, RootCerts::WebPki, 1 << 20, timeout);
        let engines = vec![engines::sculpt(1)];
        let job_seconds = JobSeconds::new(&engines);
        let context = WorkerContext::new(api.clone(), engines, fetcher, job_seconds);
        let workers = Workers::start(context).unwrap();
        let is_over = |code: &str| {
            let status = status(&api, CLIENTS[1], code);
            status == "preview_done" || status == "preview_failed"
        };
        let start = std::time::Instant::now();
        while !is_over(&model) || !is_over(&refused) {
            assert!(start.elapsed() < timeout / 2);
            thread::sleep(Duration::from_millis(10));
        }
        for code in &pending {
            assert_eq!(status(&api, CLIENTS[0], code), "training_preview");
        }
        workers.stop(Duration::ZERO);
    }
}
