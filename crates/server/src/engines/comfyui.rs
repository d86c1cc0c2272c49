//! ComfyUI on a machine of your own: free, and without an API key. A workflow of yours decides which
//! model is used.

mod workflow;

use std::path::PathBuf;

use anyhow::{Context, bail};
use api::{EndedJob, Millis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::config::{CommonConfig, OpenedService};
use super::form::Form;
use super::input_image;
use super::service::{
    CancelReason, Cancellation, CheckError, JobState, ListError, ModelRequest, PollError, Service,
    SubmitError, is_plain_id, plain_ids,
};
use crate::clock::now;
use workflow::{Values, Workflow};

/// The longest edge of an image that is sent.
const MAX_IMAGE_EDGE: u32 = 2048;

/// Marks a job of this server in `extra_data`, which ComfyUI keeps with the job, with the time of its
/// request. Jobs of other programs have no such field.
const MARK: &str = "csm_image_to_3d_since";

/// The keys of the engine's table that are not shared by all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComfyUiConfig {
    /// A file with the workflow in API format.
    workflow: Option<PathBuf>,
    /// Whether the workflow gets the object without its background.
    #[serde(default)]
    cutout: bool,
}

struct ComfyUi {
    client: Client,
    /// `None` if it is not configured.
    workflow: Option<Workflow>,
    takes_cutouts: bool,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid, or if the workflow cannot be read.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<ComfyUiConfig>(table)?;
    if common.key_file.is_some() || common.result_hosts.is_some() {
        bail!(
            "Remove key_file and result_hosts: ComfyUI has no API key, and has its results itself"
        );
    }
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file);
        let workflow = text
            .map_err(anyhow::Error::from)
            .and_then(|text| Workflow::parse(&text));
        workflow.with_context(|| format!("Cannot read the workflow {}", file.display()))
    };
    let workflow = config.workflow.map(read).transpose()?;
    let url = common.url("http://127.0.0.1:8188")?;
    let client = Client::new(&url, None, Vec::new(), common.timeout());
    let service = Box::new(ComfyUi {
        client,
        workflow,
        takes_cutouts: config.cutout,
    });
    Ok(OpenedService { service, common })
}

/// Where a job is in ComfyUI's queue.
enum Place {
    Running,
    /// With this many jobs ahead, without the running ones.
    Pending(u64),
    Absent,
}

impl ComfyUi {
    /// Uploads the image. Returns its name for the workflow.
    fn upload(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let image = input_image::file(request, MAX_IMAGE_EDGE)?;
        let extension = image.name().rsplit('.').next().unwrap_or_default();
        // A name of its own, so that ComfyUI does not return an earlier result from its cache.
        let name = format!("{}.{extension}", random_uuid()?);
        let form = Form {
            fields: &[("type", "input")],
            file_field: "image",
            file_name: &name,
            media_type: image.media_type,
            file: &image.bytes,
        };
        let response = self.client.upload("/upload/image", &form)?;
        match (response.status, response.body["name"].as_str()) {
            // It may have renamed the file.
            (200, Some(name)) => match response.body["subfolder"].as_str() {
                None | Some("") => Ok(name.to_owned()),
                Some(folder) => Ok(format!("{folder}/{name}")),
            },
            (200, None) => Err(SubmitError::Unknown("unexpected response: no name".into())),
            _ => Err(SubmitError::from_response(&self.client, &response)),
        }
    }

    fn queue(&self) -> Result<Value, PollError> {
        let response = self.client.get("/queue")?;
        match response.status {
            200 => Ok(response.body),
            _ => Err(self.client.error(&response).into()),
        }
    }

    fn place(&self, job: &str) -> Result<Place, PollError> {
        let queue = self.queue()?;
        let mut running = entries(&queue["queue_running"]);
        if running.any(|entry| entry[1] == job) {
            return Ok(Place::Running);
        }
        let pending: Vec<_> = entries(&queue["queue_pending"]).collect();
        let number = |entry: &Value| entry[0].as_f64().unwrap_or_default();
        let own = pending.iter().find(|entry| entry[1] == job);
        Ok(match own {
            // The list is a heap, in no order.
            Some(own) => Place::Pending(
                pending
                    .iter()
                    .filter(|entry| number(entry) < number(own))
                    .count() as u64,
            ),
            None => Place::Absent,
        })
    }

    /// Returns the state of a job that has ended, or `None` if it has not, or is unknown.
    fn finished(&self, job: &str) -> Result<Option<JobState>, PollError> {
        let response = self.client.get(&format!("/history/{job}"))?;
        if response.status != 200 {
            return Err(self.client.error(&response).into());
        }
        let entry = &response.body[job];
        if entry.is_null() {
            return Ok(None);
        }
        let messages = &entry["status"]["messages"];
        let message = |name: &str| {
            let found = entries(messages).find(|message| message[0] == name);
            found.map(|message| &message[1])
        };
        if let Some(error) = message("execution_error") {
            // Without the traceback, which tells about the machine.
            let text = |name: &str| error[name].as_str().unwrap_or_default().trim();
            let (node, text) = (text("node_type"), text("exception_message"));
            let error = self.client.redact(&format!("{node}: {text}"));
            return Ok(Some(JobState::Failed(error)));
        }
        if message("execution_interrupted").is_some() {
            let reason = "the job was interrupted at ComfyUI";
            return Ok(Some(JobState::Failed(reason.into())));
        }
        Ok(Some(match workflow::result_query(&entry["outputs"]) {
            Some(query) => JobState::DoneAt {
                url: format!("{}/view?{query}", self.client.base_url()),
                others: Vec::new(),
                cost: None,
            },
            None => JobState::Failed("the workflow has no output that is a GLB file".into()),
        }))
    }

