//! Hunyuan3D's `api_server.py`, both dialects, emulated with its faults.

use std::thread;
use std::time::Duration;

use api::image;
use base64_simd::STANDARD;
use serde_json::{Value, json};

use crate::emulators::hunyuan::{Dialect, Hunyuan, Scenario};
use crate::emulators::samples::{disc_png, gltf_json};
use crate::support::gateway::Gateway;
use crate::support::*;

/// Starts a server whose default engine is the emulator. `extra` is added to the engine's table.
fn start_gateway(hunyuan: &Hunyuan, extra: &str) -> Gateway {
    let shared = hunyuan.clone();
    Gateway::start(&hunyuan.config(extra), Vec::new(), &[], move || {
        shared.images()
    })
}

/// Downloads the model of a session and returns its glTF JSON.
fn download_gltf(server: &Server, session: &Value) -> Value {
    let file = server.get(&format!("/files/{}/preview.glb", session_code(session)));
    assert_eq!(file.status, 200);
    assert!(file.head.contains("access-control-allow-origin: *"));
    gltf_json(&file.body)
}

#[test]
fn v20_receives_the_supported_parameters() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(
        json!({"resolution": "low_poly", "topology": "quads", "creativity": "highest"}),
    );
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["engine"], "hunyuan");
    assert_eq!(session["unsupported"], json!(["creativity", "topology"]));
    let body = &hunyuan.bodies()[0];
    assert_eq!(
        (&body["octree_resolution"], &body["texture"]),
        (&json!(128), &json!(false))
    );
}

#[test]
fn v20_receives_the_image_without_its_background_as_base64() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    gateway.create_and_wait(json!({"cutout": "background"}));
    let body = &hunyuan.bodies()[0];
    let png = STANDARD.decode_to_vec(body["image"].as_str().unwrap());
    let image = image::load_from_memory(&png.unwrap()).unwrap().to_rgba8();
    assert_eq!(
        (image.get_pixel(1, 1)[3], image.get_pixel(48, 32)[3]),
        (0, 255)
    );
}

#[test]
fn v20_without_enable_tex_reports_textures_as_unsupported() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({"generate_texture": true}));
    assert_eq!(session["unsupported"], json!(["generate_texture"]));
}

#[test]
fn v21_is_detected_by_its_health_and_receives_only_the_image() {
    let hunyuan = Hunyuan::start(Scenario::v21());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({"resolution": "low_poly"}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], Value::Null);
    gateway.create_and_wait(json!({"generate_texture": true}));
    let bodies = hunyuan.bodies();
    assert_eq!(bodies.len(), 2);
    for body in bodies {
        assert_eq!(body.as_object().unwrap().len(), 1);
    }
}

#[test]
fn v21_texture_is_removed_unless_requested() {
    let hunyuan = Hunyuan::start(Scenario::v21());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({"resolution": "low_poly"}));
    let gltf = download_gltf(&gateway.server, &session);
    assert_eq!(gltf["images"], Value::Null);
}

#[test]
fn v21_model_is_adapted_to_texture_size_and_bounding_box() {
    let hunyuan = Hunyuan::start(Scenario::v21());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(
        json!({"generate_texture": true, "texture_resolution": 128, "scaled_bbox": [1, 2, 3]}),
    );
    assert_eq!(session["unsupported"], Value::Null, "{session}");
    let gltf = download_gltf(&gateway.server, &session);
    assert_eq!(gltf["images"].as_array().unwrap().len(), 1);
}

#[test]
fn v21_failed_texture_is_reported_as_unsupported() {
    let hunyuan = Hunyuan::start(Scenario {
        texturing_fails: true,
        file_unreadable_once: true,
        ..Scenario::v21()
    });
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({"generate_texture": true}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], json!(["generate_texture"]));
}

#[test]
fn incomplete_file_is_polled_until_it_is_complete() {
    let hunyuan = Hunyuan::start(Scenario {
        writes_in_place: true,
        ..Scenario::default()
    });
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(hunyuan.polls(), 4);
}

/// Checks that the session fails at a deadline of 1 s, in this stage.
fn assert_fails_at_deadline(scenario: Scenario, stage: &str) {
    let hunyuan = Hunyuan::start(scenario);
    let gateway = start_gateway(&hunyuan, "deadline = 1\n");
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(
        error.contains("the job was not done after 1 s") && error.contains(stage),
        "{error}"
    );
    assert!(!error.contains("charged"), "{error}");
    assert_eq!(hunyuan.submits(), 1);
}

#[test]
fn job_that_dies_in_the_shape_fails_at_the_deadline() {
    let scenario = Scenario {
        dies_in_shape: true,
        ..Scenario::default()
    };
    assert_fails_at_deadline(scenario, "generating the shape");
}

#[test]
fn job_that_dies_in_the_texture_fails_at_the_deadline() {
    let scenario = Scenario {
        dies_in_texture: true,
        ..Scenario::v21()
    };
    assert_fails_at_deadline(scenario, "generating the texture");
}

