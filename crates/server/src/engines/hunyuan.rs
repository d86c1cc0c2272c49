//! The `api_server.py` of Hunyuan3D on a machine of your own: free, and without an API key.
//!
//! Versions 2.0 and 2.1 share their routes. 2.0 honours parameters; 2.1 takes the image only. Neither
//! reports failed jobs, which look like running ones.

use anyhow::bail;
use api::EndedJob;
use base64_simd::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{ApiResponse, Client};
use super::config::{CommonConfig, OpenedService};
use super::input_image;
use super::service::{
    CheckError, JobState, ModelRequest, PollError, Service, SubmitError, is_plain_id,
};

/// The longest edge of an image that is sent; the models use no more pixels.
const MAX_IMAGE_EDGE: u32 = 1024;

/// The version of the server.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum Dialect {
    /// Hunyuan3D-2.
    #[serde(rename = "2.0")]
    Two,
    /// Hunyuan3D-2.1.
    #[serde(rename = "2.1")]
    TwoOne,
}

/// The keys of the engine's table that are not shared by all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HunyuanConfig {
    /// The server's version. Default: detected by `/health`.
    dialect: Option<Dialect>,
    /// Whether a 2.0 server was started with `--enable_tex`. Without it, a job with a texture never
    /// ends.
    #[serde(default)]
    enable_tex: bool,
}

struct Hunyuan {
    client: Client,
    config: HunyuanConfig,
}

/// Opens the engine with its table of the configuration.
///
/// # Errors
/// Fails if the table is invalid.
pub fn open(table: &toml::Table) -> anyhow::Result<OpenedService> {
    let (common, config) = CommonConfig::split::<HunyuanConfig>(table)?;
    if common.key_file.is_some() || common.result_hosts.is_some() {
        bail!("Remove key_file and result_hosts: Hunyuan3D has no API key and no result URLs");
    }
    let url = common.url("http://127.0.0.1:8081")?;
    let client = Client::new(&url, None, Vec::new(), common.timeout());
    let service = Box::new(Hunyuan { client, config });
    Ok(OpenedService { service, common })
}

impl Hunyuan {
    /// Returns the configured or detected version. Only 2.1 has `/health`.
    fn dialect(&self, health: &ApiResponse) -> Dialect {
        match (self.config.dialect, health.status) {
            (Some(dialect), _) => dialect,
            (None, 200) => Dialect::TwoOne,
            (None, _) => Dialect::Two,
        }
    }
}

impl Service for Hunyuan {
    fn name(&self) -> &'static str {
        "hunyuan"
    }

    fn is_paid(&self) -> bool {
        false
    }

    fn default_concurrent(&self) -> usize {
        // The server runs all jobs at the same time, and a GPU has memory for one.
        1
    }

    fn takes_cutouts(&self) -> bool {
        true
    }

    fn after_deletion(&self) -> EndedJob {
        EndedJob {
            message: "Hunyuan3D cannot cancel a job: its GPU may work on it for some minutes."
                .into(),
            may_be_charged: false,
        }
    }

    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError> {
        // Sent even if the version is configured: while the server handles a synchronous request of
        // another client it responds to nothing, and the response to the job would be lost.
        let health = self.client.get("/health");
        let health = health.map_err(|error| SubmitError::not_handled(&error))?;
        let image = input_image::base64_png(request, MAX_IMAGE_EDGE)?;
        let order = &request.order;
        let is_low = order.is_low_poly();
        let body = match self.dialect(&health) {
            // 2.1 ignores all parameters, but rejects those outside of its ranges.
            Dialect::TwoOne => json!({ "image": image }),
            Dialect::Two => json!({
                "image": image,
                "texture": order.is_textured && self.config.enable_tex,
                "octree_resolution": if is_low { 128 } else { 256 },
                "face_count": if is_low { 10_000 } else { 40_000 },
            }),
        };
        let response = self.client.post("/send", &body)?;
        match (response.status, response.body["uid"].as_str()) {
            (200, Some(uid)) if is_plain_id(uid) => Ok(uid.to_owned()),
            (200, _) => Err(SubmitError::Rejected("unexpected response: no uid".into())),
            _ => Err(SubmitError::from_response(&self.client, &response)),
        }
    }

    fn poll(&self, job: &str) -> Result<JobState, PollError> {
        let response = self.client.get(&format!("/status/{job}"))?;
        if response.status != 200 {
            return Err(self.client.error(&response).into());
        }
        match response.body["status"].as_str() {
            Some("completed") => {
                let model = response.body["model_base64"].as_str().unwrap_or_default();
                let file = STANDARD.decode_to_vec(model);
                file.map(JobState::Done)
                    .map_err(|_| PollError::Unexpected("invalid base64 in model_base64"))
            }
            Some("texturing") => Ok(JobState::running(0.6, "generating the texture")),
            // Also the status of unknown jobs.
            Some("processing") => Ok(JobState::running(0.2, "generating the shape")),
            _ => Err(PollError::Unexpected("unknown job status")),
        }
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, CheckError> {
        let url = self.client.base_url();
        let health = self.client.get("/health");
        let health = health.map_err(|error| CheckError::new(&self.client, error))?;
        let detected = match health.status {
            200 => Dialect::TwoOne,
            404 if health.body == not_found() => Dialect::Two,
            _ => {
                let reason = "reachable, but not Hunyuan3D's api_server.py";
                return Err(CheckError::new(&self.client, reason));
            }
        };
        Ok(match self.config.dialect.unwrap_or(detected) {
            Dialect::TwoOne => format!(
                "{url}: Hunyuan3D-2.1 reachable; it ignores parameters and always makes a texture"
            ),
            Dialect::Two if self.config.enable_tex => {
                format!("{url}: Hunyuan3D-2 reachable, with textures")
            }
            Dialect::Two => format!(
                "{url}: Hunyuan3D-2 reachable, without textures (set `enable_tex = true` if it was \
                 started with --enable_tex)"
            ),
        })
    }
}

/// The body of its web framework's response to an unknown path.
fn not_found() -> Value {
    json!({"detail": "Not Found"})
}
