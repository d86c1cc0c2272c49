//! Hunyuan3D's `api_server.py`, both dialects, emulated with what is nasty about them.

use std::sync::Arc;
use std::time::Duration;

use crate::emulators::hunyuan::{Hunyuan, Scenario};
use crate::emulators::{gltf, picture};
use crate::support::gateway::Gateway;
use crate::support::*;
use api::image;
use base64_simd::STANDARD;
use serde_json::{Value, json};

/// A server that hands everything to it.
fn in_front_of(hunyuan: &Hunyuan, own: &str) -> Gateway {
    let mut config = format!(
        "default = \"hunyuan\"\n[engines.hunyuan]\nurl = \"http://{}\"\n{own}",
        hunyuan.host
    );
    if !own.contains("poll") {
        config += "poll = 0.03\n";
    }
    let state = hunyuan.state.clone();
    let made = move || state.lock().unwrap().pictures.clone();
    Gateway::start(&config, Vec::new(), &[], made)
}

fn result(server: &Server, session: &Value) -> Value {
    let file = server.get(&format!("/files/{}/preview.glb", code(session)));
    assert_eq!(file.status, 200);
    assert!(file.head.contains("access-control-allow-origin: *"));
    gltf(&file.body)
}

#[test]
fn a_model_of_20_honours_what_it_can() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = in_front_of(&hunyuan, "");
    let low = gateway
        .create(json!({"resolution": "low_poly", "topology": "quads", "creativity": "highest"}));
    let session = gateway.server.end_of(&low);
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["engine"], "hunyuan");
    assert_eq!(session["unsupported"], json!(["creativity", "topology"]));
    let sent = &hunyuan.bodies()[0];
    assert_eq!(
        (&sent["octree_resolution"], &sent["texture"]),
        (&json!(128), &json!(false))
    );
    // Cut out before it is sent, and bare base64.
    let png = STANDARD
        .decode_to_vec(sent["image"].as_str().unwrap())
        .unwrap();
    let sent = image::load_from_memory(&png).unwrap().to_rgba8();
    assert_eq!(
        (sent.get_pixel(1, 1)[3], sent.get_pixel(48, 32)[3]),
        (0, 255)
    );
    let textured = gateway
        .server
        .end_of(&gateway.create(json!({"generate_texture": true})));
    assert_eq!(textured["unsupported"], json!(["generate_texture"]));
}

#[test]
fn a_model_of_21_is_told_by_its_health_and_stripped_where_no_texture_was_asked_for() {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        ..Default::default()
    });
    let gateway = in_front_of(&hunyuan, "");
    let bare = gateway
        .server
        .end_of(&gateway.create(json!({"resolution": "low_poly"})));
    assert_eq!(bare["status"], "preview_done", "{bare}");
    assert_eq!(bare["unsupported"], Value::Null);
    assert_eq!(result(&gateway.server, &bare)["images"], Value::Null);
    let asked =
        json!({"generate_texture": true, "texture_resolution": 128, "scaled_bbox": [1, 2, 3]});
    let textured = gateway.server.end_of(&gateway.create(asked));
    assert_eq!(textured["unsupported"], Value::Null, "{textured}");
    let file = result(&gateway.server, &textured);
    assert_eq!(file["images"].as_array().unwrap().len(), 1);
    let names = hunyuan.bodies();
    assert!(
        names
            .iter()
            .all(|body| body.as_object().unwrap().len() == 1)
    );
}

#[test]
fn a_failed_texture_of_21_is_said_to_be_missing() {
    let scenario = Scenario {
        is_21: true,
        untextured: true,
        unreadable: true,
        ..Default::default()
    };
    let hunyuan = Hunyuan::start(scenario);
    let gateway = in_front_of(&hunyuan, "");
    let session = gateway
        .server
        .end_of(&gateway.create(json!({"generate_texture": true})));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], json!(["generate_texture"]));
}

#[test]
fn a_file_that_is_still_being_written_is_waited_for() {
    let hunyuan = Hunyuan::start(Scenario {
        in_place: true,
        ..Default::default()
    });
    let gateway = in_front_of(&hunyuan, "");
    let session = gateway.server.end_of(&gateway.create(json!({})));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(
        hunyuan.state.lock().unwrap().polls.values().sum::<usize>(),
        4
    );
}