#[test]
fn job_lost_by_a_restart_of_the_engine_fails_at_the_deadline() {
    let scenario = Scenario {
        restarts: true,
        ..Scenario::default()
    };
    assert_fails_at_deadline(scenario, "generating the shape");
}

/// Checks that a session fails if the engine returns this file.
fn assert_file_rejected(file: &'static [u8], expected: &str) {
    let hunyuan = Hunyuan::start(Scenario {
        wrong_file: Some(file),
        ..Scenario::default()
    });
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(session["status"], "preview_failed");
    assert!(
        session["error"].as_str().unwrap().contains(expected),
        "{session}"
    );
    assert_eq!(hunyuan.submits(), 1);
}

#[test]
fn zip_file_fails() {
    assert_file_rejected(b"PK\x03\x04 and so on", "a ZIP archive");
}

#[test]
fn fbx_file_fails() {
    assert_file_rejected(b"Kaydara FBX Binary  \x00", "an FBX file");
}

#[test]
fn obj_file_fails() {
    assert_file_rejected(b"# Blender\nv 1 2 3\nf 1 1 1\n", "an OBJ");
}

#[test]
fn html_file_fails() {
    assert_file_rejected(b"<html>", "HTML");
}

#[test]
fn jobs_run_one_at_a_time() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    let codes: Vec<_> = (0..4).map(|_| gateway.create(json!({}))).collect();
    for code in codes {
        assert_eq!(gateway.server.wait_for_end(&code)["status"], "preview_done");
    }
    assert_eq!((hunyuan.submits(), hunyuan.max_concurrent()), (4, 1));
}

#[test]
fn refinement_requests_no_second_model() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({"auto_refine": true}));
    assert_eq!(session["status"], "refine_done", "{session}");
    assert_eq!(session["unsupported"], json!(["auto_refine"]));
    assert_eq!(hunyuan.submits(), 1);
}

#[test]
fn v21_that_cannot_start_a_thread_fails_the_session() {
    let hunyuan = Hunyuan::start(Scenario {
        cannot_start_thread: true,
        ..Scenario::v21()
    });
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(error.contains("Failed to start generation"), "{error}");
    assert_eq!(hunyuan.submits(), 0);
}

#[test]
fn caller_selects_the_engine() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    let session = gateway.create_and_wait(json!({"engine": "sculpt"}));
    assert_eq!(
        (&session["engine"], hunyuan.submits()),
        (&json!("sculpt"), 0)
    );
}

#[test]
fn unknown_engine_is_rejected() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, "");
    let mut body = create_body(&disc_png());
    body["engine"] = json!("magic");
    let response = gateway.server.post(SESSIONS, "", &body).unwrap();
    assert_eq!(response.status, 400);
    assert_eq!(
        response.message(),
        "Invalid engine \"magic\": expected \"hunyuan\" or \"sculpt\""
    );
}

#[test]
fn unreachable_engine_fails_the_session_at_the_deadline() {
    let hunyuan = Hunyuan::unreachable();
    let gateway = start_gateway(&hunyuan, "deadline = 0.5\n");
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(session["status"], "preview_failed");
    let error = session["error"].as_str().unwrap();
    assert!(
        error.contains("no job was accepted for 0.5 s, and nothing was charged"),
        "{error}"
    );
    assert_eq!(hunyuan.submits(), 0);
}

#[test]
fn job_resumes_after_a_restart() {
    let hunyuan = Hunyuan::start(Scenario::default());
    let mut gateway = start_gateway(&hunyuan, "poll = 3\n");
    let code = gateway.create(json!({}));
    // The next poll would be 3 s later.
    gateway.wait_until_submitted(&code);
    gateway.kill_and_restart(|| {});
    assert_eq!(gateway.server.wait_for_end(&code)["status"], "preview_done");
    assert_eq!(hunyuan.submits(), 1);
}

/// [A] While `/generate` makes a model for another client, no other request gets a response.
fn assert_waits_for_busy_engine(extra: &str) {
    let hunyuan = Hunyuan::start(Scenario::default());
    let gateway = start_gateway(&hunyuan, extra);
    let occupy = || {
        let host = hunyuan.host.clone();
        thread::spawn(move || {
            let body = json!({"image": STANDARD.encode_to_string(disc_png())}).to_string();
            let response = exchange(&host, &post("/generate", "", body.as_bytes())).unwrap();
            assert!(response.status == 200 && response.body.starts_with(b"glTF"));
            assert!(response.head.contains("text/plain"), "{}", response.head);
        })
    };
    // Once before the submit, and once during the job.
    let first = occupy();
    thread::sleep(Duration::from_millis(60));
    let code = gateway.create(json!({}));
    wait_until(|| hunyuan.submits() == 1);
    let second = occupy();
    let session = gateway.server.wait_for_end(&code);
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(hunyuan.submits(), 1);
    first.join().unwrap();
    second.join().unwrap();
}

