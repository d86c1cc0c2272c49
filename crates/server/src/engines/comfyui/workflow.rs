//! A workflow of ComfyUI in API format, with placeholders for what differs between jobs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::bail;
use serde_json::{Map, Value};

/// The placeholder for the name of the image.
const IMAGE: &str = "{image}";

/// A workflow: its nodes, by their ids.
pub struct Workflow(Map<String, Value>);

/// The values of the placeholders `{image}`, `{seed}`, `{faces}`, `{texture_size}` and `{prefix}`.
pub struct Values<'a> {
    /// The name of the uploaded image.
    pub image: &'a str,
    pub seed: u32,
    /// The number of faces that the caller orders.
    pub faces: u32,
    /// The edge of the texture, in pixels.
    pub texture_size: u32,
    /// The start of the result's path.
    pub prefix: &'a str,
}

impl Values<'_> {
    fn all(&self) -> [(&'static str, Value); 5] {
        [
            (IMAGE, self.image.into()),
            ("{seed}", self.seed.into()),
            ("{faces}", self.faces.into()),
            ("{texture_size}", self.texture_size.into()),
            ("{prefix}", self.prefix.into()),
        ]
    }
}

impl Workflow {
    /// Parses a workflow.
    ///
    /// # Errors
    /// Fails if it is not in API format, or has no placeholder for the image.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let Value::Object(nodes) = serde_json::from_str(text)? else {
            bail!("expected a JSON object with the nodes");
        };
        let is_node = |node: &Value| node["class_type"].is_string() && node["inputs"].is_object();
        if nodes.is_empty() || !nodes.values().all(is_node) {
            bail!("it is not in API format; write it with ComfyUI's \"Export (API)\"");
        }
        if !text.contains(&format!("\"{IMAGE}\"")) {
            bail!("no node has \"{IMAGE}\" as an input; put it in place of the name of the image");
        }
        Ok(Self(nodes))
    }

    /// Returns the workflow with values in place of the placeholders. A number replaces the text that
    /// consists of its placeholder alone.
    pub fn fill(&self, values: &Values) -> Value {
        let values = values.all();
        let mut nodes = self.0.clone();
        for node in nodes.values_mut() {
            let inputs = node["inputs"].as_object_mut().into_iter().flatten();
            for (_, input) in inputs {
                let Some(text) = input.as_str() else { continue };
                let whole = values.iter().find(|(name, _)| *name == text);
                *input = match whole {
                    Some((_, value)) => value.clone(),
                    None => fill_text(text, &values).into(),
                };
            }
        }
        nodes.into()
    }

    /// Returns the classes of the nodes.
    pub fn classes(&self) -> BTreeSet<String> {
        let classes = self
            .0
            .values()
            .filter_map(|node| node["class_type"].as_str());
        classes.map(str::to_owned).collect()
    }
}

fn fill_text(text: &str, values: &[(&str, Value)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.replace(name, &value)
    })
}

/// Returns the query of `/view` for the first GLB file in a job's outputs. `SaveGLB` lists files as
/// objects, and `Preview3D` as paths.
pub fn result_query(outputs: &Value) -> Option<String> {
    let nodes = outputs.as_object().into_iter().flatten();
    let lists = nodes.flat_map(|(_, output)| output.as_object().into_iter().flatten());
    let mut files = lists.flat_map(|(_, list)| list.as_array().into_iter().flatten());
    files.find_map(|file| match file {
        Value::String(path) => query_of_path(path),
        file => {
            let text = |name: &str| file[name].as_str().unwrap_or_default();
            let name = text("filename");
            is_glb(name).then(|| query(name, text("subfolder"), text("type")))
        }
    })
}

/// Returns the query for a path below ComfyUI's output folder, or an absolute one of it.
fn query_of_path(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let below = path
        .rsplit_once("/output/")
        .map_or(&*path, |(_, below)| below);
    let (folder, name) = below.rsplit_once('/').unwrap_or(("", below));
    is_glb(name).then(|| query(name, folder, "output"))
}

fn is_glb(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".glb")
}

fn query(name: &str, folder: &str, kind: &str) -> String {
    let kind = if kind.is_empty() { "output" } else { kind };
    format!(
        "filename={}&subfolder={}&type={}",
        encode(name),
        encode(folder),
        encode(kind)
    )
}

/// Percent-encodes a text.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            true => encoded.push(byte.into()),
            // Writing to a text does not fail.
            false => write!(encoded, "%{byte:02X}").unwrap_or_default(),
        }
        encoded
    })
}

/// Describes why nodes of a workflow were rejected.
pub fn node_errors(errors: &Value) -> String {
    let nodes = errors.as_object().into_iter().flatten();
    let texts = nodes.flat_map(|(_, node)| {
        let class = node["class_type"].as_str().unwrap_or_default();
        let errors = node["errors"].as_array().into_iter().flatten();
        errors.map(move |error| {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            format!("; {class}: {} {}", text("message"), text("details"))
        })
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const VALUES: Values = Values {
        image: "a.png",
        seed: 7,
        faces: 5_000,
        texture_size: 1024,
        prefix: "csm/1",
    };

    #[test]
    fn fills_placeholders_with_values_of_their_type() {
        let workflow = r#"{"1": {"class_type": "LoadImage", "inputs": {"image": "{image}",
            "seed": "{seed}", "prefix": "x/{prefix}", "link": ["2", 0], "n": 3}}}"#;
        let filled = Workflow::parse(workflow).unwrap().fill(&VALUES);
        let inputs =
            json!({"image": "a.png", "seed": 7, "prefix": "x/csm/1", "link": ["2", 0], "n": 3});
        assert_eq!(filled["1"]["inputs"], inputs);
    }

    #[test]
    fn rejects_workflows_that_cannot_work() {
        for (text, error) in [
            ("[]", "expected a JSON object with the nodes"),
            (r#"{"nodes": [], "links": []}"#, "it is not in API format"),
            (
                r#"{"1": {"class_type": "A", "inputs": {}}}"#,
                "no node has \"{image}\"",
            ),
        ] {
            let message = Workflow::parse(text).err().unwrap().to_string();
            assert!(message.starts_with(error), "{message}");
        }
    }

    #[test]
    fn example_workflow_is_valid() {
        let example = include_str!("../../../../../docs/workflows/trellis2.json");
        assert!(Workflow::parse(example).is_ok());
    }

    #[test]
    fn finds_the_model_among_the_outputs() {
        for (outputs, query) in [
            (
                json!({"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "temp"}]},
                    "2": {"3d": [{"filename": "m 1.glb", "subfolder": "mesh", "type": "output"}]}}),
                "filename=m%201.glb&subfolder=mesh&type=output",
            ),
            (
                json!({"9": {"result": ["csm/1/m.glb", null]}}),
                "filename=m.glb&subfolder=csm%2F1&type=output",
            ),
            (
                json!({"9": {"result": ["C:\\ComfyUI\\output\\m.glb"]}}),
                "filename=m.glb&subfolder=&type=output",
            ),
        ] {
            assert_eq!(result_query(&outputs).as_deref(), Some(query));
        }
        assert_eq!(result_query(&json!({"1": {"text": ["done"]}})), None);
    }
}
