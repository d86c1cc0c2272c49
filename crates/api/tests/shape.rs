//! The kind of shape that the caller chooses, and what the session says about it.

mod support;

use std::io::Cursor;

use api::{Change, Config, Entries, Progress, Source};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use support::*;

const CHOICES: [&str; 5] = ["auto", "round", "revolved", "extruded", "relief"];

/// 64 × 64 pixels: a red letter L on white.
fn letter() -> Value {
    image(|x, y| {
        let is_inside =
            (16..48).contains(&y) && (16..26).contains(&x) || (38..48).contains(&y) && x < 48;
        match is_inside && x >= 16 {
            true => [210, 30, 40],
            false => [255; 3],
        }
    })
}

/// 64 × 64 pixels of one color, in which no object stands out.
fn plain() -> Value {
    image(|_, _| [120; 3])
}

fn image(color: impl Fn(u32, u32) -> [u8; 3]) -> Value {
    let image: DynamicImage = RgbImage::from_fn(64, 64, |x, y| Rgb(color(x, y))).into();
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    data_uri("image/png", &png.into_inner()).into()
}

/// Creates a session with a preview, and returns it when it has ended.
fn finished(api: &mut TestApi, mut body: Value) -> Value {
    body["generate_preview_mesh"] = true.into();
    body["resolution"] = "low_poly".into();
    let code = code(&api.create(body));
    api.now += 1000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
    session
}

/// Returns the model's depth in parts of its height.
fn depth(api: &TestApi, url: &Value) -> f64 {
    let glb = api.get_url(url);
    let length = u32::from_le_bytes(glb.body()[12..16].try_into().unwrap()) as usize;
    let json: Value = serde_json::from_slice(&glb.body()[20..20 + length]).unwrap();
    let accessors = json["accessors"].as_array().unwrap();
    let positions = accessors.iter().find(|it| it["max"].is_array()).unwrap();
    let edge = |axis: usize| {
        let at = |end: &str| positions[end][axis].as_f64().unwrap();
        at("max") - at("min")
    };
    edge(2) / edge(1)
}

#[test]
fn session_reports_and_gets_the_chosen_shape() {
    let mut api = TestApi::new();
    let mut depths = Vec::new();
    for (choice, expected) in [
        (Value::Null, "extruded"),
        (json!("auto"), "extruded"),
        (json!("round"), "round"),
        (json!("revolved"), "revolved"),
        (json!("relief"), "relief"),
    ] {
        let session = finished(&mut api, json!({"image_url": letter(), "shape": choice}));
        assert_eq!(session["shape"], expected, "{choice}");
        assert_eq!(session.get("unsupported"), None, "{choice}");
        depths.push(depth(&api, &session["preview_mesh_url_glb"]));
    }
    assert_eq!(depths[0], depths[1]);
    depths.sort_by(f64::total_cmp);
    // One kind is as deep as no other.
    let different = depths.windows(2).filter(|pair| pair[1] > 1.05 * pair[0]);
    assert_eq!(different.count(), 3, "{depths:?}");
}

#[test]
fn rejects_an_invalid_shape_before_the_image() {
    let api = TestApi::new();
    for (shape, received) in [
        (json!("x"), "\"x\""),
        (json!("Round"), "\"Round\""),
        (json!(7), "7"),
        (json!([]), "[]"),
    ] {
        let expected = format!(
            "Invalid shape {received}: expected \"auto\", \"round\", \"revolved\", \"extruded\" or \
             \"relief\""
        );
        for image_url in [letter(), data_uri("image/png", b"no image").into()] {
            let body = json!({"image_url": image_url, "shape": shape});
            assert_eq!(error_message(&api.post(SESSIONS, &body), 400), expected);
        }
    }
}

#[test]
fn choice_also_counts_for_a_whole_image() {
    let mut api = TestApi::new();
    for (name, image, cutout) in [
        ("no object found", plain(), Value::Null),
        ("kept", letter(), json!("keep")),
    ] {
        for choice in CHOICES {
            let body = json!({"image_url": image, "cutout": cutout, "shape": choice});
            let session = finished(&mut api, body);
            let expected = if choice == "auto" { "relief" } else { choice };
            assert_eq!(session["shape"], expected, "{name}, {choice}");
            assert_eq!(session["cutout"]["shape"], "relief", "{name}, {choice}");
            assert_eq!(session["cutout"]["coverage"], 1.0, "{name}, {choice}");
        }
    }
}

