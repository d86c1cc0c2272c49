//! The stages of a session, by the test's clock.

mod support;

use api::Response;
use serde_json::{Value, json};
use support::*;

/// Milliseconds after the start, and the `status`, `session_status` and `percent_done` then.
type Seen = (u64, &'static str, &'static str, u64);

const DIRECT: &[Seen] = &[
    (0, "training_preview", "queued", 0),
    (500, "training_preview", "in_progress", 50),
    (1000, "preview_done", "complete", 100),
];
const SIMPLE: &[Seen] = &[
    (0, "spin_generate_processing", "queued", 0),
    (500, "spin_generate_processing", "in_progress", 25),
    (1000, "training_preview", "in_progress", 50),
    (1999, "training_preview", "in_progress", 99),
    (2000, "preview_done", "complete", 100),
    (9999, "preview_done", "complete", 100),
];
const REFINED: &[Seen] = &[
    (0, "spin_generate_processing", "queued", 0),
    (1000, "training_preview", "in_progress", 25),
    (2000, "training_refine", "in_progress", 50),
    (3999, "training_refine", "in_progress", 99),
    (4000, "refine_done", "complete", 100),
];
const TO_SPINS: &[Seen] = &[
    (0, "spin_generate_processing", "queued", 0),
    (1000, "spin_generate_done", "in_progress", 50),
    (9999, "spin_generate_done", "in_progress", 50),
];

#[track_caller]
fn assert_seen(api: &mut TestApi, code: &str, seen: &[Seen]) {
    let start = api.now;
    for (at, status, session_status, percent) in seen {
        api.now = start + at;
        let session = api.session(code);
        let (was, expected) = (
            json!([
                session["status"],
                session["session_status"],
                session["percent_done"]
            ]),
            json!([status, session_status, percent]),
        );
        assert_eq!(was, expected, "after {at} ms");
        let files = [
            ("preview_mesh_url_glb", has_preview(status)),
            (
                "mesh_url_glb",
                *status == "refine_done" || *session_status == "complete",
            ),
        ];
        for (field, there) in files {
            assert_eq!(session.get(field).is_some(), there, "{field} at {status}");
            if there {
                let file = api.get_url(&session[field]);
                assert_eq!(file.status(), 200);
                assert_eq!(file.headers()["content-type"], "model/gltf-binary");
                assert_eq!(file.headers()["access-control-allow-origin"], "*");
                gltf::Gltf::from_slice(file.body()).unwrap();
            }
        }
    }
}

fn has_preview(status: &str) -> bool {
    [
        "preview_done",
        "training_refine",
        "refine_done",
        "refine_failed",
    ]
    .contains(&status)
}

#[test]
fn goes_through_the_stages() {
    for (body, seen) in [
        (json!({}), SIMPLE),
        (json!({"preview_mesh": "fast_sculpt"}), SIMPLE),
        (json!({"auto_refine": true}), REFINED),
        (json!({"preview_mesh": "turbo"}), TO_SPINS),
        (json!({"generate_preview_mesh": true}), DIRECT),
        (
            json!({"generate_preview_mesh": true, "preview_mesh": "turbo"}),
            DIRECT,
        ),
        (json!({"generate_preview_mesh": false}), SIMPLE),
    ] {
        let mut api = TestApi::new();
        let session = api.create(body.clone());
        assert_eq!(session["status"], seen[0].1, "{body}");
        assert_seen(&mut api, &code(&session), seen);
    }
}

#[test]
fn creates_results_without_polls() {
    for (body, seen) in [(json!({}), SIMPLE), (json!({"auto_refine": true}), REFINED)] {
        let mut api = TestApi::new();
        let code = code(&api.create(body));
        assert_seen(&mut api, &code, &seen[seen.len() - 1..]);
    }
}

#[test]
fn divides_the_durations_by_the_speed() {
    let mut api = TestApi::with(&api::Config {
        speed: 10.0,
        ..Default::default()
    });
    let code = code(&api.create(json!({})));
    api.now += 199;
    assert_eq!(api.session(&code)["status"], "training_preview");
    api.now += 1;
    assert_eq!(api.session(&code)["status"], "preview_done");
}

