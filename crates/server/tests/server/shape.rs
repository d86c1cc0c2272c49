//! The kind of shape of a model, which the caller can choose.

use std::io::Cursor;

use image::{ImageFormat, Rgba, RgbaImage};
use serde_json::{Value, json};

use crate::emulators::hunyuan::{Hunyuan, Scenario};
use crate::support::gateway::Gateway;
use crate::support::{SESSIONS, Server, create_body, session_code};

/// A red letter L on a transparent ground.
fn letter() -> Vec<u8> {
    let image = RgbaImage::from_fn(160, 160, |x, y| {
        let is_inside = (40..120).contains(&y) && (40..65).contains(&x)
            || (95..120).contains(&y) && (40..110).contains(&x);
        Rgba(if is_inside {
            [210, 30, 40, 255]
        } else {
            [0; 4]
        })
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

fn body(shape: &Value) -> Value {
    let mut body = create_body(&letter());
    body["cutout"] = Value::Null;
    body["shape"] = shape.clone();
    body["generate_preview_mesh"] = true.into();
    body["resolution"] = "low_poly".into();
    body
}

fn create(server: &Server, shape: &Value) -> String {
    let response = server.post(SESSIONS, "", &body(shape)).unwrap();
    assert_eq!(response.status, 201, "{}", response.json());
    session_code(&response.json()["data"])
}

#[test]
fn session_says_which_kind_of_shape_was_made() {
    let server = Server::start(&["--speed", "100"]);
    for (choice, expected) in [
        (Value::Null, "extruded"),
        (json!("auto"), "extruded"),
        (json!("round"), "round"),
        (json!("revolved"), "revolved"),
        (json!("extruded"), "extruded"),
        (json!("relief"), "relief"),
    ] {
        let session = server.wait_for_end(&create(&server, &choice));
        assert_eq!(session["status"], "preview_done", "{session}");
        assert_eq!(session["shape"], expected, "{choice}: {session}");
        assert_eq!(session.get("unsupported"), None, "{choice}: {session}");
    }
}

#[test]
fn invalid_shape_is_rejected() {
    let server = Server::start(&[]);
    let response = server.post(SESSIONS, "", &body(&json!("x"))).unwrap();
    assert_eq!(response.status, 400);
    assert_eq!(
        response.json()["message"],
        "Invalid shape \"x\": expected \"auto\", \"round\", \"revolved\", \"extruded\" or \"relief\""
    );
    assert!(server.sessions().is_empty());
}

#[test]
fn restart_between_stages_keeps_the_shape() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--speed", "100", "--data", folder.path().to_str().unwrap()];
    let mut server = Server::start(&flags);
    let code = create(&server, &json!("revolved"));
    assert_eq!(server.wait_for_end(&code)["shape"], "revolved");
    server.kill();
    let server = Server::start(&flags);
    assert_eq!(server.session(&code)["shape"], "revolved");
    let refine = format!("{SESSIONS}/get-3d/refine/{code}");
    let body = json!({"shape": "extruded"});
    assert_eq!(server.post(&refine, "", &body).unwrap().status, 200);
    let refined = server.wait_for_end(&code);
    assert_eq!(refined["status"], "refine_done", "{refined}");
    assert_eq!(refined["shape"], "revolved", "{refined}");
}

#[test]
fn session_of_a_remote_engine_lists_the_shape_as_unsupported() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let shared = hunyuan.clone();
    let config = hunyuan.config("");
    let gateway = Gateway::start(&config, Vec::new(), &[], move || shared.images());
    for (choice, is_unsupported) in [("auto", false), ("revolved", true)] {
        let session = gateway.create_and_wait(json!({"shape": choice}));
        assert_eq!(session["status"], "preview_done", "{session}");
        assert_eq!(session.get("shape"), None, "{session}");
        let unsupported = session["unsupported"].as_array().into_iter().flatten();
        let is_listed = unsupported.clone().any(|name| name == "shape");
        assert_eq!(is_listed, is_unsupported, "{session}");
    }
}
