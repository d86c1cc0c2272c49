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
    let mut api = Api::new();
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
    let api = Api::new();
    let session = api.create(json!({}));
    let answer = api.follow(&session["image_url"]);
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(*answer.body(), png());
}

#[test]
fn null_is_as_left_out() {
    let api = Api::new();
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
fn what_is_unknown_is_passed_over() {
    let api = Api::new();
    api.create(json!({"geometry_model": "v2", "symmetry": {"axis": [1]}}));
}

#[test]
fn a_picture_that_cannot_be_read_is_refused_with_the_reason() {
    let api = Api::new();
    let png = png();
    for (image_url, words) in [
        (
            data_uri("image/png", &png[..png.len() / 2]),
            "image_url: the image/png cannot be read",
        ),
        (
            data_uri("image/jpeg", &png),
            "the data is image/png, and not the image/jpeg",
        ),
        (
            data_uri("image/png", b"hello, world"),
            "no picture that is known",
        ),
        (
            data_uri("image/avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1"),
            "the image/avif cannot be read",
        ),
        ("data:image/png;base64,iVBOR*w0KGgo".into(), "no base64"),
        ("data:image/png,abc".into(), "not base64"),
        ("data:image/png;base64".into(), "without a comma"),
        ("ftp://example.com/a.png".into(), "image_url: allowed"),
        (String::new(), "image_url: allowed"),
    ] {
        let answer = api.post(SESSIONS, &json!({"image_url": image_url}));
        let said = refused(&answer, 400);
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(data(&api.get(SESSIONS))["results"], json!([]));
}

#[test]
fn the_usual_other_name_of_jpeg_is_accepted() {
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(2, 2);
    picture
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let image_url = data_uri("image/jpg", jpeg.get_ref());
    Api::new().create(json!({"image_url": image_url}));
}

#[test]
fn a_picture_is_turned_as_its_file_says() {
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(40, 20);
    picture
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let mut turned = vec![0xff, 0xd8, 0xff, 0xe1, 0, exif.len() as u8 + 2];
    turned.extend(exif);
    turned.extend(&jpeg.get_ref()[2..]);
    let mut api = Api::new();
    let body = json!({"image_url": data_uri("image/jpeg", &turned)});
    let code = code(&api.create(body));
    api.now += 2000;
    let glb = api.follow(&api.session(&code)["mesh_url_glb"]).into_body();
    let file = gltf::Gltf::from_slice(&glb).unwrap();
    let front = file.meshes().next().unwrap().primitives().next().unwrap();
    assert_eq!(front.bounding_box().max, [0.25, 0.5, 0.025]);
}

#[test]
fn a_body_that_is_none_is_refused_with_the_reason() {
    let api = Api::new();
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
    let api = Api::new();
    for (parameter, words) in [
        (
            json!({"creativity": "high"}),
            "creativity: came \"high\", allowed: \"highest\", \"moderate\", \"lowest\"",
        ),
        (
            json!({"generate_texture": "true"}),
            "generate_texture: came \"true\", allowed: true, false",
        ),
        (
            json!({"texture_resolution": 100}),
            "texture_resolution: came 100",
        ),
        (json!({"texture_resolution": "2048"}), "texture_resolution"),
        (json!({"scaled_bbox": [1, 2]}), "scaled_bbox"),
        (json!({"scaled_bbox": [1, 2, -3]}), "scaled_bbox"),
        (json!({"pivot_point": [0, 0, 0.51]}), "pivot_point"),
        (
            json!({"generate_preview_mesh": 1}),
            "generate_preview_mesh: came 1, allowed: true, false",
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
    let api = Api::new();
    let answer = api.send(request("POST", SESSIONS, &[], body));
    assert_eq!(data(&answer)["image_url"], "https://example.com/a.png");
}