#[test]
fn is_not_complete_while_a_later_refinement_runs() {
    let mut api = TestApi::new();
    let session = code(&api.create(json!({})));
    api.now += 2000;
    let preview = api.session(&session)["preview_mesh_url_glb"].clone();
    assert_eq!(api.session(&session)["mesh_url_glb"], preview);
    let response = api.refine(&session, &json!({}));
    assert_eq!(
        (
            response.status().as_u16(),
            json(&response)["message"].as_str()
        ),
        (200, Some("Generating Mesh"))
    );
    let refining: &[Seen] = &[
        (0, "training_refine", "in_progress", 50),
        (1000, "training_refine", "in_progress", 75),
        (2000, "refine_done", "complete", 100),
    ];
    assert_seen(&mut api, &session, refining);
    assert_ne!(api.session(&session)["mesh_url_glb"], preview);
    // A second refinement.
    assert_eq!(api.refine(&session, &json!({})).status(), 200);
    assert_seen(&mut api, &session, refining);
}

#[test]
fn selects_a_spin_by_index_or_url() {
    for auto_refine in [false, true] {
        for by_url in [false, true] {
            let mut api = TestApi::new();
            api.engine = Some(Box::new(instant_engine()));
            let body = json!({"preview_mesh": "turbo", "auto_refine": auto_refine});
            let code = code(&api.create(body));
            assert!(api.session(&code).get("spins").is_none());
            api.now += 1000;
            let spins = api.session(&code)["spins"].clone();
            assert_eq!(spins.as_array().unwrap().len(), 4);
            let body = if by_url {
                json!({"selected_spin": spins[2]["image_url"]})
            } else {
                json!({"selected_spin_index": 2})
            };
            let response = api.preview(&code, &body);
            assert_eq!(response.status(), 200, "{}", text(&response));
            assert_eq!(json(&response)["message"], "Generating Mesh");
            assert_eq!(data(&response)["status"], "training_preview");
            api.now += if auto_refine { 3000 } else { 1000 };
            let session = api.session(&code);
            let end = if auto_refine {
                "refine_done"
            } else {
                "preview_done"
            };
            assert_eq!(session["status"], end);
            let best = api.get_url(&session["mesh_url_glb"]).into_body();
            let preview = api.get_url(&session["preview_mesh_url_glb"]).into_body();
            assert_eq!(preview, b"glTF Preview of view 2");
            if auto_refine {
                assert_eq!(best, b"glTF Refined of view 2");
            } else {
                assert_eq!(best, preview);
            }
        }
    }
}

#[test]
fn returns_the_views_of_the_engine_as_spins() {
    let mut api = TestApi::new();
    api.engine = Some(Box::new(instant_engine()));
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 999;
    let spin = |at| format!("/files/{code}/spin-{at}.png");
    assert_eq!(api.get(&spin(0)).status(), 404);
    api.now += 1;
    let spins = api.session(&code)["spins"].clone();
    for at in 0..4 {
        let response = api.get_url(&spins[at]["image_url"]);
        assert_eq!(response.headers()["content-type"], "image/png");
        assert_eq!(text(&response), format!("view {at}"));
    }
    assert_eq!(api.get(&spin(4)).status(), 404);
}

#[test]
fn rejects_requests_at_the_wrong_stage() {
    let turbo = || json!({"preview_mesh": "turbo"});
    let selection = json!({"selected_spin_index": 0});
    // The body, the time, and whether a preview and a refinement are accepted.
    for (body, after, preview, refine) in [
        (turbo(), 0, false, false),
        (turbo(), 1000, true, false),
        (json!({}), 0, false, false),
        (json!({}), 1000, false, false),
        (json!({}), 2000, false, true),
        (json!({"auto_refine": true}), 2000, false, false),
        (json!({"auto_refine": true}), 4000, false, true),
    ] {
        let mut api = TestApi::new();
        let code = code(&api.create(body.clone()));
        api.now += after;
        let post_preview: &dyn Fn() -> Response = &|| api.preview(&code, &selection);
        let post_refine: &dyn Fn() -> Response = &|| api.refine(&code, &json!({}));
        for (post, accepted, rejection) in [
            (
                post_preview,
                preview,
                "A preview can only be requested at spin_generate_done",
            ),
            (
                post_refine,
                refine,
                "A refinement can only be requested after the preview is done",
            ),
        ] {
            let status = api.session(&code)["status"].as_str().unwrap().to_owned();
            let response = post();
            if accepted {
                assert_eq!(response.status(), 200, "{body} at {status}");
            } else {
                assert_eq!(
                    error_message(&response, 409),
                    format!("{rejection}; this session is at {status}")
                );
            }
        }
    }
}

