//! The paths of the OpenAPI document: the routes of the server, with their parameters and responses.

use serde_json::{Map, Value, json};

use super::components::{EXTENSION, error_name, json_response, reason, reference};

/// The errors that any request may get: for an unknown host, and for too many connections.
const CONNECTION_ERRORS: [u16; 2] = [421, 503];

/// The further errors that any request to the API may get.
const COMMON_ERRORS: [u16; 5] = [400, 401, 403, 413, 500];

/// The groups of the operations.
pub fn tags() -> Value {
    json!([
        {"name": "Sessions", "description": "Create a session, poll it until its models exist, and delete it."},
        {"name": "Files", "description": "The images and models of a session, at the URLs that it contains."},
        {"name": "Tests", "description": format!("What tests of clients need. {EXTENSION}"), "x-extension": true},
        {"name": "Operation", "description": format!("What operators need. {EXTENSION}"), "x-extension": true},
    ])
}

/// Returns the operations of all routes.
pub fn paths() -> Value {
    json!({
        "/image-to-3d-sessions": {"post": create(), "get": list()},
        "/image-to-3d-sessions/{session_code}": {
            "parameters": [reference("parameters", "SessionCode")],
            "get": get(),
            "delete": delete(),
        },
        "/image-to-3d-sessions/get-3d/preview/{session_code}": {
            "parameters": [reference("parameters", "SessionCode")],
            "post": start_preview(),
        },
        "/image-to-3d-sessions/get-3d/refine/{session_code}": {
            "parameters": [reference("parameters", "SessionCode")],
            "post": start_refinement(),
        },
        "/files/{session_code}/{name}": {
            "parameters": file_parameters(),
            "get": file("getFile", "Download a file", Body::Sent),
            "head": file("headFile", "Get the headers of a file", Body::Omitted),
        },
        "/sandbox/engines": {"get": results(
            "listEngines",
            "List the engines",
            "Returns the names that `engine` accepts, the default first.",
            "EngineListResponse",
        )},
        "/sandbox/faults": {"get": results(
            "listFaults",
            "List the simulated failures",
            "Returns the failures that `x-api-key: fault_<name>` selects on a server without client keys.",
            "FaultListResponse",
        )},
        "/sandbox/requests": {"get": requests()},
        "/health": {"get": health()},
        "/metrics": {"get": metrics()},
        "/openapi.json": {"get": document(
            "getOpenApi",
            "Get this document",
            ("200", json!({"description": "The document.", "content": {"application/json": {}}})),
        )},
        "/docs": {"get": document(
            "getDocs",
            "Read this document as a page",
            ("307", json!({
                "description": "The page is at `/docs/api/`.",
                "headers": {"Location": reference("headers", "Location")},
            })),
        )},
    })
}

fn create() -> Value {
    json!({
        "operationId": "createSession",
        "tags": ["Sessions"],
        "summary": "Create a session",
        "description": "Accepts an image and starts to make its first result: the preview, or the views with \
            `preview_mesh: \"turbo\"`. Poll the session until its `session_status` is `\"complete\"` or \
            `\"failed\"`.",
        "parameters": [reference("parameters", "IdempotencyKey")],
        "requestBody": json_body("CreateSession", Presence::Required),
        "responses": responses(
            [("201", json_response("The session is created.", "SessionResponse"))],
            &[402, 409, 429, 507],
        ),
    })
}

fn list() -> Value {
    let number = |name: &str, description: &str, default: u32| {
        json!({
            "name": name,
            "in": "query",
            "description": description,
            "schema": {"type": "integer", "minimum": 0, "default": default},
        })
    };
    json!({
        "operationId": "listSessions",
        "tags": ["Sessions"],
        "summary": "List sessions",
        "description": "Returns one page of the caller's sessions, the newest first.",
        "parameters": [
            number("limit", "The number of sessions on a page, at most 1000.", 10),
            number("page", "The number of the page, from 0.", 0),
        ],
        "responses": responses(
            [("200", json_response("One page of sessions.", "SessionListResponse"))],
            &[],
        ),
    })
}

fn get() -> Value {
    json!({
        "operationId": "getSession",
        "tags": ["Sessions"],
        "summary": "Get a session",
        "description": "Returns a session with the URLs of the models that exist. Poll it every few seconds.",
        "responses": responses(
            [("200", json_response("The session.", "SessionResponse"))],
            &[404],
        ),
    })
}

