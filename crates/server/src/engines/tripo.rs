//! Tripo's API, version 3. It takes no `data:` URIs: an image is uploaded first.

use std::time::Duration;

use api::{Cents, EndedJob, Millis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{ApiResponse, Client};
use super::config::{CommonConfig, OpenedService};
use super::form::Form;
use super::input_image;
use super::keyed_api::{KeyedApi, PublicApi};
use super::order::Order;
use super::service::{
    CheckError, JobState, ListError, ModelRequest, PollError, Service, SubmitError, credits,
    is_plain_id, plain_ids,
};

const API: PublicApi = PublicApi {
    // Keys of mainland China work at `openapi.tripo3d.com` only.
    url: "https://openapi.tripo3d.ai",
    result_hosts: &["*.tripo3d.com", "*.tripo3d.ai"],
    key_scheme: "Bearer ",
    key_variable: "TRIPO_API_KEY",
};

const UPLOAD_PATH: &str = "/v3/files";
const SUBMIT_PATH: &str = "/v3/generation/image-to-model";
const TASKS_PATH: &str = "/v3/tasks";

const DEFAULT_MODEL: &str = "v3.1-20260211";
/// Makes up to 20,000 faces.
const DEFAULT_LOW_POLY_MODEL: &str = "P1-20260311";

/// The longest edge of an image that is sent.
const MAX_IMAGE_EDGE: u32 = 2048;

/// The keys of the engine's table that are not shared by all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TripoConfig {
    /// The version of the model. Default: `v3.1-20260211`.
    model: Option<String>,
    /// The version for `low_poly`. Default: `P1-20260311`.
    low_poly_model: Option<String>,
}

struct Tripo {
    api: KeyedApi,
    config: TripoConfig,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid, or if the key cannot be read.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<TripoConfig>(table)?;
    let api = API.connect(&common)?;
    let service = Box::new(Tripo { api, config });
    Ok(OpenedService { service, common })
}

/// The `code` of a response.
#[derive(Clone, Copy, PartialEq)]
enum Code {
    Success,
    /// Too many requests, or too many tasks at the same time.
    Busy,
    /// The server has failed, so that a task may have been created.
    ServerError,
    Rejected,
    /// The response is not Tripo's.
    Missing,
}

impl Code {
    fn of(body: &Value) -> Self {
        match body["code"].as_i64() {
            Some(0) => Self::Success,
            Some(1007 | 2000) => Self::Busy,
            Some(1000 | 1001) => Self::ServerError,
            Some(_) => Self::Rejected,
            None => Self::Missing,
        }
    }
}

impl Tripo {
    fn model(&self, order: &Order) -> &str {
        let (configured, default) = match order.is_low_poly() {
            true => (&self.config.low_poly_model, DEFAULT_LOW_POLY_MODEL),
            false => (&self.config.model, DEFAULT_MODEL),
        };
        configured.as_deref().unwrap_or(default)
    }

    /// Returns the request for a model. `quad` is not sent, since the result would be an FBX file; models
    /// of the P series reject even `false`.
    fn body(&self, order: &Order, file_token: &str) -> Value {
        json!({
            "input": file_token,
            "model": self.model(order),
            "texture": order.is_textured,
            // Its default of `true` makes and bills a texture, whatever `texture` is.
            "pbr": order.is_textured,
            "face_limit": order.by_faces(5_000, 40_000, 500_000),
        })
    }

    /// Returns the payload of a successful response.
    fn data<'a>(&self, response: &'a ApiResponse) -> Result<&'a Value, SubmitError> {
        if !(200..=299).contains(&response.status) {
            return Err(SubmitError::from_response(&self.api.client, response));
        }
        let reason = || self.api.client.error(response).to_string();
        match Code::of(&response.body) {
            Code::Success => Ok(&response.body["data"]),
            Code::Busy => Err(SubmitError::Busy {
                reason: reason(),
                retry_after: response.retry_after,
            }),
            Code::Rejected => Err(SubmitError::Rejected(reason())),
            Code::ServerError | Code::Missing => Err(SubmitError::Unknown(reason())),
        }
    }

    /// Uploads the image, which costs nothing. Returns its token.
    fn upload(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let image = input_image::file(request, MAX_IMAGE_EDGE)?;
        let form = Form {
            fields: &[],
            file_field: "file",
            file_name: image.name(),
            media_type: image.media_type,
            file: &image.bytes,
        };
        let response = self.api.client.upload(UPLOAD_PATH, &form)?;
        match self.data(&response)?["file_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(SubmitError::Unknown(
                "unexpected response: no file_token".into(),
            )),
        }
    }
}

