//! What a create answers, and what it refuses.

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
fn the_documented_example_gets_the_documented_answer() {
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
    // First what is documented, then what came later and the other defaults.
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
fn the_picture_can_be_fetched_byte_by_byte() {
    let api = TestApi::new();
    let session = api.create(json!({}));
    let answer = api.follow(&session["image_url"]);
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(*answer.body(), png());
}

#[test]
fn null_is_as_left_out() {
    let api = TestApi::new();
    let mut nulls = json!({"generate_preview_mesh": null, "newer_than_us": null});
    for &name in contract::Parameters::NAMES {
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
fn what_is_unknown_is_passed_over() {
    let api = TestApi::new();
    api.create(json!({"geometry_model": "v2", "symmetry": {"axis": [1]}}));
}

#[test]
fn a_body_that_is_none_is_refused_with_the_reason() {
    let api = TestApi::new();
    for (body, words) in [
        ("", "the body is no JSON: EOF"),
        ("hello", "the body is no JSON"),
        ("{\"image_url\": \"data:", "the body is no JSON"),
        ("[1]", "no JSON object"),
        ("\"text\"", "no JSON object"),
        ("{}", "image_url: missing"),
        ("{\"image_url\": null}", "image_url: missing"),
        ("{\"image_url\": 7}", "image_url: allowed: a text"),
        ("{\"image_url\": \"\\ud800\"}", "image_url: allowed: a text"),
    ] {
        let answer = api.send(request("POST", SESSIONS, &[], body));
        let said = refused(&answer, 400);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_a_parameter_does_not_allow_is_refused_with_what_it_allows() {
    let api = TestApi::new();
    for (parameter, words) in [
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
        (json!({"texture_resolution": "2048"}), "texture_resolution"),
        (json!({"scaled_bbox": [1, 2]}), "scaled_bbox"),
        (json!({"scaled_bbox": [1, 2, -3]}), "scaled_bbox"),
        (json!({"pivot_point": [0, 0, 0.51]}), "pivot_point"),
        (
            json!({"generate_preview_mesh": 1}),
            "Invalid generate_preview_mesh 1: expected true or false",
        ),
    ] {
        let said = refused(&api.post(SESSIONS, &with_picture(parameter)), 400);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_text_may_come_escaped() {
    // As PHP writes it.
    let body = r#"{"image_url":"https:\/\/example.com\/a.png"}"#;
    let api = TestApi::new();
    let answer = api.send(request("POST", SESSIONS, &[], body));
    assert_eq!(data(&answer)["image_url"], "https://example.com/a.png");
}
