//! The parameters, headers and responses that several operations of the OpenAPI document share.

use http::StatusCode;
use serde_json::{Map, Value, json};

/// The end of the description of each extension.
pub const EXTENSION: &str = "An extension of this project's server.";

/// The statuses of errors, with their causes.
const ERRORS: [(u16, &str); 13] = [
    (
        400,
        "The request is invalid; `message` says why. If the image is rejected, `code` names the cause.",
    ),
    (
        401,
        "The server requires a client key, and `x-api-key` is missing or unknown.",
    ),
    (402, "A daily limit of paid models is reached."),
    (403, "Web pages of this origin may not use the server."),
    (
        404,
        "There is no such session, file or endpoint, or it belongs to another client.",
    ),
    (
        409,
        "The session is not at the required stage, or the `Idempotency-Key` was used for a different request.",
    ),
    (
        413,
        "The body exceeds the limit of the server, 64 MiB by default.",
    ),
    (416, "The range is outside of the file."),
    (421, "The server is not known under this host name."),
    (429, "The queue of the server or of the client is full."),
    (
        500,
        "The store failed, or the model cannot be converted to the format of the file.",
    ),
    (
        503,
        "The server decodes too many images, or has too many connections.",
    ),
    (507, "The storage is full of sessions in progress."),
];

/// Returns the reason phrase of a status.
pub fn reason(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default()
}

/// Returns `BadRequest` for 400.
pub fn error_name(status: u16) -> String {
    reason(status).replace(' ', "")
}

/// Returns the responses for `components`.
pub fn error_responses() -> Map<String, Value> {
    let responses = ERRORS.iter().map(|(status, cause)| {
        let mut response = json_response(cause, "ErrorResponse");
        match status {
            416 => {
                response["headers"] =
                    json!({"Content-Range": reference("headers", "Content-Range")})
            }
            429 | 503 => {
                response["headers"] = json!({"Retry-After": reference("headers", "Retry-After")})
            }
            _ => {}
        }
        (error_name(*status), response)
    });
    responses.collect()
}

/// Returns the parameters for `components`.
pub fn parameters() -> Value {
    let header = |name: &str, description: &str| json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}});
    let mut idempotency_key = header(
        "Idempotency-Key",
        &format!(
            "Makes the request safe to repeat: with the key of an earlier request, the server returns the \
             session of that one. Any text of up to 255 bytes, such as a UUID. {EXTENSION}"
        ),
    );
    idempotency_key["schema"]["maxLength"] = 255.into();
    idempotency_key["x-extension"] = true.into();
    json!({
        "SessionCode": {
            "name": "session_code",
            "in": "path",
            "required": true,
            "description": "The `session_code` of the session.",
            "schema": {"type": "string"},
        },
        "IdempotencyKey": idempotency_key,
        "Range": header("Range", "The part of the file to send: one range of bytes."),
        "IfRange": header("If-Range", "The `ETag` of the file to which the range belongs."),
        "IfNoneMatch": header("If-None-Match", "The `ETag` of the caller's copy."),
    })
}

/// Returns the headers of responses for `components`.
pub fn headers() -> Value {
    let header =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "Retry-After": {
            "description": "The number of seconds after which to try again. Missing if the server does not know it.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "Location": header("The address of the page."),
        "ETag": header("Names the version of the file."),
        "Cache-Control": header("How long a browser may use its copy of the file."),
        "Accept-Ranges": header("`bytes`."),
        "Content-Disposition": header("The name under which a browser saves the file."),
        "Content-Range": header("The position of the part in the file, and the size of the file."),
    })
}

/// Returns a response with JSON.
pub fn json_response(description: &str, schema: &str) -> Value {
    json!({
        "description": description,
        "content": {"application/json": {"schema": reference("schemas", schema)}},
    })
}

/// Returns a reference to a component.
pub fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}
