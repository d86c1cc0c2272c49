//! fal.ai: one queue before many models. Which of them is asked follows from the parameters, or is
//! configured.
//!
//! There is no status for a failure: such a job is `COMPLETED`, and what is answered instead of its
//! result says what went wrong.

use contract::{Resolution, Topology};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::hunyuan::is_plain;
use super::key::Key;
use super::net::{Answer, Client, NoAnswer};
use super::service::{NotSubmitted, Order, Service, State};
use super::{Common, Opened, picture};
use crate::engines;

const VARIABLE: &str = "FAL_KEY";

const QUEUE: &str = "https://queue.fal.run";
/// Where the queue is for those who cannot reach it there.
const BACKUP: &str = "https://queue.falrun.com";

/// Some models take no larger picture, and a `data:` URI is best kept small.
const EDGE: u32 = 2048;

/// A model: its id, and the names of what goes in and comes out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    id: String,
    /// The field with the picture's address; with `[]` at its end it takes a list of them.
    image_field: String,
    /// Where in the result the GLB's address is, as JSON pointers: the first that is there counts.
    glb: Vec<String>,
    /// Further fields.
    #[serde(default)]
    input: Map<String, Value>,
}

impl Model {
    fn new(id: &str, image_field: &str, glb: &str, input: Value) -> Self {
        let input = match input {
            Value::Object(input) => input,
            _ => Map::new(),
        };
        Self {
            id: id.into(),
            image_field: image_field.into(),
            glb: vec![glb.into()],
            input,
        }
    }
}

/// The model for an order, where none is configured.
fn model(order: &Order) -> Model {
    let low = order.parameters.resolution == Some(Resolution::LowPoly);
    if order.parameters.topology == Some(Topology::Quads) {
        return Model::new(
            "fal-ai/meshy/v6/image-to-3d",
            "image_url",
            "/model_glb/url",
            json!({
                "topology": "quad",
                "should_remesh": true,
                "target_polycount": if low { 5_000 } else { 100_000 },
                "should_texture": order.textured,
            }),
        );
    }
    if order.textured {
        // It makes textures of no other size; they are made smaller here.
        let least = [1024, 2048];
        let asked = order.parameters.texture_resolution.unwrap_or(2048);
        let texture = least.into_iter().find(|edge| *edge >= asked);
        return Model::new(
            "fal-ai/trellis-2",
            "image_url",
            "/model_glb/url",
            json!({
                "resolution": if low { 512 } else { 1024 },
                "decimation_target": if low { 20_000 } else { 500_000 },
                "texture_size": texture.unwrap_or(2048),
            }),
        );
    }
    Model::new(
        "fal-ai/hunyuan3d/v2",
        "input_image_url",
        "/model_mesh/url",
        json!({
            "textured_mesh": false,
            "octree_resolution": if low { 128 } else { 256 },
        }),
    )
}

/// What is configured beside what is common to all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    /// The model for all orders, instead of one that fits them.
    model: Option<Model>,
    /// Where the queue is when it cannot be reached at its address.
    backup_url: Option<String>,
}

/// A job, as it is found again.
#[derive(Serialize, Deserialize)]
struct Job {
    /// Below the queue's address.
    status: String,
    response: String,
    cancel: String,
    glb: Vec<String>,
}

struct Fal {
    client: Client,
    backup: Option<Client>,
    own: Own,
    has_key: bool,
}

/// Opens the engine from its table of the configuration.
pub fn open(table: &toml::Table) -> anyhow::Result<Opened> {
    let (common, own): (Common, Own) = engines::read(table)?;
    let key = Key::find("Key ", VARIABLE, common.key_file.as_deref())?;
    let has_key = key.is_some();
    let url = common.url(Some(QUEUE))?;
    let hosts = common.result_hosts(&["fal.media", "*.fal.media"]);
    let client = |url: &str| Client::new(url, key.clone(), hosts.clone(), common.timeout());
    let backup = match (&own.backup_url, url == QUEUE) {
        (Some(backup), _) => Some(engines::address("backup_url", backup)?),
        (None, true) => Some(BACKUP),
        (None, false) => None,
    };
    let service = Box::new(Fal {
        backup: backup.map(client),
        client: client(&url),
        own,
        has_key,
    });
    Ok(Opened { service, common })
}

impl Fal {
    /// Asks the queue; where nothing can be sent to it, at its other address.
    fn ask(&self, send: impl Fn(&Client) -> Result<Answer, NoAnswer>) -> Result<Answer, NoAnswer> {
        match (send(&self.client), &self.backup) {
            (Err(NoAnswer::Unsent(_)), Some(backup)) => send(backup),
            (answer, _) => answer,
        }
    }

    /// A path below the queue's own addresses; one that the queue names elsewhere gets no key.
    fn path(&self, address: Option<&str>, id: &str, request: &str, end: &str) -> String {
        let mut own = [Some(&self.client), self.backup.as_ref()]
            .into_iter()
            .flatten();
        let named =
            address.and_then(|address| own.find_map(|client| address.strip_prefix(client.base())));
        match named.filter(|path| path.starts_with('/')) {
            Some(path) => path.to_owned(),
            // Only the owner and the app count.
            None => {
                let app: Vec<_> = id.split('/').take(2).collect();
                format!("/{}/requests/{request}{end}", app.join("/"))
            }
        }
    }

