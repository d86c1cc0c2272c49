//! fal.ai: one queue before many models. Which of them is asked follows from the parameters, or is
//! configured.
//!
//! There is no status for a failure: such a job is `COMPLETED`, and what is answered instead of its
//! result says what went wrong.

use anyhow::bail;
use contract::{Resolution, Topology};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::key::Key;
use super::net::{Answer, Client, NoAnswer};
use super::service::{NotSubmitted, Order, Service, State, is_plain};
use super::{Common, Opened, picture};
use crate::engines;

const VARIABLE: &str = "FAL_KEY";

const QUEUE: &str = "https://queue.fal.run";
/// Where the queue is for those who cannot reach it there.
const BACKUP: &str = "https://queue.falrun.com";

/// Some models take no larger picture, and a `data:` URI is best kept small.
const EDGE: u32 = 2048;

/// A model, and the names of what goes in and comes out.
struct Model {
    id: &'static str,
    /// The field with the picture's address; with `[]` at its end it takes a list of them.
    image_field: &'static str,
    /// Where in the result the GLB's address is, as JSON pointers: the first that is there counts.
    glb: &'static [&'static str],
    /// Further fields.
    input: fn(&Order) -> Value,
}

const TRELLIS_2: Model = Model {
    id: "fal-ai/trellis-2",
    image_field: "image_url",
    glb: &["/model_glb/url"],
    input: |order| {
        json!({
            "resolution": if is_low(order) { 512 } else { 1024 },
            "decimation_target": if is_low(order) { 20_000 } else { 500_000 },
            "texture_size": texture_size(order, &[1024, 2048]),
        })
    },
};

const HUNYUAN_2: Model = Model {
    id: "fal-ai/hunyuan3d/v2",
    image_field: "input_image_url",
    glb: &["/model_mesh/url"],
    input: |order| {
        json!({
            "textured_mesh": order.textured,
            "octree_resolution": if is_low(order) { 128 } else { 256 },
        })
    },
};

const MESHY_6: Model = Model {
    id: "fal-ai/meshy/v6/image-to-3d",
    image_field: "image_url",
    glb: &["/model_glb/url"],
    input: |order| {
        json!({
            "topology": if wants_quads(order) { "quad" } else { "triangle" },
            "should_remesh": true,
            "target_polycount": if is_low(order) { 5_000 } else { 100_000 },
            "should_texture": order.textured,
        })
    },
};

const HUNYUAN_3: Model = Model {
    id: "fal-ai/hunyuan3d-v3/image-to-3d",
    image_field: "input_image_url",
    glb: &["/model_glb/url"],
    input: |order| match is_low(order) || wants_quads(order) {
        true => json!({
            "generate_type": "LowPoly",
            "polygon_type": if wants_quads(order) { "quadrilateral" } else { "triangle" },
            "face_count": if is_low(order) { 40_000 } else { 500_000 },
        }),
        false => json!({ "generate_type": if order.textured { "Normal" } else { "Geometry" } }),
    },
};

const TRIPO_3: Model = Model {
    id: "tripo3d/h3.1/image-to-3d",
    image_field: "image_url",
    glb: &["/model_mesh/url"],
    input: |order| json!({ "texture": order.textured }),
};

/// The models whose names are known. Which of them fits an order is said by [`fitting`].
const MODELS: &[Model] = &[
    TRELLIS_2,
    HUNYUAN_2,
    MESHY_6,
    HUNYUAN_3,
    TRIPO_3,
    Model {
        id: "fal-ai/hunyuan3d/v2/mini",
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan3d/v2/turbo",
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan3d/v2/mini/turbo",
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan-3d/v3.1/pro/image-to-3d",
        image_field: "input_image_url",
        glb: &["/model_glb/url"],
        input: |order| {
            json!({
                "generate_type": if order.textured { "Normal" } else { "Geometry" },
                "face_count": if is_low(order) { 40_000 } else { 500_000 },
            })
        },
    },
    Model {
        id: "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d",
        image_field: "input_image_url",
        // What is called `model_glb` may be an OBJ.
        glb: &["/model_urls/glb/url", "/model_glb/url"],
        input: |order| json!({ "enable_geometry": !order.textured }),
    },
    Model {
        id: "fal-ai/trellis",
        image_field: "image_url",
        glb: &["/model_mesh/url"],
        input: |order| json!({ "texture_size": texture_size(order, &[512, 1024, 2048]) }),
    },
    Model {
        id: "tripo3d/tripo/v2.5/image-to-3d",
        image_field: "image_url",
        glb: &["/pbr_model/url", "/model_mesh/url", "/base_model/url"],
        input: |order| json!({ "texture": if order.textured { "standard" } else { "no" } }),
    },
    Model {
        id: "tripo3d/p1/image-to-3d",
        ..TRIPO_3
    },
    Model {
        id: "fal-ai/hyper3d/rodin",
        image_field: "input_image_urls[]",
        glb: &["/model_mesh/url"],
        input: |order| {
            json!({
                "geometry_file_format": "glb",
                "quality": if is_low(order) { "low" } else { "high" },
            })
        },
    },
    Model {
        id: "fal-ai/hyper3d/rodin/v2.5",
        image_field: "image_urls[]",
        glb: &["/model_mesh/url"],
        input: |order| {
            json!({
                "quality_mesh_option": match (is_low(order), wants_quads(order)) {
                    (true, true) => "4K Quad",
                    (false, true) => "200K Quad",
                    (true, false) => "20K Triangle",
                    (false, false) => "500K Triangle",
                },
                "material": if order.textured { "PBR" } else { "None" },
            })
        },
    },
    Model {
        id: "fal-ai/triposr",
        image_field: "image_url",
        glb: &["/model_mesh/url"],
        input: |_| json!({ "output_format": "glb" }),
    },
    Model {
        id: "fal-ai/pixal3d",
        image_field: "image_url",
        glb: &["/model_glb/url"],
        input: |_| json!({}),
    },
];

