//! Meshy's image-to-3d.

use api::Millis;
use contract::{Resolution, Topology};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api_key::ApiKey;
use super::client::Client;
use super::config::{CommonConfig, OpenedService};
use super::input_image;
use super::service::{
    CheckError, JobState, ListError, ModelRequest, PollError, Service, SubmitError, is_plain_id,
};

const KEY_VARIABLE: &str = "MESHY_API_KEY";

const TASKS_PATH: &str = "/openapi/v1/image-to-3d";

/// The longest edge of an image that is sent.
const MAX_IMAGE_EDGE: u32 = 2048;

/// The keys of the engine's table that are not shared by all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeshyConfig {
    /// The version of the model. Default: `meshy-6`, since the parameters of `latest` change.
    ai_model: Option<String>,
}

struct Meshy {
    client: Client,
    config: MeshyConfig,
    has_key: bool,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid, or if the key cannot be read.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<MeshyConfig>(table)?;
    let api_key = ApiKey::find("Bearer ", KEY_VARIABLE, common.key_file.as_deref())?;
    let has_key = api_key.is_some();
    let url = common.url("https://api.meshy.ai")?;
    let hosts = common.result_hosts(&["assets.meshy.ai"]);
    let client = Client::new(&url, api_key, hosts, common.timeout());
    let service = Box::new(Meshy {
        client,
        config,
        has_key,
    });
    Ok(OpenedService { service, common })
}

impl Meshy {
    fn body(&self, request: &ModelRequest, image: String) -> Value {
        let is_low = request.parameters.resolution == Some(Resolution::LowPoly);
        let has_quads = request.parameters.topology == Some(Topology::Quads);
        let mut body = json!({
            "image_url": image,
            "ai_model": self.config.ai_model.as_deref().unwrap_or("meshy-6"),
            "should_texture": request.is_textured,
            // Other formats would take additional time.
            "target_formats": ["glb"],
        });
        // `topology` and `target_polycount` have no effect without `should_remesh`.
        if is_low || has_quads {
            body["should_remesh"] = true.into();
            body["topology"] = if has_quads { "quad" } else { "triangle" }.into();
            body["target_polycount"] = if is_low { 5_000 } else { 100_000 }.into();
        }
        body
    }
}

impl Service for Meshy {
    fn name(&self) -> &'static str {
        "meshy"
    }

    fn missing(&self) -> Option<String> {
        (!self.has_key).then(|| ApiKey::missing(KEY_VARIABLE))
    }

    fn default_concurrent(&self) -> usize {
        // Half of what the smallest plan allows.
        5
    }

    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let image = input_image::data_uri(request, MAX_IMAGE_EDGE)?;
        let response = self.client.post(TASKS_PATH, &self.body(request, image))?;
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
                Some(url) if !url.is_empty() => JobState::DoneAt(url.to_owned()),
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

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, CheckError> {
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
