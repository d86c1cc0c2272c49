//! Sessions whose object is found by the server.

use serde_json::Value;

use crate::support::{SESSIONS, Server, image_body, session_code};

/// Creates a session that makes a preview of a file, and returns its code.
pub fn create(server: &Server, media_type: &str, file: &[u8]) -> String {
    let mut body = image_body(media_type, file);
    body["cutout"] = Value::Null;
    body["generate_preview_mesh"] = true.into();
    body["resolution"] = "low_poly".into();
    let response = server.post(SESSIONS, "", &body).unwrap();
    assert_eq!(response.status, 201, "{}", response.json());
    session_code(&response.json()["data"])
}