/// Returns the time of a row in milliseconds since 1970: an ISO 8601 date, or a number of seconds.
fn created_at(row: &Value) -> Option<Millis> {
    match &row["created_at"] {
        Value::String(text) => {
            let time = humantime::parse_rfc3339_weak(text).ok()?;
            let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(since.as_millis() as Millis)
        }
        number => Some(
            Duration::try_from_secs_f64(number.as_f64()?)
                .ok()?
                .as_millis() as Millis,
        ),
    }
}

/// Returns the rows of a list, which is the payload or one of its fields.
fn rows(data: &Value) -> Option<&Vec<Value>> {
    let fields = data.as_object().into_iter().flatten();
    data.as_array()
        .or_else(|| fields.map(|(_, value)| value).find_map(Value::as_array))
}

impl Service for Tripo {
    fn name(&self) -> &'static str {
        "tripo"
    }

    fn missing(&self) -> Option<String> {
        self.api.missing.clone()
    }

    fn default_concurrent(&self) -> usize {
        // The limit of the P series; other models allow 10.
        5
    }

    fn price(&self, order: &Order) -> Option<Cents> {
        // A credit costs $0.01.
        match self.model(order) {
            model if model.starts_with("v3.") => Some(if order.is_textured { 30 } else { 20 }),
            _ => None,
        }
    }

    fn price_source(&self) -> &'static str {
        "credits of Tripo's version 2 at $0.01 each, not confirmed for version 3, read on 2026-11-27"
    }

    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let file_token = self.upload(request).map_err(SubmitError::before_submit)?;
        let body = self.body(&request.order, &file_token);
        let response = self.api.client.post(SUBMIT_PATH, &body)?;
        match self.data(&response)?["task_id"].as_str() {
            Some(task) if is_plain_id(task) => Ok(task.to_owned()),
            _ => Err(SubmitError::Unknown(
                "unexpected response: no task_id".into(),
            )),
        }
    }

    /// Reads the account's usage, the only list of tasks.
    fn list_since(&self, since: Millis) -> Result<Vec<String>, ListError> {
        let response = self.api.client.get("/v3/account/usage?limit=50&offset=0");
        let response = response.map_err(PollError::from)?;
        let rows = rows(&response.body["data"]).filter(|_| response.status == 200);
        let Some(rows) = rows else {
            return Err(PollError::from(self.api.client.error(&response)).into());
        };
        let is_new = |row: &&Value| created_at(row).is_some_and(|at| at >= since);
        let new = rows.iter().filter(is_new);
        Ok(plain_ids(new.filter_map(|row| row["task_id"].as_str())))
    }

    fn poll(&self, job: &str) -> Result<JobState, PollError> {
        let response = self.api.client.get(&format!("{TASKS_PATH}/{job}"))?;
        let task = &response.body["data"];
        let progress = task["progress"].as_f64().unwrap_or_default() as f32 / 100.0;
        match (response.status, task["status"].as_str()) {
            (200, Some("queued")) => Ok(JobState::queued("Tripo", task["queuing_num"].as_u64())),
            (200, Some("running")) => {
                Ok(JobState::running(progress, "generating the model at Tripo"))
            }
            // The URL is valid for five minutes. Each poll returns a new one.
            (200, Some("success")) => Ok(JobState::done_at(
                task["output"]["model_url"].as_str(),
                Vec::new(),
                credits(&task["credits_consumed"]),
            )),
            (200, Some(status @ ("failed" | "cancelled" | "banned" | "expired"))) => {
                let names = ["error_message", "error_msg"];
                let reason = names.iter().find_map(|name| task[*name].as_str());
                let code = task["error_code"].as_i64();
                let code = code.map(|code| format!("code {code}"));
                let reason = reason.filter(|reason| !reason.is_empty());
                let reason = reason.or(code.as_deref());
                Ok(JobState::failed_with(self.client(), status, reason))
            }
            (404 | 410, _) => Ok(JobState::Failed("the task no longer exists".into())),
            (200, _) => Err(PollError::Unexpected("unknown job status")),
            _ => Err(self.api.client.error(&response).into()),
        }
    }

    fn after_deletion(&self) -> EndedJob {
        EndedJob {
            message: "Tripo documents no way to cancel a task: it goes on, and may be charged."
                .into(),
            may_be_charged: true,
        }
    }

    fn client(&self) -> &Client {
        &self.api.client
    }

    fn check(&self) -> Result<String, CheckError> {
        self.api
            .check_credits("/v3/account/balance", "/data/balance")
    }
}