#[test]
fn a_job_that_died_or_was_forgotten_ends_at_the_deadline() {
    let dies = Scenario {
        dies_in_shape: true,
        ..Default::default()
    };
    let dies_late = Scenario {
        is_21: true,
        dies_in_texture: true,
        ..Default::default()
    };
    let forgets = Scenario {
        forgets: true,
        ..Default::default()
    };
    for (scenario, words) in [
        (dies, "making the shape"),
        (dies_late, "making the texture"),
        (forgets, "making the shape"),
    ] {
        let hunyuan = Hunyuan::start(scenario);
        let gateway = in_front_of(&hunyuan, "deadline = 1\n");
        let session = gateway.server.end_of(&gateway.create(json!({})));
        assert_eq!(session["status"], "preview_failed");
        let error = session["error"].as_str().unwrap();
        assert!(
            error.contains("no model after 1 s") && error.contains(words),
            "{error}"
        );
        assert!(!error.contains("charged"), "{error}");
    }
}

#[test]
fn what_is_no_model_is_named() {
    for (file, words) in [
        (&b"PK\x03\x04 and so on"[..], "a ZIP archive"),
        (b"Kaydara FBX Binary  \x00", "an FBX file"),
        (b"# Blender\nv 1 2 3\nf 1 1 1\n", "an OBJ"),
        (b"<html>", "HTML"),
    ] {
        let hunyuan = Hunyuan::start(Scenario {
            impostor: Some(file),
            ..Default::default()
        });
        let gateway = in_front_of(&hunyuan, "");
        let session = gateway.server.end_of(&gateway.create(json!({})));
        assert_eq!(session["status"], "preview_failed");
        assert!(
            session["error"].as_str().unwrap().contains(words),
            "{session}"
        );
    }
}

#[test]
fn one_job_comes_after_the_other() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = in_front_of(&hunyuan, "");
    let codes: Vec<_> = (0..4).map(|_| gateway.create(json!({}))).collect();
    for code in codes {
        assert_eq!(gateway.server.end_of(&code)["status"], "preview_done");
    }
    let state = hunyuan.state.lock().unwrap();
    assert_eq!((state.sent, state.most_at_once), (4, 1));
}

#[test]
fn the_refinement_asks_for_no_second_model() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = in_front_of(&hunyuan, "");
    let session = gateway
        .server
        .end_of(&gateway.create(json!({"auto_refine": true})));
    assert_eq!(session["status"], "refine_done", "{session}");
    assert_eq!(session["unsupported"], json!(["auto_refine"]));
    assert_eq!(hunyuan.sent(), 1);
}

#[test]
fn a_server_that_cannot_begin_ends_the_session() {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        cannot_start: true,
        ..Default::default()
    });
    let gateway = in_front_of(&hunyuan, "");
    let session = gateway.server.end_of(&gateway.create(json!({})));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(error.contains("Failed to start generation"), "{error}");
}

#[test]
fn a_caller_chooses_among_the_engines() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = in_front_of(&hunyuan, "");
    let session = gateway
        .server
        .end_of(&gateway.create(json!({"engine": "sculpt"})));
    assert_eq!((&session["engine"], hunyuan.sent()), (&json!("sculpt"), 0));
    let mut other = body(&picture());
    other["engine"] = json!("magic");
    let refused = gateway.server.post(SESSIONS, "", &other).unwrap();
    assert_eq!(refused.status, 400);
    let words = refused.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(words, "engine: came \"magic\", allowed: hunyuan, sculpt");
}

#[test]
fn a_server_that_is_away_is_waited_for_and_then_given_up() {
    let hunyuan = Hunyuan {
        // Nobody listens there.
        host: "127.0.0.1:9".into(),
        state: Arc::default(),
    };
    let gateway = in_front_of(&hunyuan, "deadline = 0.5\n");
    let session = gateway.server.end_of(&gateway.create(json!({})));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(error.contains("took no job"), "{error}");
}