/// The model for an order, where none is configured.
fn fitting(order: &Order) -> Chosen {
    let model = match (wants_quads(order), order.textured) {
        (true, _) => MESHY_6,
        (false, true) => TRELLIS_2,
        (false, false) => HUNYUAN_2,
    };
    Chosen {
        id: model.id.into(),
        ..Chosen::default()
    }
}

fn is_low(order: &Order) -> bool {
    order.parameters.resolution == Some(Resolution::LowPoly)
}

fn wants_quads(order: &Order) -> bool {
    order.parameters.topology == Some(Topology::Quads)
}

/// The least of a model's sizes that is enough; where it is too much, the texture is made smaller
/// here.
fn texture_size(order: &Order, sizes: &[u32]) -> u32 {
    let asked = order.parameters.texture_resolution.unwrap_or(2048);
    let enough = sizes.iter().copied().find(|size| *size >= asked);
    enough.unwrap_or(2048)
}

/// The model that is asked. What is left out is as it is known.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    id: String,
    image_field: Option<String>,
    glb: Option<Vec<String>>,
    #[serde(default)]
    input: Map<String, Value>,
}

impl Chosen {
    fn known(&self) -> Option<&'static Model> {
        MODELS.iter().find(|model| model.id == self.id)
    }

    /// # Errors
    /// It is not known, and not all of its names are given.
    fn check(&self) -> anyhow::Result<()> {
        if self.known().is_some() || (self.image_field.is_some() && self.glb.is_some()) {
            return Ok(());
        }
        let known: Vec<_> = MODELS.iter().map(|model| model.id).collect();
        bail!(
            "model: {:?} is not known, and needs image_field and glb; known are {}",
            self.id,
            known.join(", ")
        );
    }

    /// What is sent to it and where its result is.
    fn asked(self, order: &Order) -> Asked {
        let known = self.known();
        let mut input = match known.map(|model| (model.input)(order)) {
            Some(Value::Object(input)) => input,
            _ => Map::new(),
        };
        input.extend(self.input);
        let image_field = known.map(|model| model.image_field.to_owned());
        let glb = known.map(|model| model.glb.iter().map(|at| (*at).to_owned()).collect());
        Asked {
            id: self.id,
            image_field: self.image_field.or(image_field).unwrap_or_default(),
            glb: self.glb.or(glb).unwrap_or_default(),
            input,
        }
    }
}

/// What is sent to a model for an order, the picture aside, and where its result is.
struct Asked {
    id: String,
    image_field: String,
    glb: Vec<String>,
    input: Map<String, Value>,
}

/// What is configured beside what is common to all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    /// The model for all orders, instead of one that fits them.
    model: Option<Chosen>,
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
    if let Some(chosen) = &own.model {
        chosen.check()?;
    }
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
            // Something before the queue answered, which knows nothing of the model.
            500..=599 if answer.body["detail"].is_null() => Err(words),
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
        let chosen = self.own.model.clone();
        let asked = chosen.unwrap_or_else(|| fitting(order)).asked(order);
        let picture = picture::data_uri(order.picture, EDGE).map_err(NotSubmitted::Refused)?;
        let mut input = asked.input;
        match asked.image_field.strip_suffix("[]") {
            Some(list) => input.insert(list.into(), json!([picture])),
            None => input.insert(asked.image_field, picture.into()),
        };
        let (path, input) = (format!("/{}", asked.id), input.into());
        let answer = self.ask(|client| client.post(&path, &input))?;
        let request = match (answer.status, answer.body["request_id"].as_str()) {
            (200..=299, Some(request)) if is_plain(request) => request,
            // A success that is not understood may be a job all the same.
            (200..=299, _) => {
                return Err(NotSubmitted::Unknown("it answered no request_id".into()));
            }
            _ => return Err(NotSubmitted::by(&self.client, &answer)),
        };
        let named = |name: &str| answer.body[name].as_str();
        let job = Job {
            status: self.path(named("status_url"), &asked.id, request, "/status"),
            response: self.path(named("response_url"), &asked.id, request, ""),
            cancel: self.path(named("cancel_url"), &asked.id, request, "/cancel"),
            glb: asked.glb,
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
            404 if !answer.body["detail"].is_null() => {
                Ok(format!("{base} answers, and a key is there"))
            }
            _ => Err(format!("{base}: {}", self.client.words(&answer))),
        }
    }
}
