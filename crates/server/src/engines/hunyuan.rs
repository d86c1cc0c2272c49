//! The `api_server.py` of Hunyuan3D, on a machine of one's own: free, and without a key.
//!
//! It comes in two dialects that share their routes. That of 2.0 honours parameters; that of 2.1
//! takes the picture and nothing else. Neither says that a job has failed: it is never done then.

use anyhow::bail;
use base64_simd::STANDARD;
use contract::Resolution;
use serde::Deserialize;
use serde_json::{Value, json};

use super::net::{Answer, Client, NoAnswer};
use super::service::{NotSubmitted, Order, Service, State, is_plain};
use super::{Common, Opened, picture};
use crate::engines;

/// The models see no more of a picture.
const EDGE: u32 = 1024;

/// Which of the two servers it is.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum Dialect {
    /// Hunyuan3D-2.
    #[serde(rename = "2.0")]
    Two,
    /// Hunyuan3D-2.1.
    #[serde(rename = "2.1")]
    TwoOne,
}

/// What is configured beside what is common to all engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    /// Which it is. Left out, it is asked.
    dialect: Option<Dialect>,
    /// Whether a server of 2.0 was started with `--enable_tex`: asked for a texture without, it
    /// never ends.
    #[serde(default)]
    enable_tex: bool,
}

struct Hunyuan {
    client: Client,
    own: Own,
}

/// Opens the engine from its table of the configuration.
pub fn open(table: &toml::Table) -> anyhow::Result<Opened> {
    let (common, own): (Common, Own) = engines::read(table)?;
    if common.key_file.is_some() || common.result_hosts.is_some() {
        bail!("key_file, result_hosts: it takes no key, and answers its results itself");
    }
    let url = common.url(Some("http://127.0.0.1:8081"))?;
    let client = Client::new(&url, None, Vec::new(), common.timeout());
    let service = Box::new(Hunyuan { client, own });
    Ok(Opened { service, common })
}

impl Hunyuan {
    /// Only the later server says how it is.
    fn dialect(&self, health: &Answer) -> Dialect {
        match (self.own.dialect, health.status) {
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

    /// It never waits for the one before, and its GPU has no room for two.
    fn at_once(&self) -> usize {
        1
    }

    fn submit(&self, order: &Order) -> Result<String, NotSubmitted> {
        // Asked even where the dialect is configured: while the server makes a model for somebody who
        // waits for it, it answers nobody, and nobody would learn of a job that it is sent then.
        let later = |none: NoAnswer| NotSubmitted::Later(none.words(), None);
        let health = self.client.get("/health").map_err(later)?;
        let dialect = self.dialect(&health);
        let image = picture::cut_out(order.picture, EDGE).map_err(NotSubmitted::Refused)?;
        let low = order.parameters.resolution == Some(Resolution::LowPoly);
        let body = match dialect {
            // It looks at nothing else, but refuses what is out of its bounds.
            Dialect::TwoOne => json!({ "image": image }),
            Dialect::Two => json!({
                "image": image,
                "texture": order.textured && self.own.enable_tex,
                "octree_resolution": if low { 128 } else { 256 },
                "face_count": if low { 10_000 } else { 40_000 },
            }),
        };
        let answer = self.client.post("/send", &body)?;
        match (answer.status, answer.body["uid"].as_str()) {
            (200, Some(uid)) if is_plain(uid) => Ok(uid.to_owned()),
            (200, _) => Err(NotSubmitted::Refused(
                "it answered something else than a job's uid".into(),
            )),
            _ => Err(NotSubmitted::by(&self.client, &answer)),
        }
    }

    fn look(&self, job: &str) -> Result<State, String> {
        let path = format!("/status/{job}");
        let answer = self.client.get(&path).map_err(NoAnswer::words)?;
        if answer.status != 200 {
            return Err(self.client.words(&answer));
        }
        let running = |part, words: &str| Ok(State::Running(part, words.into()));
        match answer.body["status"].as_str() {
            Some("completed") => {
                let model = answer.body["model_base64"].as_str().unwrap_or_default();
                let file = STANDARD.decode_to_vec(model);
                file.map(State::Made)
                    .map_err(|_| "its model is no base64".into())
            }
            Some("texturing") => running(0.6, "making the texture"),
            // So it says of what it has never heard of, too.
            Some("processing") => running(0.2, "making the shape"),
            _ => Err("it answered a status that is not known".into()),
        }
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn check(&self) -> Result<String, String> {
        let base = self.client.base();
        let reached = self.client.get("/health");
        let reached = reached.map_err(|none| format!("{base}: {}", none.words()))?;
        let found = match reached.status {
            200 => Some(Dialect::TwoOne),
            404 if reached.body == not_found() => Some(Dialect::Two),
            _ => None,
        };
        let Some(found) = found else {
            return Err(format!(
                "{base}: something answers, but it does not look like Hunyuan3D's api_server.py"
            ));
        };
        let dialect = self.own.dialect.unwrap_or(found);
        Ok(match dialect {
            Dialect::TwoOne => format!(
                "{base}: Hunyuan3D-2.1 answers; it takes the picture alone and always textures"
            ),
            Dialect::Two if self.own.enable_tex => {
                format!("{base}: Hunyuan3D-2 answers, with textures")
            }
            Dialect::Two => format!(
                "{base}: Hunyuan3D-2 answers; models come without textures (`enable_tex = true` \
                 if it was started with --enable_tex)"
            ),
        })
    }
}

/// What its web framework answers for a path that it does not know.
fn not_found() -> Value {
    json!({"detail": "Not Found"})
}