#[test]
fn a_restart_goes_on_with_the_job() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let mut gateway = in_front_of(&hunyuan, "poll = 3\n");
    let code = gateway.create(json!({}));
    // The next look is three seconds away.
    gateway.until_followed(&code);
    gateway.again(|| {});
    assert_eq!(gateway.server.end_of(&code)["status"], "preview_done");
    assert_eq!(hunyuan.sent(), 1);
}

/// [A] While it makes a model for somebody who waits, it answers nobody.
#[test]
fn a_server_that_is_busy_for_somebody_else_is_waited_for() {
    let waited_for = |host: String| {
        let body = json!({"image": STANDARD.encode_to_string(picture())}).to_string();
        let answer = exchange(&host, &post("/generate", "", body.as_bytes())).unwrap();
        assert!(answer.status == 200 && answer.body.starts_with(b"glTF"));
        assert!(answer.head.contains("text/plain"), "{}", answer.head);
    };
    let pause = || std::thread::sleep(Duration::from_millis(60));
    for own in ["timeout = 0.6\n", "timeout = 0.6\ndialect = \"2.0\"\n"] {
        let hunyuan = Hunyuan::start(Scenario::default());
        let gateway = in_front_of(&hunyuan, own);
        let other = || {
            let host = hunyuan.host.clone();
            std::thread::spawn(move || waited_for(host))
        };
        // Before it is asked, and while it makes the model.
        let first = other();
        pause();
        let code = gateway.create(json!({}));
        until(|| hunyuan.sent() == 1);
        let second = other();
        let session = gateway.server.end_of(&code);
        assert_eq!(session["status"], "preview_done", "{session}");
        assert_eq!(hunyuan.sent(), 1);
        first.join().unwrap();
        second.join().unwrap();
    }
}

/// What the server takes care never to meet, the emulator has nevertheless.
#[test]
fn the_emulated_servers_are_as_strict_as_the_real_ones() {
    for is_21 in [false, true] {
        let hunyuan = Hunyuan::start(Scenario {
            is_21,
            untextured: true,
            ..Default::default()
        });
        let ask = |request: &[u8]| exchange(&hunyuan.host, request).unwrap();
        let send = |path: &str, body: Value| ask(&post(path, "", body.to_string().as_bytes()));
        let health = ask(&get("/health"));
        assert_eq!(health.status, if is_21 { 200 } else { 404 });
        for media_type in ["image/png", "image/jpeg", "image/webp"] {
            let picture = STANDARD.encode_to_string(picture());
            let image = json!({"image": format!("data:{media_type};base64,{picture}")});
            let refused = send("/generate", image.clone());
            assert_eq!(
                (refused.status, &refused.json()["error_code"]),
                (404, &json!(1))
            );
            let uid = send("/send", image).json()["uid"].take();
            std::thread::sleep(Duration::from_millis(400));
            let status = ask(&get(&format!("/status/{}", uid.as_str().unwrap())));
            assert_eq!(status.json(), json!({"status": "processing"}));
        }
        let unknown = ask(&get("/status/nobody"));
        assert_eq!(unknown.json(), json!({"status": "processing"}));
        let image = STANDARD.encode_to_string(picture());
        let large = send("/send", json!({"image": image, "octree_resolution": 4096}));
        assert_eq!(large.status, if is_21 { 422 } else { 200 });
        // [A] Without a texture, and 200 all the same.
        let made = send("/generate", json!({"image": image, "texture": true}));
        assert_eq!(
            (made.status, &gltf(&made.body)["images"]),
            (200, &Value::Null)
        );
    }
}

#[test]
fn a_check_spends_nothing_and_says_what_is_missing() {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        ..Default::default()
    });
    let check = |engine: &str| {
        let output = command()
            .args(["--check", "--engine", engine])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.success(),
            said + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (fine, said) = check(&format!("hunyuan=http://{}", hunyuan.host));
    assert!(fine && said.contains("Hunyuan3D-2.1 answers"), "{said}");
    assert_eq!(hunyuan.sent(), 0);
    let (fine, said) = check("hunyuan=http://127.0.0.1:9");
    assert!(!fine && said.contains("MISSING  hunyuan"), "{said}");
    let (fine, said) = check("magic");
    assert!(
        !fine && said.contains("there is no engine \"magic\""),
        "{said}"
    );
}