#[test]
fn relief_shows_the_whole_image_unless_the_caller_cuts_out() {
    let mut api = TestApi::new();
    for (cutout, expected) in [
        (Value::Null, 1.0..1.01),
        (json!("auto"), 1.0..1.01),
        (json!("background"), 0.05..0.3),
    ] {
        let body = json!({"image_url": letter(), "cutout": cutout, "shape": "relief"});
        let session = finished(&mut api, body);
        assert_eq!(session["shape"], "relief", "{cutout}");
        let coverage = session["cutout"]["coverage"].as_f64().unwrap();
        assert!(expected.contains(&coverage), "{cutout}: {coverage}");
    }
}

#[test]
fn shape_appears_with_the_first_result() {
    let mut api = TestApi::new();
    let body = json!({"image_url": letter(), "preview_mesh": "turbo", "resolution": "low_poly"});
    let code = code(&api.create(body));
    api.now += 999;
    assert_eq!(api.session(&code).get("shape"), None);
    api.now += 1;
    assert_eq!(api.session(&code)["shape"], "extruded");
}

#[test]
fn refinement_in_another_process_keeps_the_shape() {
    let store = SharedStore::default();
    let mut api = store.open(&Config::default(), START);
    let body = json!({"image_url": letter(), "shape": "revolved"});
    let session = finished(&mut api, body);
    let preview = depth(&api, &session["preview_mesh_url_glb"]);
    let code = code(&session);

    let mut api = store.open(&Config::default(), api.now);
    // The choice belongs to the session.
    assert_eq!(api.refine(&code, &json!({"shape": "relief"})).status(), 200);
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(session["status"], "refine_done");
    assert_eq!(session["shape"], "revolved");
    let refined = depth(&api, &session["mesh_url_glb"]);
    assert!(
        (refined - preview).abs() < 0.05 * preview,
        "{preview} {refined}"
    );
}

#[test]
fn idempotency_key_belongs_to_the_shape() {
    let api = TestApi::new();
    let key = [("idempotency-key", "k")];
    let send = |shape: &str| {
        let body = json!({"image_url": letter(), "shape": shape}).to_string();
        api.send(request("POST", SESSIONS, &key, &body))
    };
    let created = code(&data(&send("round")));
    assert_eq!(code(&data(&send("round"))), created);
    assert_eq!(send("extruded").status(), 409);
}

#[test]
fn session_of_an_earlier_version_keeps_the_shape_of_its_preview() {
    let store = SharedStore::default();
    let mut api = store.open(&Config::default(), START);
    let session = finished(&mut api, json!({"image_url": letter(), "shape": "round"}));
    let preview = depth(&api, &session["preview_mesh_url_glb"]);
    let code = code(&session);
    let key = format!("session/{code}");
    let mut record: Value = serde_json::from_slice(&store.get(&key).unwrap().unwrap()).unwrap();
    let cutout = record["cutout"].as_object_mut().unwrap();
    assert_eq!(cutout.remove("shape"), Some(json!("round")));
    assert_eq!(cutout.remove("shape_choice"), Some(json!("round")));
    let change = Change::Put(key, record.to_string().into_bytes().into());
    store.commit(vec![change]).unwrap();

    let mut api = store.open(&Config::default(), api.now);
    assert_eq!(api.session(&code).get("shape"), None);
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    api.now += 2000;
    let session = api.session(&code);
    // An image like this one would now become an extrusion.
    let refined = depth(&api, &session["mesh_url_glb"]);
    assert!(
        (refined - preview).abs() < 0.05 * preview,
        "{preview} {refined}"
    );
}

#[test]
fn remote_engine_ignores_the_shape_and_its_session_says_so() {
    let config = Config {
        engines: vec!["remote".into()],
        ..Config::default()
    };
    for (choice, unsupported) in [
        (Value::Null, Value::Null),
        (json!("auto"), Value::Null),
        (json!("relief"), json!(["shape"])),
    ] {
        let mut api = TestApi::without_engine(&config);
        let body = json!({"image_url": letter(), "generate_preview_mesh": true, "shape": choice});
        let created = api.create(body);
        assert_eq!(created["unsupported"], unsupported, "{choice}");
        let engine = Stub(|source: &Source, _: &mut Progress| {
            let image = source.image.decode()?;
            // Not the whole image, as a relief has it.
            assert!(source.image.cut_out(&image)?.report.coverage < 0.5);
            Ok(())
        });
        let job = api.inner.next_job(api.now).unwrap().unwrap();
        api.inner.run_job(job, None, &engine).unwrap();
        api.now += 1000;
        let session = api.session(&code(&created));
        assert_eq!(session["status"], "preview_done");
        assert_eq!(session["unsupported"], unsupported, "{choice}");
        assert_eq!(session.get("shape"), None, "{choice}");
    }
}