#[test]
fn rejects_an_invalid_selection_with_the_reason() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    let spins = api.session(&code)["spins"].clone();
    for (body, message) in [
        (
            json!({}),
            "Missing selected_spin_index: expected 0, 1, 2 or 3, or the URL of a spin in \
             selected_spin",
        ),
        (
            json!({"selected_spin_index": 4}),
            "Invalid selected_spin_index 4: expected 0, 1, 2 or 3",
        ),
        (
            json!({"selected_spin_index": -1}),
            "Invalid selected_spin_index -1: expected 0, 1, 2 or 3",
        ),
        (
            json!({"selected_spin_index": "1"}),
            "Invalid selected_spin_index \"1\": expected 0, 1, 2 or 3",
        ),
        (
            json!({"selected_spin": "https://elsewhere/spin-0.png"}),
            "Invalid selected_spin \"https://elsewhere/spin-0.png\": expected the URL of one of this \
             session's spins",
        ),
        (
            json!({"selected_spin": spins[1]["image_url"], "selected_spin_index": 2}),
            "selected_spin_index and selected_spin must select the same spin",
        ),
        (
            json!({"selected_spin_index": 0, "pivot_point": [0, 0, 0.6]}),
            "Invalid pivot_point [0, 0, 0.6]: expected [x, y, z], three numbers from -0.5 to 0.5",
        ),
        (
            json!({"selected_spin_index": 0, "scaled_bbox": [1, 0, 1]}),
            "Invalid scaled_bbox [1, 0, 1]: expected [width, height, depth], three finite numbers \
             greater than 0, or -1 for automatic",
        ),
        (json!([]), "The request body must be a JSON object"),
    ] {
        assert_eq!(error_message(&api.preview(&code, &body), 400), message);
    }
    // The session is unchanged.
    assert_eq!(api.session(&code)["status"], "spin_generate_done");
    for response in [
        api.preview("SESSION_1_1", &json!({"selected_spin_index": 0})),
        api.refine("SESSION_1_1", &json!({})),
        api.get("/image-to-3d-sessions/SESSION_1_1"),
        api.get("/files/SESSION_1_1/preview.glb"),
    ] {
        assert_eq!(
            error_message(&response, 404),
            "Session SESSION_1_1 not found"
        );
    }
}

#[test]
fn accepts_scaled_bbox_and_pivot_point_in_each_request() {
    let dimensions = json!({"scaled_bbox": [1, 2, 4], "pivot_point": [-0.5, 0, 0]});
    let expected = ([0.0, -1.0, -2.0], [1.0, 1.0, 2.0]);
    let mut api = TestApi::new();
    let first = code(&api.create(dimensions.clone()));
    let second = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 2000;
    let mut selection = dimensions.clone();
    selection["selected_spin_index"] = json!(1);
    assert_eq!(api.preview(&second, &selection).status(), 200);
    let third = code(&api.create(json!({"generate_preview_mesh": true})));
    api.now += 1000;
    let before = api.session(&third)["mesh_url_glb"].clone();
    assert!(!near(bounds(api.get_url(&before).body()), expected));
    assert_eq!(api.refine(&third, &dimensions).status(), 200);
    api.now += 2000;
    for code in [first, second, third] {
        let session = api.session(&code);
        assert_eq!(session["scaled_bbox"], json!([1.0, 2.0, 4.0]));
        let glb = api.get_url(&session["mesh_url_glb"]).into_body();
        assert!(near(bounds(&glb), expected), "{:?}", bounds(&glb));
    }
}

