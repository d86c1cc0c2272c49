//! fal.ai: one queue in front of many models. The parameters, or the configuration, decide which model
//! is used.
//!
//! The queue has no status for failures: a failed job is `COMPLETED`, and the response to a request for
//! its result is the error.

mod models;

use std::num::NonZero;
use std::time::Duration;

use api::{Cents, CostUnit, EndedJob, SessionCost};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{ApiResponse, Client, Header, RequestError};
use super::config::{CommonConfig, OpenedService, check_url};
use super::input_image;
use super::keyed_api::{KeyedApi, PublicApi};
use super::order::Order;
use super::service::{
    CancelReason, Cancellation, CheckError, JobState, ModelRequest, PollError, ResultUrl, Service,
    SubmitError, is_plain_id,
};
use models::{ModelConfig, ModelInput};

const API: PublicApi = PublicApi {
    url: "https://queue.fal.run",
    result_hosts: &["fal.media", "*.fal.media"],
    key_scheme: "Key ",
    key_variable: "FAL_KEY",
};
/// The queue's other URL, which fal's own client uses where the first one cannot be reached.
const BACKUP_URL: &str = "https://queue.falrun.com";

/// How long fal keeps the files of a job unless configured otherwise, in seconds. A result is downloaded
/// within seconds, and fal keeps the list of a job's files for an hour in any case.
const DEFAULT_KEEP_FILES: NonZero<u32> = NonZero::new(3600).unwrap();

/// The longest edge of an image that is sent: some models take no larger one, and fal recommends
/// `data:` URIs for small files only.
const MAX_IMAGE_EDGE: u32 = 2048;

/// The keys of the engine's table that are not shared by all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FalConfig {
    /// The model for all requests. Default: the one that fits the parameters.
    model: Option<ModelConfig>,
    /// The URL to use where the engine's own cannot be reached.
    backup_url: Option<String>,
    /// How long fal keeps the files of a job, in seconds. Default: an hour.
    keep_files: Option<NonZero<u32>>,
}

/// The reference to a job. The paths are below the queue's URL.
#[derive(Serialize, Deserialize)]
struct JobReference {
    #[serde(rename = "status")]
    status_path: String,
    #[serde(rename = "response")]
    result_path: String,
    #[serde(rename = "cancel")]
    cancel_path: String,
    /// JSON pointers to the GLB's URL in the result.
    glb: Vec<String>,
}

struct Fal {
    api: KeyedApi,
    backup: Option<Client>,
    config: FalConfig,
    /// The headers of each request for a model.
    headers: Vec<Header>,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid, or if the key cannot be read.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<FalConfig>(table)?;
    if let Some(model) = &config.model {
        model.validate()?;
    }
    let api = API.connect(&common)?;
    let backup_url = match (&config.backup_url, api.client.base_url() == API.url) {
        (Some(backup_url), _) => {
            check_url("backup_url", backup_url)?;
            Some(backup_url.as_str())
        }
        (None, true) => Some(BACKUP_URL),
        (None, false) => None,
    };
    let service = Box::new(Fal {
        backup: backup_url.map(|url| api.client.with_base_url(url)),
        api,
        headers: job_headers(common.timing().deadline, &config),
        config,
    });
    Ok(OpenedService { service, common })
}

/// Returns the headers of a request for a model.
///
/// [fal's documentation](https://fal.ai/docs/documentation/model-apis/common-parameters) describes
/// them. Without them a job waits for a machine as long as it takes, the result has a public URL for at
/// least a week, and the input with its picture is kept for 30 days.
fn job_headers(deadline: Duration, config: &FalConfig) -> Vec<Header> {
    let keep_files = config.keep_files.unwrap_or(DEFAULT_KEEP_FILES);
    let lifecycle = json!({ "expiration_duration_seconds": keep_files });
    vec![
        // Ends a job that has not started by the deadline. Does not limit how long it runs.
        (
            "x-fal-request-timeout",
            deadline.as_secs().max(1).to_string(),
        ),
        ("x-fal-object-lifecycle-preference", lifecycle.to_string()),
        ("x-fal-store-io", "0".into()),
    ]
}