    fn result(&self, job: &Job) -> Result<State, String> {
        let answer = self
            .ask(|client| client.get(&job.response))
            .map_err(NoAnswer::words)?;
        let words = self.client.words(&answer);
        match answer.status {
            200 => {
                let glb = |pointer: &String| answer.body.pointer(pointer)?.as_str();
                Ok(match job.glb.iter().find_map(glb) {
                    Some(address) => State::MadeAt(address.to_owned()),
                    None => {
                        let fields = answer.body.as_object().into_iter().flatten();
                        let names: Vec<_> = fields.map(|(name, _)| name.as_str()).collect();
                        State::Failed(format!(
                            "the result has nothing at {}; it has {}",
                            job.glb.join(" or "),
                            self.client.clean(&names.join(", "))
                        ))
                    }
                })
            }
            // Not yet.
            202 => Err(words),
            400 if words.contains("in progress") => Err(words),
            // These are about the account or the moment.
            401 | 403 | 408 | 429 => Err(words),
            404 | 410 => Ok(State::Failed("the result is gone already".into())),
            // The model's own failure, whatever its number.
            _ => Ok(State::Failed(words)),
        }
    }
}

impl Service for Fal {
    fn name(&self) -> &'static str {
        "fal"
    }

    fn missing(&self) -> Option<String> {
        (!self.has_key).then(|| Key::missing(VARIABLE))
    }

    fn at_once(&self) -> usize {
        // What a new account may; the rest waits in its queue.
        2
    }

    fn submit(&self, order: &Order) -> Result<String, NotSubmitted> {
        let model = match &self.own.model {
            Some(model) => model.clone(),
            None => model(order),
        };
        let picture = picture::data_uri(order.picture, EDGE).map_err(NotSubmitted::Refused)?;
        let mut input = model.input;
        match model.image_field.strip_suffix("[]") {
            Some(list) => input.insert(list.into(), json!([picture])),
            None => input.insert(model.image_field, picture.into()),
        };
        let (path, input) = (format!("/{}", model.id), input.into());
        let answer = self.ask(|client| client.post(&path, &input))?;
        // A success that is not understood may be a job all the same.
        let Some(request) = answer.body["request_id"].as_str() else {
            return Err(match answer.status {
                200..=299 => NotSubmitted::Unknown("it answered no request_id".into()),
                _ => NotSubmitted::by(&self.client, &answer),
            });
        };
        if !is_plain(request) {
            return Err(NotSubmitted::Unknown("its request_id is none".into()));
        }
        let named = |name: &str| answer.body[name].as_str();
        let job = Job {
            status: self.path(named("status_url"), &model.id, request, "/status"),
            response: self.path(named("response_url"), &model.id, request, ""),
            cancel: self.path(named("cancel_url"), &model.id, request, "/cancel"),
            glb: model.glb,
        };
        serde_json::to_string(&job).map_err(|error| NotSubmitted::Unknown(error.to_string()))
    }

    fn look(&self, job: &str) -> Result<State, String> {
        let job: Job = serde_json::from_str(job).map_err(|error| error.to_string())?;
        let answer = self
            .ask(|client| client.get(&job.status))
            .map_err(NoAnswer::words)?;
        match (answer.status, answer.body["status"].as_str()) {
            // The body counts: 202 and 200 were both seen for jobs under way.
            (200 | 202, Some("IN_QUEUE")) => {
                let words = match answer.body["queue_position"].as_u64() {
                    Some(0) => "next in fal's queue".into(),
                    Some(1) => "one job before it in fal's queue".into(),
                    Some(before) => format!("{before} jobs before it in fal's queue"),
                    None => "in fal's queue".into(),
                };
                Ok(State::Running(0.0, words))
            }
            (200 | 202, Some("IN_PROGRESS")) => {
                Ok(State::Running(0.4, "fal is making the model".into()))
            }
            (200 | 202, Some("COMPLETED")) => self.result(&job),
            (200 | 202, Some(other)) => {
                let other = self.client.clean(other);
                Ok(State::Failed(format!("its status is {other:?}")))
            }
            (404 | 410, _) => Ok(State::Failed("it knows the job no more".into())),
            // Even where the account is locked meanwhile, the job may be well.
            _ => Err(self.client.words(&answer)),
        }
    }

    fn cancel(&self, job: &str) -> bool {
        let job: Result<Job, _> = serde_json::from_str(job);
        // Whatever it answers, only the job's status says what became of it.
        job.is_ok_and(|job| self.ask(|client| client.put(&job.cancel)).is_ok())
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, String> {
        let base = self.client.base();
        // A job that does not exist: only its answer's kind is of interest.
        let nobody = "/fal-ai/trellis-2/requests/00000000-0000-0000-0000-000000000000/status";
        let answer = self.ask(|client| client.get(nobody));
        let answer = answer.map_err(|none| format!("{base}: {}", none.words()))?;
        match answer.status {
            401 | 403 => Err(format!("{base}: {}", self.client.words(&answer))),
            _ => Ok(format!("{base} answers, and a key is there")),
        }
    }
}