#[test]
fn offers_each_model_in_each_format() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({"auto_refine": true})));
    let offered = |api: &TestApi| -> Vec<(String, Value)> {
        let session = api.session(&code);
        let fields = session.as_object().unwrap().clone().into_iter();
        fields
            .filter(|(name, _)| name.contains("mesh_url"))
            .collect()
    };
    assert_eq!(offered(&api), []);
    for (after, fields) in [
        (2000, vec!["preview_mesh_url"]),
        (2000, vec!["mesh_url", "preview_mesh_url"]),
    ] {
        api.now += after;
        let mut expected = Vec::new();
        for field in fields {
            let stem = if field == "mesh_url" {
                "mesh"
            } else {
                "preview"
            };
            let address = |ending| json!(format!("http://here:1234/files/{code}/{stem}.{ending}"));
            expected.push((field.to_owned(), address("zip")));
            for format in ["3mf", "glb", "obj", "stl", "usdz", "zip"] {
                expected.push((format!("{field}_{format}"), address(format)));
            }
        }
        let offered = offered(&api);
        assert_eq!(offered, expected);
        for (name, address) in offered {
            let response = api.get_url(&address);
            let (media_type, format) = match name.rsplit('_').next().unwrap() {
                "glb" => {
                    assert_eq!(response.headers()["content-type"], "model/gltf-binary");
                    continue;
                }
                "obj" => ("model/obj", sculpt::Format::Obj),
                "stl" => ("model/stl", sculpt::Format::Stl),
                "3mf" => ("model/3mf", sculpt::Format::ThreeMf),
                "usdz" => ("model/vnd.usdz+zip", sculpt::Format::Usdz),
                "zip" | "url" => ("application/zip", sculpt::Format::Zip),
                _ => panic!("{name}"),
            };
            let stem = address.as_str().unwrap().rsplit_once('.').unwrap().0;
            let glb = api.get_url(&json!(format!("{stem}.glb"))).into_body();
            match sculpt::convert(&glb, format) {
                Ok(bytes) => {
                    assert_eq!(response.headers()["content-type"], media_type);
                    assert!(*response.body() == bytes, "{name}");
                }
                Err(error) => assert!(error_message(&response, 500).contains(&error.to_string())),
            }
        }
    }
    assert_eq!(api.get(&format!("/files/{code}/mesh.fbx")).status(), 404);
    assert_eq!(api.get(&format!("/files/{code}/image.glb")).status(), 404);
}

#[test]
fn returns_a_model_once_the_session_has_its_url() {
    let mut api = TestApi::new();
    let code = code(&api.create(json!({})));
    let status = |api: &TestApi, name: &str| api.get(&format!("/files/{code}/{name}")).status();
    // The model is created, but the stage is not over.
    api.now += 1999;
    assert_eq!(status(&api, "preview.glb"), 404);
    api.now += 1;
    assert_eq!(status(&api, "preview.glb"), 200);
    api.refine(&code, &json!({}));
    api.now += 2000;
    assert_eq!(status(&api, "mesh.glb"), 200);
    // The old model is deleted when the refinement starts again.
    api.refine(&code, &json!({}));
    assert_eq!(status(&api, "mesh.glb"), 404);
    assert_eq!(status(&api, "preview.glb"), 200);
}

#[test]
fn lists_the_newest_sessions_first_in_pages() {
    let mut api = TestApi::new();
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.insert(0, code(&api.create(json!({}))));
        api.now += 10;
    }
    let listed = |query: &str| -> Vec<String> {
        let data = data(&api.get(&format!("/image-to-3d-sessions{query}")));
        data["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(code)
            .collect()
    };
    assert_eq!(listed(""), codes[..10]);
    assert_eq!(listed("?limit=5&page=1"), codes[5..10]);
    assert_eq!(listed("?limit=5&page=2"), codes[10..]);
    assert_eq!(listed("?page=9"), [""; 0]);
    let response = api.get("/image-to-3d-sessions?limit=many");
    assert_eq!(
        error_message(&response, 400),
        "Invalid limit \"many\": expected a whole number"
    );
}

fn bounds(glb: &[u8]) -> ([f32; 3], [f32; 3]) {
    let file = gltf::Gltf::from_slice(glb).unwrap();
    let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
    for primitive in file.meshes().flat_map(|mesh| mesh.primitives()) {
        let found = primitive.bounding_box();
        for at in 0..3 {
            low[at] = low[at].min(found.min[at]);
            high[at] = high[at].max(found.max[at]);
        }
    }
    (low, high)
}

fn near(a: ([f32; 3], [f32; 3]), b: ([f32; 3], [f32; 3])) -> bool {
    let corners = a.0.into_iter().chain(a.1).zip(b.0.into_iter().chain(b.1));
    corners.into_iter().all(|(a, b)| (a - b).abs() < 1e-4)
}
