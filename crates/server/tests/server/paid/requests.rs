//! The requests to the engines: the choice of fal's model, and the fields.

use std::fs;

use serde_json::{Value, json};

use super::harness::start_gateway;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::support::command;

/// Runs a session with these parameters, and checks one field of the request to fal and the
/// session's `unsupported`.
fn assert_fal_receives(parameters: Value, field: (&str, Value), unsupported: Value) {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let session = gateway.create_and_wait(parameters);
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], unsupported);
    let body = emulator.bodies().remove(0);
    assert_eq!(body[field.0], field.1);
}

#[test]
fn fal_textured_model_receives_the_texture_size() {
    assert_fal_receives(
        json!({"generate_texture": true, "texture_resolution": 512, "resolution": "low_poly"}),
        ("texture_size", json!(1024)),
        Value::Null,
    );
}

#[test]
fn fal_untextured_model_is_the_default() {
    assert_fal_receives(json!({}), ("textured_mesh", json!(false)), Value::Null);
}

#[test]
fn fal_quads_are_requested_and_supported_by_other_formats_than_glb() {
    assert_fal_receives(
        json!({"topology": "quads"}),
        ("topology", json!("quad")),
        Value::Null,
    );
}

/// [A] The field names are those of fal's own types.
#[test]
fn known_fal_model_needs_only_its_id() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let table = "[engines.fal.model]\nid = \"fal-ai/trellis\"\ninput = { mesh_simplify = 0.9 }\n";
    let gateway = start_gateway(&emulator, table, &[]);
    let session =
        gateway.create_and_wait(json!({"generate_texture": true, "texture_resolution": 512}));
    assert_eq!(session["status"], "preview_done", "{session}");
    let body = emulator.bodies().remove(0);
    assert!(body["image_url"].is_string());
    assert_eq!(
        (&body["texture_size"], &body["mesh_simplify"]),
        (&json!(512), &json!(0.9))
    );
}

#[test]
fn unknown_fal_model_needs_its_field_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, "[engines.fal.model]\nid = \"me/mine\"\n").unwrap();
    let output = command().arg("--config").arg(&file).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("Unknown model \"me/mine\": set image_field and glb"),
        "{stderr}"
    );
}

/// Runs a session with a configured model of fal. `glb` are the JSON pointers to the model's URL,
/// and `expected` is the session's error, if it fails.
fn assert_configured_fal_model(
    id: &str,
    image_field: &str,
    glb: &[&str],
    expected: Result<(), &str>,
) {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let table = format!(
        "[engines.fal.model]\nid = \"{id}\"\nimage_field = \"{image_field}\"\nglb = {glb:?}\n\
         input = {{ steps = 7 }}\n"
    );
    let gateway = start_gateway(&emulator, &table, &[]);
    let session = gateway.create_and_wait(json!({"resolution": "low_poly"}));
    match expected {
        Ok(()) => {
            assert_eq!(session["status"], "preview_done", "{session}");
            assert_eq!(session["unsupported"], Value::Null);
        }
        Err(error) => assert!(
            session["error"].as_str().unwrap().contains(error),
            "{session}"
        ),
    }
    let body = emulator.bodies().remove(0);
    assert_eq!(body["steps"], 7);
    match image_field.strip_suffix("[]") {
        Some(list) => assert_eq!(body[list].as_array().unwrap().len(), 1),
        None => assert!(body[image_field].is_string()),
    }
}

const RAPID: &str = "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d";
const HUNYUAN_21: &str = "fal-ai/hunyuan3d-v21";

#[test]
fn configured_fal_model_uses_the_first_pointer_that_exists() {
    let glb = ["/nothing/url", "/model_glb/url"];
    assert_configured_fal_model("me/mine/v9", "image_url", &glb, Ok(()));
}

#[test]
fn configured_fal_model_with_a_list_of_images_completes() {
    let glb = ["/model_mesh/url"];
    assert_configured_fal_model("fal-ai/hyper3d/rodin", "input_image_urls[]", &glb, Ok(()));
}

#[test]
fn configured_fal_model_with_several_formats_completes() {
    let glb = ["/model_urls/glb/url", "/model_glb/url"];
    assert_configured_fal_model(RAPID, "input_image_url", &glb, Ok(()));
}

/// [A] The field is named `model_glb`, but its file is an OBJ.
#[test]
fn configured_fal_model_whose_pointer_leads_to_an_obj_fails() {
    let expected = Err("the model file is an OBJ file, not a GLB");
    assert_configured_fal_model(RAPID, "input_image_url", &["/model_glb/url"], expected);
}

#[test]
fn configured_fal_model_with_a_second_file_completes() {
    assert_configured_fal_model(HUNYUAN_21, "input_image_url", &["/model_glb/url"], Ok(()));
}

/// [A] The second file is a ZIP archive.
#[test]
fn configured_fal_model_whose_pointer_leads_to_a_zip_fails() {
    let expected = Err("the model file is a ZIP archive, not a GLB");
    let glb = ["/model_mesh/url"];
    assert_configured_fal_model(HUNYUAN_21, "input_image_url", &glb, expected);
}

#[test]
fn configured_fal_model_whose_pointer_does_not_exist_fails() {
    let expected = Err("the result has no URL at /file/url (fields: model_glb, seed)");
    assert_configured_fal_model("me/mine", "image_url", &["/file/url"], expected);
}

/// [A] Without `should_remesh`, Meshy ignores the topology and the number of faces.
#[test]
fn meshy_remeshes_only_for_a_topology_or_a_number_of_faces() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    gateway.create_and_wait(json!({}));
    gateway.create_and_wait(json!({"resolution": "low_poly", "topology": "quads"}));
    let bodies = emulator.bodies();
    let [plain, low_poly] = bodies.as_slice() else {
        panic!("{} requests", bodies.len());
    };
    assert_eq!(
        (&plain["should_remesh"], &plain["should_texture"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(
        (&low_poly["should_remesh"], &low_poly["topology"]),
        (&json!(true), &json!("quad"))
    );
    assert_eq!(
        low_poly["target_formats"],
        json!(["glb", "fbx", "obj", "usdz"])
    );
    assert_eq!(plain["target_formats"], json!(["glb", "fbx", "usdz"]));
}
