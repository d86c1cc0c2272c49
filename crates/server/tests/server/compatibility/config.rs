//! A configuration with every key of version 0.1.0.

use std::fs;

use serde_json::{Value, json};

use super::harness::{Folder, SHOP, fixture};
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::emulators::hunyuan::{self, Hunyuan};
use crate::emulators::samples::disc_png;
use crate::support::{
    Response, SESSIONS, Server, create_body, exchange, post, session_code, wait_until,
};

/// Emulators of all engines, and a folder whose `config.toml` has their addresses.
struct Setup {
    hunyuan: Hunyuan,
    fal: Emulator,
    meshy: Emulator,
    folder: Folder,
}

impl Setup {
    fn new() -> Self {
        Self::with_scenarios(hunyuan::Scenario::default(), Scenario::Normal)
    }

    fn with_scenarios(hunyuan: hunyuan::Scenario, hosted: Scenario) -> Self {
        let setup = Self {
            hunyuan: Hunyuan::start(hunyuan::Scenario {
                enable_tex: true,
                ..hunyuan
            }),
            fal: Emulator::start(Engine::Fal, hosted),
            meshy: Emulator::start(Engine::Meshy, hosted),
            folder: Folder::new(),
        };
        setup.write_config(|config| config);
        setup
    }

    /// Writes the fixture after `change`, with the addresses of the emulators.
    fn write_config(&self, change: impl Fn(String) -> String) {
        let config = fs::read_to_string(fixture("config-0.1.0.toml")).unwrap();
        let config = change(config)
            // Meshy has retired the version since.
            .replace("meshy-5", "meshy-6")
            .replace("hunyuan.example", &self.hunyuan.host)
            .replace("fal-files.example", &self.fal.file_host)
            .replace("fal-backup.example", "127.0.0.1:9")
            .replace("fal.example", &self.fal.host)
            .replace("meshy-files.example", &self.meshy.file_host)
            .replace("meshy.example", &self.meshy.host);
        self.folder.write_config(&config);
    }

    fn start_server(&self) -> Server {
        self.folder.start_server(&["--config", "config.toml"])
    }
}

/// Creates a session as the client `shop`, with these headers.
fn create(server: &Server, parameters: Value, headers: &str) -> Response {
    let mut body = create_body(&disc_png());
    for (name, value) in parameters.as_object().unwrap() {
        body[name] = value.clone();
    }
    let headers = format!("x-api-key: {SHOP}\r\n{headers}");
    let request = post(SESSIONS, &headers, body.to_string().as_bytes());
    exchange(&server.host, &request).unwrap()
}

/// Runs a session of the client `shop` until its end.
fn run(server: &Server, parameters: Value) -> Value {
    let created = create(server, parameters, "").json();
    let path = format!("{SESSIONS}/{}", session_code(&created["data"]));
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {SHOP}\r\n\r\n"
    );
    let poll = || {
        let response = exchange(&server.host, request.as_bytes()).unwrap();
        response.json()["data"].take()
    };
    wait_until(|| {
        ["complete", "failed"]
            .iter()
            .any(|end| poll()["session_status"] == *end)
    });
    poll()
}

#[test]
fn check_finds_every_engine_ready() {
    let setup = Setup::new();
    let flags = ["--check", "--config", "config.toml"];
    let output = setup.folder.command(&flags).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    for line in [
        "ready    hunyuan (default): ",
        "ready    fal: ",
        "ready    meshy: ",
        "ready    sculpt: ",
    ] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
}

#[test]
fn default_engine_makes_textured_models() {
    let setup = Setup::new();
    let server = setup.start_server();
    let session = run(&server, json!({"generate_texture": true}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["engine"], "hunyuan");
    // `enable_tex` is honoured.
    assert_eq!(session["unsupported"], Value::Null);
}

#[test]
fn fal_model_receives_its_fields() {
    let setup = Setup::new();
    let server = setup.start_server();
    let session = run(&server, json!({"engine": "fal"}));
    assert_eq!(session["status"], "preview_done", "{session}");
    let body = setup.fal.bodies().remove(0);
    assert_eq!(body["steps"], 7);
    assert_eq!(body["image_urls"].as_array().unwrap().len(), 1);
}

#[test]
fn fal_backup_url_is_used() {
    let setup = Setup::new();
    setup.write_config(|config| {
        config
            .replace("\"http://fal.example\"", "\"http://127.0.0.1:9\"")
            .replace("fal-backup.example", &setup.fal.host)
    });
    let server = setup.start_server();
    let session = run(&server, json!({"engine": "fal"}));
    assert_eq!(session["status"], "preview_done", "{session}");
}

#[test]
fn meshy_receives_its_model() {
    let setup = Setup::new();
    let server = setup.start_server();
    let session = run(&server, json!({"engine": "meshy"}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(setup.meshy.bodies().remove(0)["ai_model"], "meshy-6");
}

#[test]
fn unlisted_origin_is_rejected() {
    let setup = Setup::new();
    let server = setup.start_server();
    let status = |origin: &str| {
        let headers = format!("origin: {origin}\r\n");
        create(&server, json!({"engine": "sculpt"}), &headers).status
    };
    assert_eq!(status("https://shop.example"), 201);
    assert_eq!(status("https://evil.example"), 403);
}

/// Checks that `limit` of `limit + 1` sessions run, if the engine never finishes.
fn assert_concurrent_jobs(engine: &str, limit: usize, change: impl Fn(String) -> String) {
    let hunyuan = hunyuan::Scenario {
        dies_in_shape: true,
        ..hunyuan::Scenario::default()
    };
    let setup = Setup::with_scenarios(hunyuan, Scenario::NeverFinishes);
    setup.write_config(change);
    let server = setup.start_server();
    for _ in 0..=limit {
        create(&server, json!({"engine": engine}), "");
    }
    let submits = || match engine {
        "hunyuan" => setup.hunyuan.submits(),
        "fal" => setup.fal.submits(),
        _ => setup.meshy.submits(),
    };
    wait_until(|| submits() == limit);
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    for line in [
        format!("image_to_3d_jobs{{engine=\"{engine}\",state=\"running\"}} {limit}\n"),
        format!("image_to_3d_jobs{{engine=\"{engine}\",state=\"waiting\"}} 1\n"),
    ] {
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[test]
fn at_once_limits_the_jobs_of_hunyuan() {
    assert_concurrent_jobs("hunyuan", 2, |config| config);
}

#[test]
fn at_once_limits_the_jobs_of_fal() {
    assert_concurrent_jobs("fal", 1, |config| config);
}

#[test]
fn at_once_limits_the_jobs_of_meshy() {
    assert_concurrent_jobs("meshy", 1, |config| config);
}

/// The present name of the key.
#[test]
fn max_concurrent_limits_the_jobs_as_at_once_did() {
    assert_concurrent_jobs("hunyuan", 2, |config| {
        config.replace("at_once", "max_concurrent")
    });
}
