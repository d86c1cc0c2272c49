//! The formats that a service delivers beside GLB.

use serde_json::{Value, json};

use super::harness::start_gateway;
use crate::emulators::hosted::files::{FBX, OBJ, ZIP};
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::gateway::Gateway;
use crate::support::session_code;

fn run(engine: Engine, scenario: Scenario, parameters: Value) -> (Gateway, Value) {
    run_with("", engine, scenario, parameters)
}

/// Runs a session with `table` in the engine's table of the configuration.
fn run_with(
    table: &str,
    engine: Engine,
    scenario: Scenario,
    parameters: Value,
) -> (Gateway, Value) {
    let emulator = Emulator::start(engine, scenario);
    let gateway = start_gateway(&emulator, table, &[]);
    let session = gateway.create_and_wait(parameters);
    assert!(session["error"].is_null(), "{session}");
    assert_eq!(emulator.billed_models(), 1);
    (gateway, session)
}

/// Returns the name of the file at a URL of the session.
fn file_name(session: &Value, field: &str) -> String {
    let url = session[field].as_str();
    let url = url.unwrap_or_else(|| panic!("no {field}: {session}"));
    url.rsplit('/').next().unwrap().to_owned()
}

fn file(gateway: &Gateway, session: &Value, name: &str) -> Vec<u8> {
    let path = format!("/files/{}/{name}", session_code(session));
    let response = gateway.server.get(&path);
    assert_eq!(response.status, 200, "{name}");
    response.body
}

fn is_unsupported(session: &Value, name: &str) -> bool {
    let names = session["unsupported"].as_array().into_iter().flatten();
    names.into_iter().any(|found| found == name)
}

/// A GLB file has pairs of triangles in place of quads.
#[track_caller]
fn assert_keeps_quads(engine: Engine) {
    let quads = json!({"topology": "quads"});
    let (gateway, session) = run(engine, Scenario::Normal, quads);
    for (format, expected) in [("fbx", FBX), ("obj", OBJ), ("usdz", ZIP)] {
        for field in ["preview_mesh_url", "mesh_url"] {
            let name = file_name(&session, &format!("{field}_{format}"));
            assert_eq!(name, format!("preview.{format}"));
            assert_eq!(file(&gateway, &session, &name), expected, "{name}");
        }
    }
    assert!(!is_unsupported(&session, "topology"), "{session}");
    assert!(file(&gateway, &session, "preview.glb").starts_with(b"glTF"));
}

#[test]
fn quads_of_meshy_are_kept_in_its_own_files() {
    assert_keeps_quads(Engine::Meshy);
}

#[test]
fn quads_of_fal_are_kept_in_its_own_files() {
    assert_keeps_quads(Engine::Fal);
}

#[test]
fn triangles_are_offered_as_obj_by_conversion() {
    let model = "[engines.fal.model]\nid = \"fal-ai/meshy/v6/image-to-3d\"\n";
    let (gateway, session) = run_with(model, Engine::Fal, Scenario::Normal, json!({}));
    assert_eq!(file(&gateway, &session, "preview.fbx"), FBX);
    assert_eq!(file(&gateway, &session, "preview.usdz"), ZIP);
    assert_ne!(file(&gateway, &session, "preview.obj"), OBJ);
}

/// The server scales the GLB file only.
#[test]
fn scaled_model_is_converted_where_the_server_can() {
    let parameters = json!({"scaled_bbox": [1, 2, 3]});
    let (gateway, session) = run(Engine::Meshy, Scenario::Normal, parameters);
    let usdz = file(&gateway, &session, "preview.usdz");
    assert!(usdz.windows(10).any(|part| part == b"model.usda"));
    assert_eq!(file(&gateway, &session, "preview.fbx"), FBX);
}

#[test]
fn refined_model_is_offered_in_the_formats_of_the_preview() {
    let parameters = json!({"auto_refine": true, "topology": "quads"});
    let (gateway, session) = run(Engine::Meshy, Scenario::Normal, parameters);
    assert_eq!(session["status"], "refine_done", "{session}");
    for (format, expected) in [("fbx", FBX), ("obj", OBJ), ("usdz", ZIP)] {
        let name = file_name(&session, &format!("mesh_url_{format}"));
        assert_eq!(file(&gateway, &session, &name), expected, "{name}");
    }
    assert_eq!(file_name(&session, "mesh_url_glb"), "mesh.glb");
    assert!(!is_unsupported(&session, "topology"), "{session}");
}

#[test]
fn file_that_is_something_else_is_left_out() {
    let quads = json!({"topology": "quads"});
    let (gateway, session) = run(Engine::Meshy, Scenario::OtherFormatsAreWebPages, quads);
    assert!(session["preview_mesh_url_fbx"].is_null(), "{session}");
    assert!(is_unsupported(&session, "topology"), "{session}");
    // Converted.
    assert!(file(&gateway, &session, "preview.usdz").starts_with(b"PK"));
    assert!(file(&gateway, &session, "preview.obj").starts_with(b"v "));
}
