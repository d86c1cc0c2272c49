//! Meshy's image-to-3d.

use api::{Cents, CostUnit, EndedJob, Millis, SessionCost};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api_key::ApiKey;
use super::client::Client;
use super::config::{CommonConfig, OpenedService};
use super::input_image;
use super::order::Order;
use super::service::{
    CancelReason, Cancellation, CheckError, JobState, ListError, ModelRequest, PollError,
    ResultUrl, Service, SubmitError, is_plain_id,
};

const KEY_VARIABLE: &str = "MESHY_API_KEY";

const TASKS_PATH: &str = "/openapi/v1/image-to-3d";

const DEFAULT_MODEL: &str = "meshy-7.1";
const DEFAULT_LOW_POLY_MODEL: &str = "meshy-t2.5";

/// The versions that Meshy rejects. `meshy-5` was retired on 2026-10-10, `meshy-t1` on 2026-10-30.
const RETIRED_MODELS: [&str; 3] = ["meshy-4", "meshy-5", "meshy-t1"];

/// The faces of a `low_poly` model.
const LOW_POLY_FACES: u32 = 5_000;

/// US cents for a credit in the Pro plan: $20 a month for 1,000 credits.
const CENTS_PER_CREDIT: Cents = 2;

const API_URL: &str = "https://api.meshy.ai";
const RESULT_HOSTS: [&str; 1] = ["assets.meshy.ai"];

/// The longest edge of an image that is sent.
const MAX_IMAGE_EDGE: u32 = 2048;

/// The keys of the engine's table that are not shared by all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeshyConfig {
    /// The version of the model. Default: `meshy-7.1`, since the parameters of `latest` change.
    ai_model: Option<String>,
    /// The version for `low_poly` with triangles. One that starts with `meshy-t` makes few faces from the
    /// start, for a quarter to a half of the price. Default: `meshy-t2.5`.
    low_poly_model: Option<String>,
}

struct Meshy {
    client: Client,
    config: MeshyConfig,
    has_key: bool,
    /// The error of the configured `result_hosts`, if they are wrong.
    result_hosts: Result<(), String>,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid, or if the key cannot be read.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<MeshyConfig>(table)?;
    let api_key = ApiKey::find("Bearer ", KEY_VARIABLE, common.key_file.as_deref())?;
    let has_key = api_key.is_some();
    let url = common.url(API_URL)?;
    let hosts = common.result_hosts(API_URL, &RESULT_HOSTS)?;
    let client = Client::new(&url, api_key, hosts, common.timeout());
    let service = Box::new(Meshy {
        client,
        config,
        has_key,
        result_hosts: common.check_result_hosts(API_URL, &RESULT_HOSTS),
    });
    Ok(OpenedService { service, common })
}