fn delete() -> Value {
    extension(json!({
        "operationId": "deleteSession",
        "tags": ["Sessions"],
        "summary": "Delete a session",
        "description": "Deletes a session with its image and models, and cancels its work.",
        "responses": responses(
            [
                ("200", json_response(
                    "The session is deleted. An engine was at work on it; `message` says what becomes of its job.",
                    "DeletionResponse",
                )),
                ("204", json!({"description": "The session is deleted."})),
            ],
            &[404],
        ),
    }))
}

fn start_preview() -> Value {
    json!({
        "operationId": "startPreview",
        "tags": ["Sessions"],
        "summary": "Select a view",
        "description": "Starts the preview of a `turbo` session that is at `spin_generate_done`, with the \
            view that the caller selects.",
        "parameters": [reference("parameters", "IdempotencyKey")],
        "requestBody": json_body("SelectSpin", Presence::Required),
        "responses": responses(
            [("200", json_response("The preview is started.", "SessionResponse"))],
            &[402, 404, 409, 429, 507],
        ),
    })
}

fn start_refinement() -> Value {
    json!({
        "operationId": "startRefinement",
        "tags": ["Sessions"],
        "summary": "Request the refined model",
        "description": "Starts the refinement of a session whose preview is done.",
        "parameters": [reference("parameters", "IdempotencyKey")],
        "requestBody": json_body("StartRefinement", Presence::Optional),
        "responses": responses(
            [("200", json_response("The refinement is started.", "SessionResponse"))],
            &[402, 404, 409, 429, 507],
        ),
    })
}

/// Whether a response has a body.
#[derive(Clone, Copy)]
enum Body {
    Sent,
    Omitted,
}

fn file_parameters() -> Value {
    json!([
        reference("parameters", "SessionCode"),
        {
            "name": "name",
            "in": "path",
            "required": true,
            "description": "The name of the file: `image`, `cutout.png`, `spin-<index>.png`, or `preview` \
                or `mesh` with the extension of a format.",
            "schema": {"type": "string"},
        },
        {
            "name": "ticket",
            "in": "query",
            "description": format!("The token of the file, if callers need a key. URLs in sessions contain it. {EXTENSION}"),
            "schema": {"type": "string"},
            "x-extension": true,
        },
    ])
}

fn file(id: &str, summary: &str, body: Body) -> Value {
    let (get_only, media_types) = match body {
        Body::Sent => (&["Range", "IfRange"][..], FILE_TYPES),
        Body::Omitted => (&[][..], &[][..]),
    };
    let request_headers = ["IfNoneMatch"].iter().chain(get_only);
    let parameters = request_headers.map(|name| reference("parameters", name));
    let content: Map<_, _> = media_types
        .iter()
        .map(|media_type| ((*media_type).to_owned(), json!({})))
        .collect();
    let found = |description: &str, headers: &[&str]| {
        let headers: Map<_, _> = headers
            .iter()
            .map(|name| ((*name).to_owned(), reference("headers", name)))
            .collect();
        let mut response = json!({"description": description, "headers": headers});
        if !content.is_empty() {
            response["content"] = content.clone().into();
        }
        response
    };
    let all = [
        "ETag",
        "Cache-Control",
        "Accept-Ranges",
        "Content-Disposition",
    ];
    let partial = [&all[..], &["Content-Range"]].concat();
    let mut successes = vec![
        ("200", found("The file.", &all)),
        (
            "304",
            json!({"description": "The caller has the current file.", "headers": {
                "ETag": reference("headers", "ETag"),
                "Cache-Control": reference("headers", "Cache-Control"),
            }}),
        ),
    ];
    let mut errors = vec![404];
    if let Body::Sent = body {
        successes.push(("206", found("The requested part of the file.", &partial)));
        errors.push(416);
    }
    json!({
        "operationId": id,
        "tags": ["Files"],
        "summary": summary,
        "description": "Take the URL from the session. No key is needed. The URL is valid until the session \
            is deleted.",
        "security": [{}],
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": match body {
            Body::Sent => responses(successes, &errors),
            Body::Omitted => without_content(responses(successes, &errors)),
        },
    })
}