/// The meaning of the response to a request for a result.
enum JobResult {
    /// The job is done, and this is the model's output.
    Output,
    /// The result is not ready, or the response tells nothing about the job.
    NotAvailable,
    /// The result was deleted.
    Expired,
    /// The model has failed.
    Failed,
}

impl JobResult {
    fn classify(response: &ApiResponse) -> Self {
        /// The queue's own responses, as opposed to those of a model.
        #[derive(Deserialize)]
        enum QueueDetail {
            #[serde(rename = "Request is still in progress")]
            InProgress,
        }
        #[derive(Deserialize)]
        struct QueueError {
            #[serde(rename = "detail")]
            _detail: QueueDetail,
        }
        let is_queue_error = || QueueError::deserialize(&response.body).is_ok();
        match response.status {
            200 => Self::Output,
            202 => Self::NotAvailable,
            // Comes for a moment after the status has become COMPLETED.
            400 if is_queue_error() => Self::NotAvailable,
            // About the account, or about the load.
            401 | 403 | 408 | 429 => Self::NotAvailable,
            404 | 410 => Self::Expired,
            // Without a detail, the error is a gateway's.
            500..=599 if response.body["detail"].is_null() => Self::NotAvailable,
            // A failed model may use any status.
            _ => Self::Failed,
        }
    }
}

impl Fal {
    /// Returns the model for an order.
    fn model(&self, order: &Order) -> ModelConfig {
        let configured = self.config.model.clone();
        configured.unwrap_or_else(|| ModelConfig::fitting(order))
    }

    /// Sends a request to the queue, or to its backup URL if not a byte could be sent.
    fn send(
        &self,
        send: impl Fn(&Client) -> Result<ApiResponse, RequestError>,
    ) -> Result<ApiResponse, RequestError> {
        match (send(&self.api.client), &self.backup) {
            (Err(error), Some(backup)) if !error.may_have_arrived() => send(backup),
            (result, _) => result,
        }
    }

    /// Returns the path of a job's URL, so that the API key is only sent to the queue's own hosts. A
    /// URL elsewhere is replaced by the documented path.
    fn job_path(
        &self,
        url: Option<&str>,
        model_id: &str,
        request_id: &str,
        suffix: &str,
    ) -> String {
        let clients = [Some(&self.api.client), self.backup.as_ref()];
        let mut clients = clients.into_iter().flatten();
        let path =
            url.and_then(|url| clients.find_map(|client| url.strip_prefix(client.base_url())));
        match path.filter(|path| path.starts_with('/')) {
            Some(path) => path.to_owned(),
            None => {
                // The paths of jobs contain the owner and the app, without the rest of the id.
                let app: Vec<_> = model_id.split('/').take(2).collect();
                format!("/{}/requests/{request_id}{suffix}", app.join("/"))
            }
        }
    }

    fn result(&self, job: &JobReference) -> Result<JobState, PollError> {
        let response = self.send(|client| client.get(&job.result_path))?;
        let error = self.api.client.error(&response);
        match JobResult::classify(&response) {
            JobResult::Output => Ok(self.output(job, &response)),
            JobResult::NotAvailable => Err(error.into()),
            JobResult::Expired => Ok(JobState::Failed("the result has expired".into())),
            JobResult::Failed => Ok(JobState::Failed(error.to_string())),
        }
    }

    fn output(&self, job: &JobReference, response: &ApiResponse) -> JobState {
        let output = &response.body;
        let url_at = |pointer: &String| output.pointer(pointer)?.as_str();
        if let Some(url) = job.glb.iter().find_map(url_at) {
            return JobState::DoneAt {
                url: url.to_owned(),
                // Meshy's and Hunyuan's models have them.
                others: ResultUrl::all(|name| {
                    output.pointer(&format!("/model_urls/{name}/url"))?.as_str()
                }),
                cost: response.billable_units.map(|amount| SessionCost {
                    amount,
                    unit: CostUnit::BillableUnits,
                }),
            };
        }
        let fields = output.as_object().into_iter().flatten();
        let names: Vec<_> = fields.map(|(name, _)| name.as_str()).collect();
        JobState::Failed(format!(
            "the result has no URL at {} (fields: {})",
            job.glb.join(" or "),
            self.api.client.redact(&names.join(", "))
        ))
    }
}

