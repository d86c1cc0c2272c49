//! The schemas of the OpenAPI document: those of the contract's types, and of types that the server
//! writes or reads without one.

#![expect(
    dead_code,
    reason = "the types exist for their schemas and doc comments"
)]

use contract::{CutoutChoice, Envelope, Parameters, SessionFields, ShapeChoice};
use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The body of a request that creates a session.
///
/// A field that is `null` counts as omitted, and unknown fields are ignored.
#[derive(JsonSchema)]
pub struct CreateSession {
    /// The image: an `https:` URL, which the server downloads, or a `data:` URL with the file itself.
    ///
    /// PNG, JPEG, WebP, GIF, BMP, TIFF, SVG and AVIF are read; the bytes decide about the format, not
    /// the media type.
    image_url: String,
    #[schemars(flatten)]
    parameters: Parameters,
    /// Whether a `turbo` session skips the selection of a view. Default: `false`.
    generate_preview_mesh: Option<bool>,
    /// The engine that makes the models: one of those of `GET /sandbox/engines`. Default: the first of
    /// them. An extension of this project's server.
    #[schemars(extend("x-extension" = true))]
    engine: Option<String>,
    #[schemars(extend("x-extension" = true))]
    cutout: Option<CutoutChoice>,
    /// A mask of the object as a `data:` URL of an image with the proportions of the image: white is the
    /// object. Takes the place of `cutout`. An extension of this project's server.
    #[schemars(extend("x-extension" = true))]
    mask_url: Option<String>,
    #[schemars(extend("x-extension" = true))]
    shape: Option<ShapeChoice>,
    /// A parameter of the API's last version. Values other than `"base"` are listed in `unsupported`.
    geometry_model: Option<Value>,
    /// A parameter of the API's last version. `"none"` and `"baked"` set `generate_texture`; other values
    /// are listed in `unsupported`.
    texture_model: Option<Value>,
    /// A parameter of the API's last version, listed in `unsupported` unless it is off.
    symmetry: Option<Value>,
    /// A parameter of the API's last version, listed in `unsupported` unless it is off.
    manual_segmentation: Option<Value>,
    /// A parameter of the API's last version, listed in `unsupported` if `scaled_bbox` is set.
    preserve_aspect_ratio: Option<Value>,
}

/// The body of a request that selects a view. One of `selected_spin_index` and `selected_spin` is
/// required.
#[derive(JsonSchema)]
pub struct SelectSpin {
    /// The index of the view in `spins`.
    #[schemars(range(max = 3))]
    selected_spin_index: Option<u8>,
    /// The URL of the view in `spins`.
    selected_spin: Option<String>,
    #[schemars(flatten)]
    parameters: Parameters,
}

/// The body of a request for a refinement, which may be empty.
#[derive(JsonSchema)]
pub struct StartRefinement {
    #[schemars(flatten)]
    parameters: Parameters,
}

/// One image, its parameters and its models.
#[derive(JsonSchema)]
pub struct Session {
    #[schemars(flatten)]
    fields: SessionFields,
    #[schemars(flatten)]
    parameters: Parameters,
    #[schemars(flatten)]
    urls: ModelUrls,
}

/// The URLs of models in formats other than GLB. A session has those formats that its engine makes.
#[derive(JsonSchema)]
struct ModelUrls {
    /// The URL of the preview as a zip archive, the API's default.
    preview_mesh_url: Option<String>,
    /// The URL of the preview as OBJ.
    preview_mesh_url_obj: Option<String>,
    /// The URL of the preview as USDZ.
    preview_mesh_url_usdz: Option<String>,
    /// The URL of the preview as a zip archive.
    preview_mesh_url_zip: Option<String>,
    /// The URL of the preview as FBX.
    preview_mesh_url_fbx: Option<String>,
    /// The URL of the preview as STL. An extension of this project's server.
    #[schemars(extend("x-extension" = true))]
    preview_mesh_url_stl: Option<String>,
    /// The URL of the preview as 3MF. An extension of this project's server.
    #[schemars(extend("x-extension" = true))]
    preview_mesh_url_3mf: Option<String>,
    /// The URL of the final model as a zip archive, the API's default.
    mesh_url: Option<String>,
    /// The URL of the final model as OBJ.
    mesh_url_obj: Option<String>,
    /// The URL of the final model as USDZ.
    mesh_url_usdz: Option<String>,
    /// The URL of the final model as a zip archive.
    mesh_url_zip: Option<String>,
    /// The URL of the final model as FBX.
    mesh_url_fbx: Option<String>,
    /// The URL of the final model as STL. An extension of this project's server.
    #[schemars(extend("x-extension" = true))]
    mesh_url_stl: Option<String>,
    /// The URL of the final model as 3MF. An extension of this project's server.
    #[schemars(extend("x-extension" = true))]
    mesh_url_3mf: Option<String>,
}

/// One page of sessions.
#[derive(JsonSchema)]
pub struct SessionList {
    /// The sessions, the newest first.
    results: Vec<Session>,
}

/// What becomes of the job of a deleted session.
#[derive(JsonSchema)]
pub struct Deletion {
    /// Whether the engine's service may charge for the job.
    may_be_charged: bool,
}