/// The media types of files. An image has the type of its format.
const FILE_TYPES: &[&str] = &[
    "application/octet-stream",
    "application/zip",
    "image/*",
    "model/3mf",
    "model/gltf-binary",
    "model/obj",
    "model/stl",
    "model/vnd.usdz+zip",
];

/// Replaces the errors of a `HEAD` request, which have no body.
fn without_content(mut responses: Value) -> Value {
    if let Some(responses) = responses.as_object_mut() {
        for (status, response) in responses {
            if response.get("$ref").is_some() {
                let reason = status.parse().map_or("", reason);
                *response = json!({"description": reason});
            }
        }
    }
    responses
}

fn results(id: &str, summary: &str, description: &str, schema: &str) -> Value {
    extension(json!({
        "operationId": id,
        "tags": ["Tests"],
        "summary": summary,
        "description": description,
        "responses": responses([("200", json_response("The list.", schema))], &[]),
    }))
}

fn requests() -> Value {
    let mut operation = results(
        "listRequests",
        "List the latest requests",
        "Returns the latest 1000 requests, so that a test can check what was sent. Only on a server without \
         client keys.",
        "RequestListResponse",
    );
    operation["responses"]["404"] = reference("responses", "NotFound");
    operation
}

fn health() -> Value {
    extension(json!({
        "operationId": "getHealth",
        "tags": ["Operation"],
        "summary": "Check the server",
        "description": "For load balancers and monitoring. No key is needed.",
        "security": [{}],
        "responses": responses_without_common([
            ("200", json_response("Sessions can be stored.", "Health")),
            ("503", unhealthy("Sessions cannot be stored")),
        ]),
    }))
}

/// Returns the error of a route that reads the store.
fn unhealthy(reason: &str) -> Value {
    let schemas = ["Health", "ErrorResponse"].map(|name| reference("schemas", name));
    json!({
        "description": format!("{reason}, or the server has too many connections."),
        "headers": {"Retry-After": reference("headers", "Retry-After")},
        "content": {"application/json": {"schema": {"anyOf": schemas}}},
    })
}

fn metrics() -> Value {
    let text = json!({"schema": {"type": "string"}});
    extension(json!({
        "operationId": "getMetrics",
        "tags": ["Operation"],
        "summary": "Get the metrics",
        "description": "In the OpenMetrics format, which Prometheus reads. For callers on the same machine only.",
        "security": [{}],
        "responses": responses_without_common([
            ("200", json!({"description": "The metrics.", "content": {"application/openmetrics-text": text}})),
            ("404", reference("responses", "NotFound")),
            ("503", unhealthy("Sessions cannot be read")),
        ]),
    }))
}

fn document(id: &str, summary: &str, success: (&'static str, Value)) -> Value {
    extension(json!({
        "operationId": id,
        "tags": ["Operation"],
        "summary": summary,
        "description": "No key is needed.",
        "security": [{}],
        "responses": responses_without_common([success]),
    }))
}

/// Marks an operation as an extension of the original API.
fn extension(mut operation: Value) -> Value {
    operation["x-extension"] = true.into();
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{description} {EXTENSION}").into();
    operation
}

/// Whether a caller has to send a body.
#[derive(PartialEq)]
enum Presence {
    Required,
    Optional,
}

fn json_body(schema: &str, presence: Presence) -> Value {
    json!({
        "required": presence == Presence::Required,
        "content": {"application/json": {"schema": reference("schemas", schema)}},
    })
}

/// Returns successes, the errors of an operation and those that any request to the API may get.
fn responses(successes: impl IntoIterator<Item = (&'static str, Value)>, errors: &[u16]) -> Value {
    let mut responses = responses_without_common(successes);
    for status in COMMON_ERRORS.iter().chain(errors) {
        responses[status.to_string()] = reference("responses", &error_name(*status));
    }
    responses
}

/// Returns successes, and the errors that any request may get.
fn responses_without_common(successes: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let errors = CONNECTION_ERRORS.map(|status| {
        let response = reference("responses", &error_name(status));
        (status.to_string(), response)
    });
    let successes = successes.into_iter();
    let successes = successes.map(|(status, response)| (status.to_owned(), response));
    let responses: Map<_, _> = errors.into_iter().chain(successes).collect();
    responses.into()
}