    fn cancel(&self, job: &str) -> Result<(), PollError> {
        self.client.post("/queue", &json!({ "delete": [job] }))?;
        // Without a `prompt_id`, and in versions that do not know it, this ends whatever runs.
        if let Place::Running = self.place(job)? {
            self.client
                .post("/interrupt", &json!({ "prompt_id": job }))?;
        }
        Ok(())
    }
}

/// Returns the entries of a list, none if it is not one.
fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Returns a random UUID, the only form of a `prompt_id` that newer versions accept.
fn random_uuid() -> Result<String, SubmitError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| SubmitError::Rejected(error.to_string()))?;
    Ok(uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string())
}

impl Service for ComfyUi {
    fn name(&self) -> &'static str {
        "comfyui"
    }

    fn is_paid(&self) -> bool {
        false
    }

    fn takes_cutouts(&self) -> bool {
        self.takes_cutouts
    }

    fn missing(&self) -> Option<String> {
        self.workflow.is_none().then(|| {
            "no workflow; set workflow in [engines.comfyui] to a file that ComfyUI's \"Export (API)\" \
             has written"
                .into()
        })
    }

    fn default_concurrent(&self) -> usize {
        // ComfyUI runs one job, and the next one waits there.
        2
    }

    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        let Some(workflow) = &self.workflow else {
            return Err(SubmitError::Rejected("no workflow".into()));
        };
        let image = self.upload(request).map_err(SubmitError::before_submit)?;
        let job = random_uuid()?;
        let order = &request.order;
        let prompt = workflow.fill(&Values {
            image: &image,
            // Some nodes accept 31 bits only.
            seed: (now() & 0x7fff_ffff) as u32,
            faces: order.by_faces(5_000, 40_000, 500_000),
            texture_size: order.parameters.texture_resolution.unwrap_or(2048).max(512),
            // Without a folder, which some nodes do not create.
            prefix: &format!("csm_{job}"),
        });
        let body = json!({
            "prompt": prompt,
            "prompt_id": job,
            "extra_data": { MARK: now() },
        });
        let response = self.client.post("/prompt", &body)?;
        match (response.status, response.body["prompt_id"].as_str()) {
            // Older versions choose the id themselves.
            (200, Some(job)) if is_plain_id(job) => Ok(job.to_owned()),
            (200, _) => Err(SubmitError::Unknown(
                "unexpected response: no prompt_id".into(),
            )),
            (400, _) => {
                let error = self.client.error(&response);
                let nodes = workflow::node_errors(&response.body["node_errors"]);
                let nodes = self.client.redact(&nodes);
                Err(SubmitError::Rejected(format!("{error}{nodes}")))
            }
            _ => Err(SubmitError::from_response(&self.client, &response)),
        }
    }

    /// Reads the queue and the history for this server's jobs.
    fn list_since(&self, since: Millis) -> Result<Vec<String>, ListError> {
        let queue = self.queue()?;
        let history = self.client.get("/history?max_items=64");
        let history = history.map_err(PollError::from)?;
        let ended = history.body.as_object().into_iter().flatten();
        let ended = ended.map(|(_, entry)| &entry["prompt"]);
        let queued = [&queue["queue_running"], &queue["queue_pending"]];
        let jobs = queued.into_iter().flat_map(entries).chain(ended);
        let is_new = |entry: &&Value| entry[3][MARK].as_u64().is_some_and(|at| at >= since);
        let ids = jobs.filter(is_new).filter_map(|entry| entry[1].as_str());
        Ok(plain_ids(ids))
    }

    fn poll(&self, job: &str) -> Result<JobState, PollError> {
        if let Some(state) = self.finished(job)? {
            return Ok(state);
        }
        Ok(match self.place(job)? {
            Place::Running => JobState::running(0.4, "generating the model in ComfyUI"),
            Place::Pending(ahead) => JobState::queued("ComfyUI", Some(ahead)),
            // It has ended between the two requests, or ComfyUI was restarted.
            Place::Absent => self.finished(job)?.unwrap_or_else(|| {
                JobState::Failed(
                    "ComfyUI does not know the job: it was removed or restarted".into(),
                )
            }),
        })
    }

    fn cancel(&self, job: &str, _: CancelReason) -> Cancellation {
        match self.cancel(job) {
            Ok(()) => Cancellation::Requested,
            Err(_) => Cancellation::Failed,
        }
    }

    fn after_deletion(&self) -> EndedJob {
        EndedJob {
            message: "The job is removed from ComfyUI's queue, or interrupted.".into(),
            may_be_charged: false,
        }
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, CheckError> {
        let failed = |error: &dyn std::fmt::Display| CheckError::new(&self.client, error);
        let stats = self
            .client
            .get("/system_stats")
            .map_err(|error| failed(&error))?;
        let Some(version) = stats.body["system"]["comfyui_version"].as_str() else {
            return Err(failed(&"reachable, but not ComfyUI"));
        };
        let classes = self.workflow.iter().flat_map(Workflow::classes);
        for class in classes {
            let info = self
                .client
                .get(&format!("/object_info/{}", workflow::encode(&class)));
            let info = info.map_err(|error| failed(&error))?;
            if info.body.get(&class).is_none() {
                return Err(failed(&format!(
                    "the workflow's node {class} is not installed"
                )));
            }
        }
        let url = self.client.base_url();
        let version = self.client.redact(version);
        Ok(format!(
            "{url}: ComfyUI {version} reachable, with all nodes of the workflow"
        ))
    }
}
