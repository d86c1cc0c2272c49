//! Each way through the life of a session, by a moved clock.

mod support;

use sandbox::Response;
use serde_json::json;
use support::*;

/// The milliseconds after the beginning, and `status`, `session_status`, `percent_done` then.
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
fn assert_seen(api: &mut Api, code: &str, seen: &[Seen]) {
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
                let file = api.follow(&session[field]);
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
fn a_session_goes_through_its_stages() {
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
        let mut api = Api::new();
        let session = api.create(body.clone());
        assert_eq!(session["status"], seen[0].1, "{body}");
        assert_seen(&mut api, &code(&session), seen);
    }
}

#[test]
fn the_last_poll_alone_shows_all() {
    // Nobody looked before: the results are made all the same.
    for (body, seen) in [(json!({}), SIMPLE), (json!({"auto_refine": true}), REFINED)] {
        let mut api = Api::new();
        let code = code(&api.create(body));
        assert_seen(&mut api, &code, &seen[seen.len() - 1..]);
    }
}

#[test]
fn speed_divides_the_times() {
    let mut api = Api::with(&sandbox::Config {
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
fn a_refinement_that_is_asked_for_later_takes_completeness_back() {
    let mut api = Api::new();
    let session = code(&api.create(json!({})));
    api.now += 2000;
    let preview = api.session(&session)["preview_mesh_url_glb"].clone();
    assert_eq!(api.session(&session)["mesh_url_glb"], preview);
    let answer = api.refine(&session, &json!({}));
    assert_eq!(
        (answer.status().as_u16(), json(&answer)["message"].as_str()),
        (200, Some("Generating Mesh"))
    );
    let refining: &[Seen] = &[
        (0, "training_refine", "in_progress", 50),
        (1000, "training_refine", "in_progress", 75),
        (2000, "refine_done", "complete", 100),
    ];
    assert_seen(&mut api, &session, refining);
    assert_ne!(api.session(&session)["mesh_url_glb"], preview);
    // And once more.
    assert_eq!(api.refine(&session, &json!({})).status(), 200);
    assert_seen(&mut api, &session, refining);
}

#[test]
fn a_spin_is_chosen_by_its_number_or_its_address() {
    for auto_refine in [false, true] {
        for by_address in [false, true] {
            let mut api = Api::new();
            let body = json!({"preview_mesh": "turbo", "auto_refine": auto_refine});
            let code = code(&api.create(body));
            assert!(api.session(&code).get("spins").is_none());
            api.now += 1000;
            let spins = api.session(&code)["spins"].clone();
            assert_eq!(spins.as_array().unwrap().len(), 4);
            let body = if by_address {
                json!({"selected_spin": spins[2]["image_url"]})
            } else {
                json!({"selected_spin_index": 2})
            };
            let answer = api.preview(&code, &body);
            assert_eq!(answer.status(), 200, "{}", text(&answer));
            assert_eq!(json(&answer)["message"], "Generating Mesh");
            assert_eq!(data(&answer)["status"], "training_preview");
            api.now += if auto_refine { 3000 } else { 1000 };
            let session = api.session(&code);
            let end = if auto_refine {
                "refine_done"
            } else {
                "preview_done"
            };
            assert_eq!(session["status"], end);
            // The model shows what the spin shows.
            let glb = api.follow(&session["mesh_url_glb"]).into_body();
            let spin = api.follow(&spins[2]["image_url"]);
            assert_eq!(spin.headers()["content-type"], "image/png");
            assert_eq!(texture(&glb), pixels(spin.body()));
            assert_ne!(texture(&glb), pixels(&png()));
        }
    }
}

#[test]
fn the_spins_differ_and_the_first_is_the_picture() {
    let mut api = Api::new();
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    let early = api.get(&format!("/files/{code}/spin-0.png"));
    assert_eq!(early.status(), 404);
    api.now += 1000;
    let spins = api.session(&code)["spins"].clone();
    let spins: Vec<_> = (0..4)
        .map(|at| pixels(api.follow(&spins[at]["image_url"]).body()))
        .collect();
    assert_eq!(spins[0], pixels(&png()));
    for at in 1..4 {
        assert!(!spins[..at].contains(&spins[at]));
    }
    assert_eq!(api.get(&format!("/files/{code}/spin-4.png")).status(), 404);
}

#[test]
fn what_comes_at_the_wrong_stage_is_refused() {
    let turbo = || json!({"preview_mesh": "turbo"});
    let choose = json!({"selected_spin_index": 0});
    // The body, the time, and whether a preview and a refinement can be asked for.
    for (body, after, preview, refine) in [
        (turbo(), 0, false, false),
        (turbo(), 1000, true, false),
        (json!({}), 0, false, false),
        (json!({}), 1000, false, false),
        (json!({}), 2000, false, true),
        (json!({"auto_refine": true}), 2000, false, false),
        (json!({"auto_refine": true}), 4000, false, true),
    ] {
        let mut api = Api::new();
        let code = code(&api.create(body.clone()));
        api.now += after;
        let ask_preview: &dyn Fn() -> Response = &|| api.preview(&code, &choose);
        let ask_refine: &dyn Fn() -> Response = &|| api.refine(&code, &json!({}));
        for (ask, accepted) in [(ask_preview, preview), (ask_refine, refine)] {
            let stands = api.session(&code)["status"].as_str().unwrap().to_owned();
            let answer = ask();
            if accepted {
                assert_eq!(answer.status(), 200, "{body} at {stands}");
            } else {
                let words = refused(&answer, 409);
                assert!(words.contains(&stands), "{words}");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_choice_is_said() {
    let mut api = Api::new();
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    let spins = api.session(&code)["spins"].clone();
    for (body, words) in [
        (json!({}), "one of them is required"),
        (
            json!({"selected_spin_index": 4}),
            "came 4, allowed: 0, 1, 2, 3",
        ),
        (json!({"selected_spin_index": -1}), "came -1"),
        (json!({"selected_spin_index": "1"}), "came \"1\""),
        (
            json!({"selected_spin": "https://elsewhere/spin-0.png"}),
            "one of the spins",
        ),
        (
            json!({"selected_spin": spins[1]["image_url"], "selected_spin_index": 2}),
            "two different",
        ),
        (
            json!({"selected_spin_index": 0, "pivot_point": [0, 0, 0.6]}),
            "pivot_point",
        ),
        (
            json!({"selected_spin_index": 0, "scaled_bbox": [1, 0, 1]}),
            "scaled_bbox",
        ),
        (json!([]), "no JSON object"),
    ] {
        let said = refused(&api.preview(&code, &body), 400);
        assert!(said.contains(words), "{said}");
    }
    // None of them moved it.
    assert_eq!(api.session(&code)["status"], "spin_generate_done");
    for answer in [
        api.preview("SESSION_1_1", &json!({"selected_spin_index": 0})),
        api.refine("SESSION_1_1", &json!({})),
        api.get("/image-to-3d-sessions/SESSION_1_1"),
        api.get("/files/SESSION_1_1/preview.glb"),
    ] {
        assert!(refused(&answer, 404).contains("SESSION_1_1"));
    }
}

#[test]
fn box_and_pivot_come_with_any_of_the_requests() {
    let measures = json!({"scaled_bbox": [1, 2, 4], "pivot_point": [-0.5, 0, 0]});
    let expected = ([0.0, -1.0, -2.0], [1.0, 1.0, 2.0]);
    let mut api = Api::new();
    let first = code(&api.create(measures.clone()));
    let second = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 2000;
    let mut choice = measures.clone();
    choice["selected_spin_index"] = json!(1);
    assert_eq!(api.preview(&second, &choice).status(), 200);
    let third = code(&api.create(json!({"generate_preview_mesh": true})));
    api.now += 1000;
    let before = api.session(&third)["mesh_url_glb"].clone();
    assert_ne!(bounds(api.follow(&before).body()), expected);
    assert_eq!(api.refine(&third, &measures).status(), 200);
    api.now += 2000;
    for code in [first, second, third] {
        let session = api.session(&code);
        assert_eq!(session["scaled_bbox"], json!([1.0, 2.0, 4.0]));
        let glb = api.follow(&session["mesh_url_glb"]).into_body();
        assert_eq!(bounds(&glb), expected);
    }
}

#[test]
fn a_session_whose_model_cannot_be_made_fails_with_the_reason() {
    let mut api = Api::new();
    let body = json!({"scaled_bbox": [1e300, 1, 1], "auto_refine": true});
    let code = code(&api.create(body));
    api.now += 9000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_failed");
    assert_eq!(session["session_status"], "failed");
    assert!(session["error"].as_str().unwrap().contains("32-bit"));
    assert!(session.get("preview_mesh_url_glb").is_none());
}

#[test]
fn a_picture_elsewhere_is_not_fetched_and_its_session_ends_all_the_same() {
    let mut api = Api::new();
    let code = code(&api.create(json!({"image_url": "https://example.com/a.png"})));
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_done");
    assert_eq!(session["image_url"], "https://example.com/a.png");
    let glb = api.follow(&session["mesh_url_glb"]);
    assert_eq!(bounds(glb.body()).1, [0.5, 0.5, 0.025]);
    assert_eq!(api.get(&format!("/files/{code}/image")).status(), 404);
}

#[test]
fn the_list_has_the_newest_first_in_pages() {
    let mut api = Api::new();
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
    let answer = api.get("/image-to-3d-sessions?limit=many");
    assert!(refused(&answer, 400).contains("limit: came \"many\""));
}

fn pixels(png: &[u8]) -> Vec<u8> {
    image::load_from_memory(png).unwrap().to_rgba8().into_raw()
}

fn texture(glb: &[u8]) -> Vec<u8> {
    let file = gltf::Gltf::from_slice(glb).unwrap();
    let image = file.images().next().unwrap();
    let gltf::image::Source::View { view, .. } = image.source() else {
        panic!("the texture lies outside of the file");
    };
    pixels(&file.blob.as_ref().unwrap()[view.offset()..][..view.length()])
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