#[test]
fn busy_engine_of_unknown_dialect_is_retried() {
    assert_waits_for_busy_engine("timeout = 0.6\n");
}

#[test]
fn busy_engine_of_configured_dialect_is_retried() {
    assert_waits_for_busy_engine("timeout = 0.6\ndialect = \"2.0\"\n");
}

/// Runs `--check` with this engine. Returns whether it succeeded, and its output.
fn check(engine: &str) -> (bool, String) {
    let output = command()
        .args(["--check", "--engine", engine])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn check_reports_the_dialect_without_a_job() {
    let hunyuan = Hunyuan::start(Scenario::v21());
    let (is_ok, output) = check(&format!("hunyuan=http://{}", hunyuan.host));
    assert!(
        is_ok && output.contains("Hunyuan3D-2.1 reachable"),
        "{output}"
    );
    assert_eq!(hunyuan.submits(), 0);
}

#[test]
fn check_reports_an_unreachable_engine() {
    let (is_ok, output) = check("hunyuan=http://127.0.0.1:9");
    assert!(!is_ok && output.contains("MISSING  hunyuan"), "{output}");
}

#[test]
fn check_reports_an_unknown_engine() {
    let (is_ok, output) = check("magic");
    assert!(
        !is_ok && output.contains("Invalid engine \"magic\": expected \"sculpt\""),
        "{output}"
    );
}

/// The emulator rejects what the real servers reject, including requests that this server does not
/// send.
mod emulator {
    use super::*;

    fn start(dialect: Dialect) -> Hunyuan {
        Hunyuan::start(Scenario {
            dialect,
            texturing_fails: true,
            ..Scenario::default()
        })
    }

    fn send(hunyuan: &Hunyuan, path: &str, body: Value) -> Response {
        let request = post(path, "", body.to_string().as_bytes());
        exchange(&hunyuan.host, &request).unwrap()
    }

    #[test]
    fn only_v21_has_a_health_route() {
        for (dialect, status) in [(Dialect::V20, 404), (Dialect::V21, 200)] {
            let hunyuan = start(dialect);
            let health = exchange(&hunyuan.host, &get("/health")).unwrap();
            assert_eq!(health.status, status, "{dialect:?}");
        }
    }

    /// Checks that the image of a `data:` URL is decoded to garbage.
    fn assert_data_url_fails(dialect: Dialect, media_type: &str) {
        let hunyuan = start(dialect);
        let base64 = STANDARD.encode_to_string(disc_png());
        let image = json!({"image": format!("data:{media_type};base64,{base64}")});
        let rejected = send(&hunyuan, "/generate", image.clone());
        assert_eq!(
            (rejected.status, &rejected.json()["error_code"]),
            (404, &json!(1))
        );
        let uid = send(&hunyuan, "/send", image).json()["uid"].take();
        // Longer than a job takes.
        thread::sleep(Duration::from_millis(400));
        let path = format!("/status/{}", uid.as_str().unwrap());
        let status = exchange(&hunyuan.host, &get(&path)).unwrap();
        assert_eq!(status.json(), json!({"status": "processing"}));
    }

    #[test]
    fn v20_rejects_data_urls() {
        assert_data_url_fails(Dialect::V20, "image/png");
        assert_data_url_fails(Dialect::V20, "image/jpeg");
        assert_data_url_fails(Dialect::V20, "image/webp");
    }

    #[test]
    fn v21_rejects_data_urls() {
        assert_data_url_fails(Dialect::V21, "image/png");
        assert_data_url_fails(Dialect::V21, "image/jpeg");
        assert_data_url_fails(Dialect::V21, "image/webp");
    }

    #[test]
    fn unknown_job_is_processing() {
        for dialect in [Dialect::V20, Dialect::V21] {
            let hunyuan = start(dialect);
            let status = exchange(&hunyuan.host, &get("/status/nobody")).unwrap();
            assert_eq!(status.json(), json!({"status": "processing"}));
        }
    }

    #[test]
    fn only_v21_validates_parameters() {
        for (dialect, status) in [(Dialect::V20, 200), (Dialect::V21, 422)] {
            let image = STANDARD.encode_to_string(disc_png());
            let body = json!({"image": image, "octree_resolution": 4096});
            let response = send(&start(dialect), "/send", body);
            assert_eq!(response.status, status, "{dialect:?}");
        }
    }

    /// [A] The status is 200 nevertheless.
    #[test]
    fn failed_texture_returns_the_untextured_model() {
        for dialect in [Dialect::V20, Dialect::V21] {
            let image = STANDARD.encode_to_string(disc_png());
            let body = json!({"image": image, "texture": true});
            let response = send(&start(dialect), "/generate", body);
            assert_eq!(
                (response.status, &gltf_json(&response.body)["images"]),
                (200, &Value::Null)
            );
        }
    }
}
