//! Meshy's image-to-3d.

use api::{Cents, EndedJob, Millis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::config::{CommonConfig, OpenedService};
use super::input_image;
use super::keyed_api::{KeyedApi, PublicApi};
use super::order::Order;
use super::service::{
    CancelReason, Cancellation, CheckError, JobState, ListError, ModelRequest, PollError,
    ResultUrl, Service, SubmitError, credits, is_plain_id, plain_ids,
};

const TASKS_PATH: &str = "/openapi/v1/image-to-3d";

const DEFAULT_MODEL: &str = "meshy-7.1";
const DEFAULT_LOW_POLY_MODEL: &str = "meshy-t2.5";

/// The versions that Meshy rejects. `meshy-5` was retired on 2026-10-10, `meshy-t1` on 2026-10-30.
const RETIRED_MODELS: [&str; 3] = ["meshy-4", "meshy-5", "meshy-t1"];

/// The faces of a `low_poly` model.
const LOW_POLY_FACES: u32 = 5_000;

/// US cents for a credit in the Pro plan: $20 a month for 1,000 credits.
const CENTS_PER_CREDIT: Cents = 2;

const API: PublicApi = PublicApi {
    url: "https://api.meshy.ai",
    result_hosts: &["assets.meshy.ai"],
    key_scheme: "Bearer ",
    key_variable: "MESHY_API_KEY",
};

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
    api: KeyedApi,
    config: MeshyConfig,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid, or if the key cannot be read.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<MeshyConfig>(table)?;
    let api = API.connect(&common)?;
    let service = Box::new(Meshy { api, config });
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
            None => self.api.missing.clone(),
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
            .api
            .client
            .post(TASKS_PATH, &self.body(&request.order, image))?;
        match (response.status, response.body["result"].as_str()) {
            (200..=299, Some(task)) if is_plain_id(task) => Ok(task.to_owned()),
            (200..=299, _) => {
                let reason = "unexpected response: no task id";
                Err(SubmitError::Unknown(reason.into()))
            }
            _ => Err(SubmitError::from_response(&self.api.client, &response)),
        }
    }

    fn list_since(&self, since: Millis) -> Result<Vec<String>, ListError> {
        let path = format!("{TASKS_PATH}?page_num=1&page_size=50&sort_by=-created_at");
        let response = self.api.client.get(&path).map_err(PollError::from)?;
        let Some(tasks) = response.body.as_array().filter(|_| response.status == 200) else {
            return Err(PollError::from(self.api.client.error(&response)).into());
        };
        let new = tasks
            .iter()
            .filter(|task| task["created_at"].as_u64().is_some_and(|at| at >= since));
        Ok(plain_ids(new.filter_map(|task| task["id"].as_str())))
    }

    fn poll(&self, job: &str) -> Result<JobState, PollError> {
        let response = self.api.client.get(&format!("{TASKS_PATH}/{job}"))?;
        let task = &response.body;
        match (response.status, task["status"].as_str()) {
            (200, Some("PENDING")) => {
                Ok(JobState::queued("Meshy", task["preceding_tasks"].as_u64()))
            }
            (200, Some("IN_PROGRESS")) => {
                let percent = task["progress"].as_f64().unwrap_or_default() as f32;
                let status = "generating the model at Meshy";
                Ok(JobState::running(percent / 100.0, status))
            }
            (200, Some("SUCCEEDED")) => Ok(JobState::done_at(
                task["model_urls"]["glb"].as_str(),
                ResultUrl::all(|name| task["model_urls"][name].as_str()),
                credits(&task["consumed_credits"]),
            )),
            (200, Some(status @ ("FAILED" | "CANCELED"))) => {
                let reason = task["task_error"]["message"].as_str();
                Ok(JobState::failed_with(self.client(), status, reason))
            }
            (404 | 410, _) => Ok(JobState::Failed("the task no longer exists".into())),
            (200, _) => Err(PollError::Unexpected("unknown job status")),
            _ => Err(self.api.client.error(&response).into()),
        }
    }

    /// Deletes the task of a deleted session. At the deadline the task stays: its model would be lost,
    /// and whether Meshy stops or refunds a deleted task is not documented.
    fn cancel(&self, task: &str, reason: CancelReason) -> Cancellation {
        match reason {
            CancelReason::Deleted => self
                .api
                .client
                .delete(&format!("{TASKS_PATH}/{task}"))
                .into(),
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
        &self.api.client
    }

    fn check(&self) -> Result<String, CheckError> {
        self.api.check_credits("/openapi/v1/balance", "/balance")
    }
}