/// The names of the engines.
#[derive(JsonSchema)]
pub struct EngineList {
    /// The names, the default first.
    results: Vec<String>,
}

/// The failures that can be simulated.
#[derive(JsonSchema)]
pub struct FaultList {
    /// One entry for each failure.
    results: Vec<Fault>,
}

/// A failure that can be simulated.
#[derive(JsonSchema)]
pub struct Fault {
    /// The name in `x-api-key: fault_<name>`.
    name: String,
    /// What happens.
    what: String,
}

/// The latest requests.
#[derive(JsonSchema)]
pub struct RequestList {
    /// The requests, the oldest first.
    results: Vec<LoggedRequest>,
}

/// A request that the server has received.
#[derive(JsonSchema)]
pub struct LoggedRequest {
    /// The time, in milliseconds since 1970.
    at: u64,
    /// The method.
    method: String,
    /// The value of `Host`.
    host: String,
    /// The path with its query.
    path: String,
    /// The names of the headers.
    headers: Vec<String>,
    /// The first characters of the API key and its length.
    key: Option<String>,
    /// The value of `Idempotency-Key`.
    idempotency_key: Option<String>,
    /// The size of the body, in bytes.
    body_bytes: u64,
    /// The status of the response; missing if none was sent.
    status: Option<u16>,
    delivery: Option<Delivery>,
}

/// How a simulated failure changes the delivery of a response.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Delivery {
    /// The connection is closed before the response.
    Drop,
    /// No response is sent.
    Stall,
    /// The connection is closed in the middle of the response.
    Truncate,
    /// The response is sent slowly.
    Throttle,
}

/// Whether the server can store sessions.
#[derive(JsonSchema)]
pub struct Health {
    /// `"ok"` or `"error"`.
    status: HealthStatus,
    /// The cause of an error.
    message: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum HealthStatus {
    Ok,
    Error,
}

/// No payload.
#[derive(JsonSchema)]
#[schemars(rename = "Error", inline)]
struct NoData;

/// A schema for `components`, by its name in the document.
pub fn components() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.contract = Contract::Deserialize;
    });
    let mut generator = settings.into_generator();
    for add in [
        add::<CreateSession>,
        add::<SelectSpin>,
        add::<StartRefinement>,
        add::<Envelope<Session>>,
        add::<Envelope<SessionList>>,
        add::<Envelope<Deletion>>,
        add::<Envelope<EngineList>>,
        add::<Envelope<FaultList>>,
        add::<Envelope<RequestList>>,
        add::<Envelope<NoData>>,
        add::<Health>,
    ] {
        add(&mut generator);
    }
    let mut schemas = generator.take_definitions(true);
    for name in ["SelectSpin", "StartRefinement"] {
        if let Some(Value::Object(properties)) = schemas[name].get_mut("properties") {
            // The others are those of the session.
            properties.retain(|name, _| !is_parameter(name) || PLACEMENT.contains(&name.as_str()));
        }
    }
    for schema in schemas.values_mut() {
        if let Ok(schema) = schema.try_into() {
            RecursiveTransform(simplify).transform(schema);
        }
    }
    schemas
}

/// The parameters that a request for a preview or a refinement can change.
const PLACEMENT: [&str; 2] = ["scaled_bbox", "pivot_point"];

fn is_parameter(name: &str) -> bool {
    Parameters::NAMES.contains(&name)
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// Removes what generators of clients turn into needless types: a `null` that the server never writes, and
/// alternatives in place of an enumeration.
fn simplify(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("title");
    // Generated clients would send the defaults of all parameters, as if the caller had chosen them.
    object.remove("default");
    if let Some(Value::String(description)) = object.get_mut("description") {
        *description = unwrapped(description);
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.retain(|one| *one != json!({"type": "null"}));
        if let [Value::Object(only)] = alternatives.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    if let Some(Value::Array(alternatives)) = object.remove("oneOf") {
        match enumeration(&alternatives) {
            Some((values, list)) => {
                object.insert("type".into(), "string".into());
                object.insert("enum".into(), values.into());
                let description = object.get("description").and_then(Value::as_str);
                let parts: Vec<_> = description.into_iter().chain([list.as_str()]).collect();
                object.insert("description".into(), parts.join("\n\n").into());
            }
            None => {
                object.insert("oneOf".into(), alternatives.into());
            }
        }
    }
}

/// Joins the lines of each paragraph.
fn unwrapped(description: &str) -> String {
    let paragraphs = description
        .split("\n\n")
        .map(|text| text.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Returns the values of alternatives that are constants, and a list of their descriptions in Markdown.
fn enumeration(alternatives: &[Value]) -> Option<(Vec<Value>, String)> {
    let mut values = Vec::new();
    let mut list = Vec::new();
    for alternative in alternatives {
        match (alternative.get("const"), alternative.get("enum")) {
            (Some(value), _) => {
                let description = alternative["description"].as_str()?.replace('\n', " ");
                list.push(format!("- `{}`: {description}", value.as_str()?));
                values.push(value.clone());
            }
            (None, Some(Value::Array(plain))) => values.extend(plain.iter().cloned()),
            _ => return None,
        }
    }
    Some((values, list.join("\n")))
}