impl Service for Fal {
    fn name(&self) -> &'static str {
        "fal"
    }

    fn missing(&self) -> Option<String> {
        self.api.missing.clone()
    }

    fn default_concurrent(&self) -> usize {
        // The limit of a new account; further jobs wait in fal's queue.
        2
    }

    fn price(&self, order: &Order) -> Option<Cents> {
        self.model(order).price(order)
    }

    fn price_source(&self) -> &'static str {
        "list prices of fal.ai's model pages, read on 2026-11-27"
    }

    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let ModelInput {
            id,
            image_field,
            glb,
            mut fields,
        } = self.model(&request.order).input(&request.order);
        let image = input_image::data_uri(request, MAX_IMAGE_EDGE)?;
        match image_field.strip_suffix("[]") {
            Some(list) => fields.insert(list.into(), json!([image])),
            None => fields.insert(image_field, image.into()),
        };
        let (path, input) = (format!("/{id}"), fields.into());
        let response = self.send(|client| client.post_with(&path, &self.headers, &input))?;
        let request_id = match (response.status, response.body["request_id"].as_str()) {
            (200..=299, Some(request_id)) if is_plain_id(request_id) => request_id,
            // The job may have been created all the same.
            (200..=299, _) => {
                let reason = "unexpected response: no request_id";
                return Err(SubmitError::Unknown(reason.into()));
            }
            _ => return Err(SubmitError::from_response(&self.api.client, &response)),
        };
        let path = |name: &str, suffix: &str| {
            self.job_path(response.body[name].as_str(), &id, request_id, suffix)
        };
        let job = JobReference {
            status_path: path("status_url", "/status"),
            result_path: path("response_url", ""),
            cancel_path: path("cancel_url", "/cancel"),
            glb,
        };
        serde_json::to_string(&job).map_err(|error| SubmitError::Unknown(error.to_string()))
    }

    fn poll(&self, job: &str) -> Result<JobState, PollError> {
        let job: JobReference = serde_json::from_str(job)?;
        let response = self.send(|client| client.get(&job.status_path))?;
        match (response.status, response.body["status"].as_str()) {
            // Jobs in progress get 202 by the documentation; 200 was seen too.
            (200 | 202, Some("IN_QUEUE")) => {
                let ahead = response.body["queue_position"].as_u64();
                Ok(JobState::queued("fal", ahead))
            }
            (200 | 202, Some("IN_PROGRESS")) => {
                Ok(JobState::running(0.4, "generating the model at fal"))
            }
            (200 | 202, Some("COMPLETED")) => self.result(&job),
            (200 | 202, Some(other)) => {
                let status = self.api.client.redact(other);
                Ok(JobState::Failed(format!("unknown job status {status:?}")))
            }
            (404 | 410, _) => Ok(JobState::Failed("the job no longer exists".into())),
            // A locked account gets 403 here even while its job is running.
            _ => Err(self.api.client.error(&response).into()),
        }
    }

    fn cancel(&self, job: &str, _: CancelReason) -> Cancellation {
        match serde_json::from_str::<JobReference>(job) {
            Ok(job) => self.send(|client| client.put(&job.cancel_path)).into(),
            Err(_) => Cancellation::Unsupported,
        }
    }

    fn after_deletion(&self) -> EndedJob {
        EndedJob {
            message: "fal is asked to cancel the job; if it runs already, it may be charged."
                .into(),
            may_be_charged: true,
        }
    }

    fn client(&self) -> &Client {
        &self.api.client
    }

    fn check(&self) -> Result<String, CheckError> {
        self.api.check_result_hosts()?;
        let failed = |error: &dyn std::fmt::Display| CheckError::new(self.client(), error);
        // The status of a job that does not exist: fal has no free request that tests a key.
        let path = "/fal-ai/trellis-2/requests/00000000-0000-0000-0000-000000000000/status";
        let response = self.send(|client| client.get(path));
        let response = response.map_err(|error| failed(&error))?;
        match response.status {
            404 if !response.body["detail"].is_null() => {
                let url = self.api.client.base_url();
                Ok(format!("{url}: reachable, API key configured"))
            }
            _ => Err(failed(&self.api.client.error(&response))),
        }
    }
}