/// What a task makes, on which its other fields and its price depend.
enum Task<'a> {
    /// Few faces from the start, with this version of the model.
    SmartTopology(&'a str),
    /// A model of this version with fewer faces, or with quads.
    Remeshed(&'a str),
    /// A model of this version.
    Plain(&'a str),
}

impl Meshy {
    fn task(&self, order: &Order) -> Task<'_> {
        let config = &self.config;
        let model = config.ai_model.as_deref().unwrap_or(DEFAULT_MODEL);
        let low_poly_model = config.low_poly_model.as_deref();
        let low_poly_model = low_poly_model.unwrap_or(DEFAULT_LOW_POLY_MODEL);
        match (order.is_low_poly(), order.has_quads()) {
            (true, false) if low_poly_model.starts_with("meshy-t") => {
                Task::SmartTopology(low_poly_model)
            }
            (true, false) => Task::Remeshed(low_poly_model),
            (_, true) => Task::Remeshed(model),
            (false, false) => Task::Plain(model),
        }
    }

    fn body(&self, order: &Order, image: String) -> Value {
        // Each format takes additional time. A GLB has no quads, which the others keep.
        let formats: &[_] = match order.has_quads() {
            true => &["glb", "fbx", "obj", "usdz"],
            false => &["glb", "fbx", "usdz"],
        };
        let mut body = json!({
            "image_url": image,
            "should_texture": order.is_textured,
            "target_formats": formats,
        });
        let model = match self.task(order) {
            Task::SmartTopology(model) => {
                body["model_type"] = "smart-topology".into();
                body["target_polycount"] = LOW_POLY_FACES.into();
                model
            }
            // `topology` and `target_polycount` have no effect without `should_remesh`.
            Task::Remeshed(model) => {
                let faces = order.by_faces(LOW_POLY_FACES, 40_000, 100_000);
                body["should_remesh"] = true.into();
                body["topology"] = if order.has_quads() {
                    "quad"
                } else {
                    "triangle"
                }
                .into();
                body["target_polycount"] = faces.into();
                model
            }
            Task::Plain(model) => model,
        };
        body["ai_model"] = model.into();
        body
    }

    /// Returns the configured version that Meshy no longer has, if any.
    fn retired_model(&self) -> Option<&str> {
        let models = [&self.config.ai_model, &self.config.low_poly_model];
        let mut models = models.into_iter().filter_map(|model| model.as_deref());
        models.find(|model| RETIRED_MODELS.contains(model))
    }
}

impl Service for Meshy {
    fn name(&self) -> &'static str {
        "meshy"
    }

    fn missing(&self) -> Option<String> {
        match self.retired_model() {
            Some(model) => Some(format!(
                "Meshy has retired {model}; set ai_model to {DEFAULT_MODEL} or meshy-6"
            )),
            None => (!self.has_key).then(|| ApiKey::missing(KEY_VARIABLE)),
        }
    }

    fn default_concurrent(&self) -> usize {
        // Half of what the smallest plan allows.
        5
    }

    fn price(&self, order: &Order) -> Option<Cents> {
        let (mesh, texture) = match self.task(order) {
            Task::SmartTopology(_) => (5, 10),
            Task::Remeshed(_) | Task::Plain(_) => (20, 10),
        };
        let credits = mesh + if order.is_textured { texture } else { 0 };
        Some(credits * CENTS_PER_CREDIT)
    }

    fn price_source(&self) -> &'static str {
        "Meshy's credits at $0.02 each, as in its Pro plan, read on 2026-11-27"
    }

    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let image = input_image::data_uri(request, MAX_IMAGE_EDGE)?;
        let response = self
            .client
            .post(TASKS_PATH, &self.body(&request.order, image))?;
        match (response.status, response.body["result"].as_str()) {
            (200..=299, Some(task)) if is_plain_id(task) => Ok(task.to_owned()),
            (200..=299, _) => {
                let reason = "unexpected response: no task id";
                Err(SubmitError::Unknown(reason.into()))
            }
            _ => Err(SubmitError::from_response(&self.client, &response)),
        }
    }

    fn list_since(&self, since: Millis) -> Result<Vec<String>, ListError> {
        let path = format!("{TASKS_PATH}?page_num=1&page_size=50&sort_by=-created_at");
        let response = self.client.get(&path).map_err(PollError::from)?;
        let Some(tasks) = response.body.as_array().filter(|_| response.status == 200) else {
            return Err(PollError::from(self.client.error(&response)).into());
        };
        let new = tasks
            .iter()
            .filter(|task| task["created_at"].as_u64().is_some_and(|at| at >= since));
        let ids = new.filter_map(|task| task["id"].as_str());
        let ids = ids.filter(|id| is_plain_id(id)).map(str::to_owned);
        Ok(ids.collect())
    }

    fn poll(&self, job: &str) -> Result<JobState, PollError> {
        let response = self.client.get(&format!("{TASKS_PATH}/{job}"))?;
        let task = &response.body;
        match (response.status, task["status"].as_str()) {
            (200, Some("PENDING")) => {
                let status = match task["preceding_tasks"].as_u64() {
                    Some(0) | None => "in Meshy's queue".into(),
                    Some(1) => "1 job ahead in Meshy's queue".into(),
                    Some(ahead) => format!("{ahead} jobs ahead in Meshy's queue"),
                };
                Ok(JobState::Running {
                    progress: 0.0,
                    status,
                })
            }
            (200, Some("IN_PROGRESS")) => {
                let percent = task["progress"].as_f64().unwrap_or_default();
                Ok(JobState::Running {
                    // A running job may report 0, which means waiting to the API.
                    progress: (percent as f32 / 100.0).max(0.01),
                    status: "generating the model at Meshy".into(),
                })
            }
            (200, Some("SUCCEEDED")) => Ok(match task["model_urls"]["glb"].as_str() {
                Some(url) if !url.is_empty() => JobState::DoneAt {
                    url: url.to_owned(),
                    others: ResultUrl::all(|name| task["model_urls"][name].as_str()),
                    cost: task["consumed_credits"].as_f64().map(|amount| SessionCost {
                        amount,
                        unit: CostUnit::Credits,
                    }),
                },
                _ => JobState::Failed("the task has no GLB".into()),
            }),
            (200, Some(status @ ("FAILED" | "CANCELED"))) => {
                let message = task["task_error"]["message"].as_str().unwrap_or_default();
                let message = self.client.redact(message);
                Ok(JobState::Failed(match message.is_empty() {
                    true => format!("task {status}"),
                    false => format!("task {status}: {message}"),
                }))
            }
            (404 | 410, _) => Ok(JobState::Failed("the task no longer exists".into())),
            (200, _) => Err(PollError::Unexpected("unknown job status")),
            _ => Err(self.client.error(&response).into()),
        }
    }

    /// Deletes the task of a deleted session. At the deadline the task stays: its model would be lost,
    /// and whether Meshy stops or refunds a deleted task is not documented.
    fn cancel(&self, task: &str, reason: CancelReason) -> Cancellation {
        match reason {
            CancelReason::Deleted => self.client.delete(&format!("{TASKS_PATH}/{task}")).into(),
            CancelReason::Deadline => Cancellation::Unsupported,
        }
    }

    fn after_deletion(&self) -> EndedJob {
        EndedJob {
            message:
                "The task is deleted at Meshy; whether that stops it is not documented, and it \
                      may be charged."
                    .into(),
            may_be_charged: true,
        }
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, CheckError> {
        let failed = |error: String| CheckError::new(&self.client, error);
        (self.result_hosts.clone()).map_err(failed)?;
        let url = self.client.base_url();
        let response = self.client.get("/openapi/v1/balance");
        let response = response.map_err(|error| CheckError::new(&self.client, error))?;
        match (response.status, response.body["balance"].as_i64()) {
            (200, Some(balance)) if balance > 0 => {
                Ok(format!("{url}: API key accepted, {balance} credits left"))
            }
            (200, Some(_)) => {
                let reason = "API key accepted, but no credits left";
                Err(CheckError::new(&self.client, reason))
            }
            _ => Err(CheckError::new(&self.client, self.client.error(&response))),
        }
    }
}
