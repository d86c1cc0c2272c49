//! Meshy's image-to-3d.

use api::Millis;
use contract::{Resolution, Topology};
use serde::Deserialize;
use serde_json::{Value, json};

use super::key::Key;
use super::net::{Client, NoAnswer};
use super::service::{NotSubmitted, Order, Service, State, is_plain};
use super::{Common, Opened, picture};
use crate::engines;

const VARIABLE: &str = "MESHY_API_KEY";

const TASKS: &str = "/openapi/v1/image-to-3d";

/// The longest edge of a picture that is sent.
const EDGE: u32 = 2048;

/// What is configured beside what is common to all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    /// Which of its models; pinned, since `latest` changes what parameters mean.
    ai_model: Option<String>,
}

struct Meshy {
    client: Client,
    own: Own,
    has_key: bool,
}

/// Opens the engine from its table of the configuration.
pub fn open(table: &toml::Table) -> anyhow::Result<Opened> {
    let (common, own): (Common, Own) = engines::read(table)?;
    let key = Key::find("Bearer ", VARIABLE, common.key_file.as_deref())?;
    let has_key = key.is_some();
    let url = common.url(Some("https://api.meshy.ai"))?;
    let hosts = common.result_hosts(&["assets.meshy.ai"]);
    let client = Client::new(&url, key, hosts, common.timeout());
    let service = Box::new(Meshy {
        client,
        own,
        has_key,
    });
    Ok(Opened { service, common })
}

impl Meshy {
    fn body(&self, order: &Order, picture: String) -> Value {
        let low = order.parameters.resolution == Some(Resolution::LowPoly);
        let quads = order.parameters.topology == Some(Topology::Quads);
        let mut body = json!({
            "image_url": picture,
            "ai_model": self.own.ai_model.as_deref().unwrap_or("meshy-6"),
            "should_texture": order.textured,
            // One format is made sooner than all.
            "target_formats": ["glb"],
        });
        // Without it neither of the two has an effect.
        if low || quads {
            body["should_remesh"] = true.into();
            body["topology"] = if quads { "quad" } else { "triangle" }.into();
            body["target_polycount"] = if low { 5_000 } else { 100_000 }.into();
        }
        body
    }
}

impl Service for Meshy {
    fn name(&self) -> &'static str {
        "meshy"
    }

    fn missing(&self) -> Option<String> {
        (!self.has_key).then(|| Key::missing(VARIABLE))
    }

    fn at_once(&self) -> usize {
        // The smallest plan takes ten.
        5
    }

    fn submit(&self, order: &Order) -> Result<String, NotSubmitted> {
        let picture = picture::data_uri(order.picture, EDGE).map_err(NotSubmitted::Refused)?;
        let answer = self.client.post(TASKS, &self.body(order, picture))?;
        match (answer.status, answer.body["result"].as_str()) {
            (200..=299, Some(task)) if is_plain(task) => Ok(task.to_owned()),
            (200..=299, _) => Err(NotSubmitted::Unknown("it answered no task".into())),
            _ => Err(NotSubmitted::by(&self.client, &answer)),
        }
    }

    fn since(&self, since: Millis) -> Option<Result<Vec<String>, String>> {
        let path = format!("{TASKS}?page_num=1&page_size=50&sort_by=-created_at");
        let answer = match self.client.get(&path) {
            Ok(answer) => answer,
            Err(none) => return Some(Err(none.words())),
        };
        let Some(tasks) = answer.body.as_array().filter(|_| answer.status == 200) else {
            return Some(Err(self.client.words(&answer)));
        };
        let new = tasks
            .iter()
            .filter(|task| task["created_at"].as_u64().is_some_and(|at| at >= since));
        let names = new.filter_map(|task| task["id"].as_str());
        let names = names.filter(|name| is_plain(name)).map(str::to_owned);
        Some(Ok(names.collect()))
    }

    fn look(&self, job: &str) -> Result<State, String> {
        let answer = self.client.get(&format!("{TASKS}/{job}"));
        let answer = answer.map_err(NoAnswer::words)?;
        let task = &answer.body;
        match (answer.status, task["status"].as_str()) {
            (200, Some("PENDING")) => {
                let words = match task["preceding_tasks"].as_u64() {
                    Some(0) | None => "in Meshy's queue".into(),
                    Some(1) => "one job before it in Meshy's queue".into(),
                    Some(before) => format!("{before} jobs before it in Meshy's queue"),
                };
                Ok(State::Running(0.0, words))
            }
            (200, Some("IN_PROGRESS")) => {
                let progress = task["progress"].as_f64().unwrap_or_default();
                let words = "Meshy is making the model".into();
                // It has begun, whatever it says.
                Ok(State::Running((progress as f32 / 100.0).max(0.01), words))
            }
            (200, Some("SUCCEEDED")) => Ok(match task["model_urls"]["glb"].as_str() {
                Some(address) if !address.is_empty() => State::MadeAt(address.to_owned()),
                _ => State::Failed("the task has no GLB".into()),
            }),
            (200, Some(status @ ("FAILED" | "CANCELED"))) => {
                let said = task["task_error"]["message"].as_str().unwrap_or_default();
                let said = self.client.clean(said);
                Ok(State::Failed(match said.is_empty() {
                    true => format!("the task is {status}"),
                    false => format!("the task is {status}: {said}"),
                }))
            }
            (404 | 410, _) => Ok(State::Failed("it knows the task no more".into())),
            _ => Err(self.client.words(&answer)),
        }
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, String> {
        let base = self.client.base();
        let answer = self.client.get("/openapi/v1/balance");
        let answer = answer.map_err(|none| format!("{base}: {}", none.words()))?;
        match (answer.status, answer.body["balance"].as_i64()) {
            (200, Some(balance)) if balance > 0 => {
                Ok(format!("{base} takes the key; {balance} credits are left"))
            }
            (200, Some(_)) => Err(format!("{base} takes the key, but no credits are left")),
            _ => Err(format!("{base}: {}", self.client.words(&answer))),
        }
    }
}
