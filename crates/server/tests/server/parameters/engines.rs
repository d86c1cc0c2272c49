//! A server in front of each emulated engine, and the sessions that run on it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use api::image;
use base64_simd::STANDARD;
use serde_json::{Map, Value, json};

use super::measure::Measurements;
use crate::emulators::hosted::{self, Emulator, Engine, KEY};
use crate::emulators::hunyuan::{self, Hunyuan};
use crate::emulators::samples::disc_png;
use crate::support::{SESSIONS, Server, command, create_body, session_code, wait_until};

/// A completed session.
pub struct Session {
    /// The parameters that it lists as unsupported.
    pub unsupported: BTreeSet<String>,
    pub measurements: Measurements,
    /// The fields of the request to the engine, without the image.
    pub engine_request: Map<String, Value>,
}

pub struct TestServer {
    server: Server,
    _folder: tempfile::TempDir,
    /// Returns the body of the engine's last request for a model.
    last_engine_request: Box<dyn Fn() -> Value>,
}

impl TestServer {
    /// Starts an emulator and a server. `engine` is a column of the table.
    pub fn start(engine: &str) -> Self {
        match engine {
            "Hunyuan3D-2.0" => Self::with_hunyuan(
                hunyuan::Scenario {
                    enable_tex: true,
                    ..hunyuan::Scenario::default()
                },
                "enable_tex = true",
            ),
            "Hunyuan3D-2.1" => Self::with_hunyuan(hunyuan::Scenario::v21(), ""),
            "fal" => Self::with_hosted(Engine::Fal),
            "Meshy" => Self::with_hosted(Engine::Meshy),
            "Tripo" => Self::with_hosted(Engine::Tripo),
            "ComfyUI" => Self::with_comfyui(),
            _ => panic!("unknown engine {engine}"),
        }
    }

    fn with_hunyuan(scenario: hunyuan::Scenario, extra: &str) -> Self {
        let hunyuan = Hunyuan::start(scenario);
        let config = hunyuan.config(extra);
        Self::with_config(&config, move || hunyuan.bodies().pop().unwrap_or_default())
    }

    fn with_hosted(engine: Engine) -> Self {
        let emulator = Emulator::start(engine, hosted::Scenario::Normal);
        Self::with_config(&emulator.config(""), move || {
            emulator.bodies().pop().unwrap_or_default()
        })
    }

    /// The request is what the node with the placeholders receives, without the seed.
    fn with_comfyui() -> Self {
        let emulator = Emulator::start(Engine::ComfyUi, hosted::Scenario::Normal);
        Self::with_config(&emulator.config(""), move || {
            let body = emulator.bodies().pop().unwrap_or_default();
            let inputs = &body["prompt"]["2"]["inputs"];
            json!({"image": body["prompt"]["1"]["inputs"]["image"], "faces": inputs["faces"]})
        })
    }

    fn with_config(config: &str, last_engine_request: impl Fn() -> Value + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, config).unwrap();
        let child = command()
            .args(["--port", "0", "--speed", "100", "--config"])
            .arg(file)
            .envs(
                [Engine::Fal, Engine::Meshy, Engine::Tripo]
                    .map(|engine| (engine.key_variable(), KEY)),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            server: Server::from_child(child),
            _folder: folder,
            last_engine_request: Box::new(last_engine_request),
        }
    }

    /// Runs a session with these parameters until it is complete, and checks that its files hold
    /// the same model.
    pub fn run(&self, parameters: &Value) -> Session {
        let code = self.create(parameters);
        let session = self.server.wait_for_end(&code);
        assert_eq!(
            session["session_status"], "complete",
            "{parameters}: {session}"
        );
        let download = |format: &str| {
            let file = self.server.get(&format!("/files/{code}/preview.{format}"));
            assert_eq!(file.status, 200, "{format}");
            file.body
        };
        let obj = String::from_utf8(download("obj")).unwrap();
        let (glb, has_quads) = (download("glb"), Measurements::has_quads(&obj));
        // Only the OBJ file of the engine's service has quads, and it is another model than the GLB.
        let measurements = match has_quads {
            true => Measurements {
                has_quads,
                ..Measurements::of_glb(&glb)
            },
            false => Measurements::new(&glb, &obj),
        };
        let stl = download("stl");
        let faces = u32::from_le_bytes(stl[80..84].try_into().unwrap());
        assert_eq!(faces as usize, measurements.faces);
        let zip = download("zip");
        let contains = |name: &[u8]| zip.windows(name.len()).any(|bytes| bytes == name);
        assert!(contains(b"model.obj") && contains(b"model.mtl"));
        assert_eq!(contains(b"texture."), measurements.texture_size > 0);

        let unsupported = session["unsupported"].as_array().into_iter().flatten();
        Session {
            unsupported: unsupported
                .map(|name| name.as_str().unwrap().to_owned())
                .collect(),
            measurements,
            engine_request: self.engine_request(),
        }
    }

    /// Creates a session, selects a spin if it stops for one, and returns the session's code.
    fn create(&self, parameters: &Value) -> String {
        let mut body = create_body(&disc_png());
        for (name, value) in parameters.as_object().unwrap() {
            body[name] = value.clone();
        }
        let created = self.server.post(SESSIONS, "", &body).unwrap();
        assert_eq!(created.status, 201, "{}", created.json());
        let code = session_code(&created.json()["data"]);
        if parameters["preview_mesh"] == "turbo" {
            wait_until(|| self.server.session(&code)["status"] == "spin_generate_done");
            let path = format!("{SESSIONS}/get-3d/preview/{code}");
            let selection = json!({"selected_spin_index": 0});
            let response = self.server.post(&path, "", &selection).unwrap();
            assert_eq!(response.status, 200);
        }
        code
    }

    /// Returns the fields of the engine's last request, which must have exactly one image.
    fn engine_request(&self) -> Map<String, Value> {
        let Value::Object(mut fields) = (self.last_engine_request)() else {
            panic!("the engine received no JSON object");
        };
        let images: Vec<_> = ["image", "image_url", "input_image_url", "input"]
            .iter()
            .filter_map(|name| fields.remove(*name))
            .collect();
        let [Value::String(image)] = images.as_slice() else {
            panic!("the engine received {} images", images.len());
        };
        // Tripo and ComfyUI receive the name of an uploaded file.
        if image.starts_with("file_") || image.starts_with("in/") {
            return fields;
        }
        let base64 = image.rsplit(',').next().unwrap();
        image::load_from_memory(&STANDARD.decode_to_vec(base64).unwrap()).unwrap();
        fields
    }
}
