//! Requests that create a session.

mod support;

use serde_json::{Value, json};
use support::*;

/// The body of the curl example in the API's documentation.
const DOCUMENTED: &str = r#"{
    "image_url": "https://via.placeholder.com/300/09f/fff.png",
    "refine_speed": "fast",
    "creativity": "lowest"
}"#;

#[test]
fn returns_the_documented_response_to_the_documented_example() {
    let mut api = TestApi::new();
    let headers = [("x-api-key", "any"), ("content-type", "application/json")];
    let response = api.send(request("POST", SESSIONS, &headers, DOCUMENTED));
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["content-type"], "application/json");
    let mut envelope = json(&response);
    let mut session = envelope["data"].take();
    assert_eq!(
        envelope,
        json!({"error": "", "message": "Created", "statusCode": 201, "data": null})
    );
    let code = code(&session);
    let (start, digits) = code.rsplit_once('_').unwrap();
    assert_eq!(start, "SESSION_1721312478");
    assert!(digits.len() == 7 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    for field in ["_id", "user_id"] {
        let id = session[field].as_str().unwrap();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let fields = session.as_object_mut().unwrap();
    for field in ["_id", "user_id", "session_code"] {
        fields.remove(field);
    }
    // The documented fields, then later ones and the other defaults.
    let expected = json!({
        "image_url": "https://via.placeholder.com/300/09f/fff.png",
        "texture_resolution": 2048,
        "status": "spin_generate_processing",
        "topology": "tris",
        "source": "external",
        "creativity": "lowest",
        "refine_speed": "fast",
        "created_at": "2024-07-18T14:21:18.050Z",
        "updated_at": "2024-07-18T14:21:18.050Z",

        "session_status": "queued",
        "percent_done": 0,
        "engine": "sculpt",
        "auto_refine": false,
        "generate_texture": false,
        "preview_mesh": "fast_sculpt",
        "resolution": "high_poly",
        "pivot_point": [0.0, 0.0, 0.0],
    });
    assert_eq!(session, expected);
    api.now += 1500;
    let polled = api.get(&format!("{SESSIONS}/{code}"));
    assert_eq!(json(&polled)["message"], "Retrieved");
    assert_eq!(data(&polled)["updated_at"], "2024-07-18T14:21:19.050Z");
    assert_eq!(data(&polled)["created_at"], "2024-07-18T14:21:18.050Z");
}

#[test]
fn returns_the_image_file_unchanged() {
    let api = TestApi::new();
    let session = api.create(json!({}));
    let response = api.get_url(&session["image_url"]);
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(*response.body(), png());
}

#[test]
fn treats_null_as_omitted() {
    let api = TestApi::new();
    let mut nulls = json!({"generate_preview_mesh": null, "newer_than_us": null});
    for name in contract::Parameters::NAMES {
        nulls[name] = Value::Null;
    }
    let without = api.create(json!({}));
    let mut with = api.create(nulls);
    for field in ["_id", "session_code", "image_url"] {
        with[field] = without[field].clone();
    }
    assert_eq!(with, without);
}

#[test]
fn ignores_unknown_parameters() {
    let api = TestApi::new();
    api.create(json!({"geometry_model": "v2", "symmetry": {"axis": [1]}}));
}

#[test]
fn rejects_an_invalid_body_with_the_reason() {
    const FORMS: &str = "an https:, http: or base64 data: URL of an image";
    let not_json =
        |line, column| format!("The request body is not valid JSON (line {line}, column {column})");
    let not_an_object = "The request body must be a JSON object".to_owned();
    let invalid = |received| format!("Invalid image_url {received}: expected {FORMS}");
    let api = TestApi::new();
    for (body, message) in [
        ("", not_json(1, 0)),
        ("hello", not_json(1, 1)),
        ("{\"image_url\": \"data:", not_json(1, 20)),
        ("[1]", not_an_object.clone()),
        ("\"text\"", not_an_object),
        ("{}", format!("Missing image_url: expected {FORMS}")),
        (
            "{\"image_url\": null}",
            format!("Missing image_url: expected {FORMS}"),
        ),
        ("{\"image_url\": 7}", invalid("7")),
        ("{\"image_url\": \"\\ud800\"}", invalid("\"\\ud800\"")),
    ] {
        let response = api.send(request("POST", SESSIONS, &[], body));
        assert_eq!(error_message(&response, 400), message, "{body}");
    }
}

#[test]
fn rejects_an_invalid_parameter_with_the_accepted_values() {
    let api = TestApi::new();
    for (parameter, message) in [
        (
            json!({"creativity": "high"}),
            "Invalid creativity \"high\": expected \"highest\", \"moderate\" or \"lowest\"",
        ),
        (
            json!({"generate_texture": "true"}),
            "Invalid generate_texture \"true\": expected true or false",
        ),
        (
            json!({"texture_resolution": 100}),
            "Invalid texture_resolution 100: expected 128, 256, 512, 1024 or 2048",
        ),
        (
            json!({"texture_resolution": "2048"}),
            "Invalid texture_resolution \"2048\": expected 128, 256, 512, 1024 or 2048",
        ),
        (
            json!({"scaled_bbox": [1, 2]}),
            "Invalid scaled_bbox [1, 2]: expected [width, height, depth], three finite numbers \
             greater than 0, or -1 for automatic",
        ),
        (
            json!({"scaled_bbox": [1, 2, -3]}),
            "Invalid scaled_bbox [1, 2, -3]: expected [width, height, depth], three finite numbers \
             greater than 0, or -1 for automatic",
        ),
        (
            json!({"pivot_point": [0, 0, 0.51]}),
            "Invalid pivot_point [0, 0, 0.51]: expected [x, y, z], three numbers from -0.5 to 0.5",
        ),
        (
            json!({"generate_preview_mesh": 1}),
            "Invalid generate_preview_mesh 1: expected true or false",
        ),
    ] {
        let response = api.post(SESSIONS, &with_image(parameter));
        assert_eq!(error_message(&response, 400), message);
    }
}

#[test]
fn accepts_an_escaped_image_url() {
    // PHP's json_encode escapes slashes.
    let body = r#"{"image_url":"https:\/\/example.com\/a.png"}"#;
    let api = TestApi::new();
    let response = api.send(request("POST", SESSIONS, &[], body));
    assert_eq!(data(&response)["image_url"], "https://example.com/a.png");
}
