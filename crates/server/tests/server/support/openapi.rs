//! Checks the exchanges of all tests against `openapi.json`.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::repository::repository_file;
use super::response::Response;

/// Headers that any response of HTTP may have, those of CORS, and the one that all responses of the server
/// have.
const GENERAL_HEADERS: [&str; 15] = [
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "referrer-policy",
    "vary",
    "x-content-type-options",
    "x-request-id",
];

const CREATE_SESSION: &str = "#/components/schemas/CreateSession";

/// The addresses of the running servers. Other addresses are those of emulators.
static SERVERS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| Description::new(&document()));

/// Checks the exchanges with a server from now on.
pub fn add_server(host: &str) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.insert(host.to_owned());
}

/// Checks no exchanges with a server any more.
pub fn remove_server(host: &str) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.remove(host);
}

/// Returns `openapi.json`.
pub fn document() -> Value {
    serde_json::from_str(&repository_file("crates/server/docs/openapi.json")).unwrap()
}

/// Panics if an exchange with a server is not as `openapi.json` describes it.
pub fn check(host: &str, request: &[u8], response: &Response) {
    let servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    if !servers.contains(host) {
        return;
    }
    drop(servers);
    if let Err(reason) = DESCRIPTION.check(request, response) {
        let line = request.split(|byte| *byte == b'\r').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        let Response { status, .. } = response;
        panic!("not as in openapi.json: {line} -> {status}: {reason}");
    }
}

/// An OpenAPI document whose objects have no other fields than those that it describes.
pub struct Description(Value);

/// The method, the path and the rest of a request.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    /// In lower case.
    head: String,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Returns `None` for what is no HTTP.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        let head = str::from_utf8(&bytes[..end]).ok()?;
        let mut line = head.lines().next()?.split(' ');
        let (method, target) = (line.next()?, line.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Some(Self {
            method,
            path,
            query,
            head: head.to_ascii_lowercase(),
            body: &bytes[end + 4..],
        })
    }
}

impl Description {
    pub fn new(document: &Value) -> Self {
        let mut document = document.clone();
        for schema in values(&mut document["components"]["schemas"]) {
            if schema["type"] == "object" {
                schema["additionalProperties"] = false.into();
            }
        }
        Self(document)
    }

    /// Checks an exchange.
    ///
    /// # Errors
    /// Returns what the document does not describe.
    pub fn check(&self, request: &[u8], response: &Response) -> Result<(), String> {
        let Some(request) = Request::parse(request) else {
            return Ok(());
        };
        // Simulated failures are not described, nor are the preflights of browsers.
        if request.head.contains("\nx-api-key: fault_") || request.method == "OPTIONS" {
            return Ok(());
        }
        let Some((item, operation)) = self.operation(&request) else {
            let is_site = response.head.contains("\ncontent-security-policy: ");
            return match response.status < 400 && !is_site {
                true => Err("an unknown route".into()),
                false => Ok(()),
            };
        };
        let described = &operation["responses"][response.status.to_string()];
        if described.is_null() {
            return Err("an unknown status".into());
        }
        self.check_response(self.resolve(described), response)?;
        match response.status < 300 {
            true => self.check_request(item, operation, &request),
            false => Ok(()),
        }
    }

    fn operation(&self, request: &Request) -> Option<(&Value, &Value)> {
        let method = request.method.to_ascii_lowercase();
        let mut paths = self.0["paths"].as_object()?.iter();
        let (_, item) = paths.find(|(template, _)| matches(template, request.path))?;
        Some((item, item.get(method)?))
    }

    fn check_response(&self, described: &Value, response: &Response) -> Result<(), String> {
        for line in response.head.lines().skip(1) {
            let name = line.split(':').next().unwrap_or_default();
            let headers = described["headers"].as_object();
            let mut known = headers.into_iter().flat_map(Map::keys);
            let is_known = known.any(|known| known.eq_ignore_ascii_case(name));
            if !is_known && !GENERAL_HEADERS.contains(&name) {
                return Err(format!("an unknown header {name}"));
            }
        }
        if response.body.is_empty() {
            return Ok(());
        }
        let media_type = response
            .header("content-type")
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        let any_subtype = format!("{}/*", media_type.split('/').next().unwrap_or_default());
        let content = &described["content"];
        let content = content.get(media_type).or_else(|| content.get(any_subtype));
        let content = content.ok_or_else(|| format!("an unknown media type {media_type:?}"))?;
        match (media_type, content.get("schema")) {
            ("application/json", Some(schema)) if !response.head.contains("content-encoding") => {
                self.check_json(schema, &parse(&response.body)?)
            }
            _ => Ok(()),
        }
    }

    /// Checks a request that the server has accepted.
    fn check_request(
        &self,
        item: &Value,
        operation: &Value,
        request: &Request,
    ) -> Result<(), String> {
        let parameters = [&item["parameters"], &operation["parameters"]];
        let parameters = parameters.into_iter().filter_map(Value::as_array).flatten();
        let parameters: Vec<_> = parameters
            .map(|parameter| self.resolve(parameter))
            .collect();
        for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next();
            let is_known = |parameter: &&Value| {
                parameter["in"] == "query" && parameter["name"].as_str() == name
            };
            if !parameters.iter().any(is_known) {
                return Err(format!("an unknown parameter {pair}"));
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        match request.body.is_empty() {
            true => Ok(()),
            false if schema.is_null() => Err("an unknown body".into()),
            false => {
                let mut body = parse(request.body)?;
                if let Value::Object(fields) = &mut body {
                    // The server takes null for an omitted field, and ignores what only a new session can
                    // choose.
                    let creation = json!({"$ref": CREATE_SESSION});
                    fields.retain(|name, value| {
                        let is_ignored =
                            self.has_field(&creation, name) && !self.has_field(schema, name);
                        !value.is_null() && !is_ignored
                    });
                }
                self.check_json(schema, &body)
            }
        }
    }

    fn has_field(&self, schema: &Value, name: &str) -> bool {
        self.resolve(schema)["properties"].get(name).is_some()
    }

    fn check_json(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = json!({"allOf": [schema], "components": self.0["components"]});
        let validator = jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())?;
        let errors = validator.iter_errors(value);
        let errors: Vec<_> = errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors.join("; ")),
        }
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"]
            .as_str()
            .and_then(|path| path.strip_prefix('#'))
        {
            Some(pointer) => self.0.pointer(pointer).unwrap(),
            None => value,
        }
    }
}

fn parse(json: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

fn values(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_object_mut().unwrap().values_mut()
}

/// Returns whether a path matches a template such as `/files/{session_code}/{name}`.
fn matches(template: &str, path: &str) -> bool {
    let parts: Vec<_> = template.split('/').collect();
    let names: Vec<_> = path.split('/').collect();
    let is_match = |(part, name): (&&str, &&str)| part.starts_with('{') || part == name;
    parts.len() == names.len() && parts.iter().zip(&names).all(is_match)
}
