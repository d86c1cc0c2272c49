//! Which parameters are applied, and which are listed as unsupported.

use contract::{Parameters, PreviewMesh, Topology};
use image::ImageFormat;
use sculpt::import_glb;
use serde_json::Value;

use super::box_model::model;
use super::support::{json_of, textured};

#[test]
fn removes_materials_without_generate_texture() {
    let whole = model(ImageFormat::WebP, 300);
    let imported = import_glb(&whole, &Parameters::default(), 0).unwrap();
    let json = json_of(&imported.glb);
    assert_eq!(json["images"], Value::Null);
    assert_eq!(json["extensionsRequired"], Value::Null);
    let attributes = &json["meshes"][0]["primitives"][0]["attributes"];
    let names: Vec<_> = attributes.as_object().unwrap().keys().collect();
    assert_eq!(names, ["POSITION"]);
    let views = json["bufferViews"].as_array().unwrap().iter();
    let sizes: Vec<_> = views.map(|view| view["byteLength"].clone()).collect();
    assert_eq!(sizes, [96, 24, 4]);
    assert!(imported.glb.len() < whole.len());
    gltf::import_slice(&imported.glb).unwrap();
}

#[test]
fn lists_unsupported_parameters() {
    let requested = Parameters {
        topology: Some(Topology::Quads),
        ..textured()
    };
    let untextured = import_glb(&model(ImageFormat::Png, 8), &Parameters::default(), 0).unwrap();
    let imported = import_glb(&untextured.glb, &requested, 0).unwrap();
    assert_eq!(imported.unsupported, ["generate_texture", "topology"]);
    // `turbo` implies a texture.
    let turbo = Parameters {
        preview_mesh: Some(PreviewMesh::Turbo),
        ..Default::default()
    };
    let kept = import_glb(&model(ImageFormat::Png, 8), &turbo, 0).unwrap();
    assert!(json_of(&kept.glb)["images"].is_array());
}
