//! Parameters of the API's last version, which are not in its documented contract, and what its last
//! client asks for.

mod support;

use api::{Config, StatusText};
use serde_json::{Value, json};
use support::*;

/// Returns the session of a request once its preview is done.
fn done(parameters: Value) -> (TestApi, Value) {
    let mut api = TestApi::with(&Config::default());
    let code = code(&api.create(parameters));
    api.now += 10_000;
    let session = api.session(&code);
    assert_eq!(session["session_status"], "complete", "{session}");
    (api, session)
}

#[test]
fn lists_parameters_of_the_last_version_that_have_no_effect() {
    for (parameters, unsupported) in [
        (json!({"texture_model": "pbr"}), json!(["texture_model"])),
        (json!({"texture_model": "4k"}), json!(["texture_model"])),
        (json!({"texture_model": "baked"}), Value::Null),
        (json!({"texture_model": "none"}), Value::Null),
        (json!({"texture_model": null}), Value::Null),
        (
            json!({"geometry_model": "turbo"}),
            json!(["geometry_model"]),
        ),
        (json!({"geometry_model": "base"}), Value::Null),
        (json!({"symmetry": "on"}), json!(["symmetry"])),
        (json!({"symmetry": "off"}), Value::Null),
        (
            json!({"manual_segmentation": true}),
            json!(["manual_segmentation"]),
        ),
        (json!({"manual_segmentation": false}), Value::Null),
        (json!({"preserve_aspect_ratio": true}), Value::Null),
        (
            json!({"preserve_aspect_ratio": true, "scaled_bbox": [-1, -1, -1]}),
            Value::Null,
        ),
        (
            json!({"preserve_aspect_ratio": true, "scaled_bbox": [1, 1, 1], "symmetry": "on"}),
            json!(["preserve_aspect_ratio", "symmetry"]),
        ),
        (json!({"unknown": 1}), Value::Null),
    ] {
        let (_, session) = done(parameters.clone());
        assert_eq!(session["unsupported"], unsupported, "{parameters}");
    }
}

#[test]
fn lists_unsupported_parameters_also_while_the_session_runs_and_after_its_refinement() {
    let mut api = TestApi::with(&Config::default());
    let session = api.create(json!({"texture_model": "pbr", "auto_refine": true}));
    assert_eq!(session["unsupported"], json!(["texture_model"]));
    api.now += 10_000;
    let session = api.session(&code(&session));
    assert_eq!(session["status"], "refine_done");
    assert_eq!(session["unsupported"], json!(["texture_model"]));
}

#[test]
fn texture_model_decides_about_the_texture_unless_generate_texture_does() {
    for (parameters, is_textured) in [
        (json!({"texture_model": "pbr"}), true),
        (json!({"texture_model": "baked"}), true),
        (json!({"texture_model": "none"}), false),
        (
            json!({"texture_model": "pbr", "generate_texture": false}),
            false,
        ),
        (
            json!({"texture_model": "none", "generate_texture": true}),
            true,
        ),
    ] {
        let (_, session) = done(parameters.clone());
        assert_eq!(session["generate_texture"], is_textured, "{parameters}");
    }
}

/// Returns the width, the height and the depth of a session's model.
fn size(parameters: Value) -> [f64; 3] {
    let (api, session) = done(parameters);
    let obj = api.get_url(&session["mesh_url_obj"]).into_body();
    let obj = String::from_utf8(obj).unwrap();
    let mut bounds = [[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]];
    for line in obj.lines().filter_map(|line| line.strip_prefix("v ")) {
        for (axis, number) in line.split(' ').enumerate() {
            let number: f64 = number.parse().unwrap();
            bounds[0][axis] = bounds[0][axis].min(number);
            bounds[1][axis] = bounds[1][axis].max(number);
        }
    }
    [0, 1, 2].map(|axis| bounds[1][axis] - bounds[0][axis])
}

#[test]
fn automatic_edge_of_the_bounding_box_keeps_the_proportions() {
    let own = size(json!({}));
    for (scaled_bbox, expected) in [
        (json!([-1, -1, -1]), own),
        (json!([-1, 3 * 2, -1]), own.map(|edge| edge * 6.0 / own[1])),
        (
            json!([2.0 * own[0], 4.0 * own[1], -1]),
            [2.0 * own[0], 4.0 * own[1], 3.0 * own[2]],
        ),
        (json!([1, 2, 3]), [1.0, 2.0, 3.0]),
    ] {
        let size = size(json!({"scaled_bbox": scaled_bbox}));
        let near = |axis: usize| (size[axis] - expected[axis]).abs() < 1e-4 * expected[axis];
        assert!((0..3).all(near), "{scaled_bbox}: {size:?} {expected:?}");
    }
}

/// The header by which the last client is recognized. It reads `mesh_url_<format>`, and fails with the
/// name of the field if there is none.
const LAST_CLIENT: (&str, &str) = ("user-agent", "python-requests/2.32.3");

#[test]
fn last_client_gets_each_format_that_this_server_makes() {
    let (api, session) = done(json!({
        "geometry_model": "base", "texture_model": "pbr", "scaled_bbox": [-1, -1, -1],
        "preserve_aspect_ratio": true, "topology": "tris", "resolution": "high_poly",
    }));
    for (format, start) in [
        ("glb", &b"glTF"[..]),
        ("obj", b"v "),
        ("zip", b"PK"),
        ("usdz", b"PK"),
    ] {
        let file = api.get_url(&session[format!("mesh_url_{format}")]);
        assert_eq!(file.status(), 200, "{format}");
        assert!(file.body().starts_with(start), "{format}");
    }
    assert!(session.get("mesh_url_fbx").is_none());
}

#[test]
fn last_client_is_refused_a_format_with_those_that_the_session_has() {
    let (api, session) = done(json!({}));
    let code = code(&session);
    let path = format!("/image-to-3d-sessions/{code}");
    let response = api.send(request("GET", &path, &[LAST_CLIENT], ""));
    let session: Value = serde_json::from_slice(response.body()).unwrap();
    let refused = api.get_url(&session["data"]["mesh_url_fbx"]);
    let expected =
        format!("Session {code} has no fbx model. Available: glb, obj, zip, stl, 3mf, usdz");
    assert_eq!(error_message(&refused, 404), expected);
    let status_text = refused.extensions().get::<StatusText>();
    assert_eq!(status_text.map(|text| text.0.as_str()), Some(&*expected));
}
