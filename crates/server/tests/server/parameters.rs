//! What becomes of each of the API's parameters with each engine: the engine does it, or it is done
//! to the file, or it is named in `unsupported`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Stdio;
use std::thread;

use crate::emulators::hosted::{Emulator, Engine, KEY, Nasty};
use crate::emulators::hunyuan::{Hunyuan, Scenario};
use crate::emulators::{gltf, model, picture};
use crate::support::*;
use api::image;
use base64_simd::STANDARD;
use sculpt::Format;
use serde_json::{Value, json};

/// The engines, as the table names them.
const ENGINES: [&str; 4] = ["Hunyuan3D-2.0", "Hunyuan3D-2.1", "fal", "Meshy"];

/// A parameter that is sent, and how its effect is told by the file that is served.
struct Row {
    name: &'static str,
    value: Value,
    /// What is sent with it, since it has no meaning alone.
    with: Value,
    shown: fn(&Measured) -> bool,
}

fn rows() -> Vec<Row> {
    let row = |name, value, shown| Row {
        name,
        value,
        with: json!({}),
        shown,
    };
    // What no file can show must be named.
    let nothing = |_: &Measured| false;
    let mut rows = vec![
        row("creativity", json!("highest"), nothing),
        row("generate_texture", json!(true), |file| file.texture > 0),
        row("auto_refine", json!(true), nothing),
        row("refine_speed", json!("fast"), nothing),
        row("preview_mesh", json!("turbo"), nothing),
        row("topology", json!("quads"), nothing),
        row("resolution", json!("low_poly"), |file| {
            (1_000..=10_000).contains(&file.faces)
        }),
        row("texture_resolution", json!(128), |file| file.texture == 128),
        row("scaled_bbox", json!([1, 2, 3]), |file| {
            near(file.size(), [1.0, 2.0, 3.0])
        }),
        row("pivot_point", json!([0, -0.5, 0.5]), |file| {
            let middle = (file.low[0] + file.high[0]) / 2.0;
            near([middle, file.low[1], file.high[2]], [0.0; 3])
        }),
    ];
    rows[7].with = json!({"generate_texture": true});
    rows
}

fn near(a: [f32; 3], b: [f32; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3)
}

/// What is found in a model.
struct Measured {
    low: [f32; 3],
    high: [f32; 3],
    faces: usize,
    /// The longest edge of all textures, in pixels; 0 without any.
    texture: u32,
}

impl Measured {
    /// By a model's GLB and its OBJ.
    fn of(glb: &[u8], obj: &str) -> Self {
        let mut measured = Self {
            low: [f32::INFINITY; 3],
            high: [f32::NEG_INFINITY; 3],
            faces: obj.lines().filter(|line| line.starts_with("f ")).count(),
            texture: 0,
        };
        for place in obj.lines().filter_map(|line| line.strip_prefix("v ")) {
            for (axis, number) in place.split(' ').enumerate() {
                let number: f32 = number.parse().unwrap();
                measured.low[axis] = measured.low[axis].min(number);
                measured.high[axis] = measured.high[axis].max(number);
            }
        }
        let json = gltf(glb);
        let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
        let bin = &glb[20 + length + 8..];
        for picture in json["images"].as_array().into_iter().flatten() {
            let view = &json["bufferViews"][picture["bufferView"].as_u64().unwrap() as usize];
            let number = |name: &str| view[name].as_u64().unwrap() as usize;
            let bytes = &bin[number("byteOffset")..][..number("byteLength")];
            let picture = image::load_from_memory(bytes).unwrap();
            measured.texture = picture.width().max(picture.height()).max(measured.texture);
        }
        measured
    }

    /// As the engine made it.
    fn raw(glb: &[u8]) -> Self {
        let obj = sculpt::convert(glb, Format::Obj).unwrap();
        Self::of(glb, &String::from_utf8(obj).unwrap())
    }

    fn size(&self) -> [f32; 3] {
        [0, 1, 2].map(|axis| self.high[axis] - self.low[axis])
    }
}

/// An emulated engine, and the server in front of it.
struct Bench {
    server: Server,
    _folder: tempfile::TempDir,
    /// What the engine was last asked.
    asked: Box<dyn Fn() -> Value>,
}

impl Bench {
    fn start(engine: &str) -> Self {
        let hunyuan = |scenario: Scenario| {
            let own = if scenario.enable_tex {
                "enable_tex = true"
            } else {
                ""
            };
            let hunyuan = Hunyuan::start(scenario);
            let config = format!(
                "default = \"hunyuan\"\n[engines.hunyuan]\nurl = \"http://{}\"\npoll = 0.03\n{own}\n",
                hunyuan.host
            );
            Self::of(&config, move || {
                let state = hunyuan.state.lock().unwrap();
                let last = state.jobs.iter().max_by_key(|(uid, _)| *uid);
                last.and_then(|(_, (_, body))| body.clone())
                    .unwrap_or_default()
            })
        };
        let hosted = |engine| {
            let emulator = Emulator::start(engine, Nasty::Nothing);
            Self::of(&emulator.config(""), move || {
                let state = emulator.state.lock().unwrap();
                state.bodies.last().cloned().unwrap_or_default()
            })
        };
        match engine {
            "Hunyuan3D-2.0" => hunyuan(Scenario {
                enable_tex: true,
                ..Default::default()
            }),
            "Hunyuan3D-2.1" => hunyuan(Scenario {
                is_21: true,
                ..Default::default()
            }),
            "fal" => hosted(Engine::Fal),
            _ => hosted(Engine::Meshy),
        }
    }

    fn of(config: &str, asked: impl Fn() -> Value + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, config).unwrap();
        let child = command()
            .args(["--port", "0", "--speed", "100", "--config"])
            .arg(file)
            .envs([("FAL_KEY", KEY), ("MESHY_API_KEY", KEY)])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            server: Server::of(child),
            _folder: folder,
            asked: Box::new(asked),
        }
    }

    /// A session with these parameters, to its end.
    fn made(&self, parameters: &Value) -> Made {
        let mut body = body(&picture());
        for (name, value) in parameters.as_object().unwrap() {
            body[name] = value.clone();
        }
        let created = self.server.post(SESSIONS, "", &body).unwrap();
        assert_eq!(created.status, 201, "{}", created.json());
        let code = code(&created.json()["data"]);
        if parameters["preview_mesh"] == "turbo" {
            let session = || self.server.get(&format!("{SESSIONS}/{code}")).json()["data"].take();
            while session()["status"] != "spin_generate_done" {
                thread::sleep(std::time::Duration::from_millis(20));
            }
            let path = format!("{SESSIONS}/get-3d/preview/{code}");
            let chosen = self
                .server
                .post(&path, "", &json!({"selected_spin_index": 0}));
            assert_eq!(chosen.unwrap().status, 200);
        }
        let session = self.server.end_of(&code);
        assert_eq!(
            session["session_status"], "complete",
            "{parameters}: {session}"
        );
        let named = session["unsupported"].as_array().into_iter().flatten();
        let file = |format: &str| {
            let file = self.server.get(&format!("/files/{code}/preview.{format}"));
            assert_eq!(file.status, 200, "{format}");
            file.body
        };
        let measured = Measured::of(&file("glb"), &String::from_utf8(file("obj")).unwrap());
        // The others are the same model.
        let stl = file("stl");
        let faces = u32::from_le_bytes(stl[80..84].try_into().unwrap());
        assert_eq!(faces as usize, measured.faces);
        let zip = file("zip");
        let is_inside = |name: &[u8]| zip.windows(name.len()).any(|bytes| bytes == name);
        assert!(is_inside(b"model.obj") && is_inside(b"model.mtl"));
        assert_eq!(is_inside(b"texture."), measured.texture > 0);
        let mut asked = (self.asked)();
        let asked = asked.as_object_mut().unwrap();
        let pictures: Vec<_> = ["image", "image_url", "input_image_url"]
            .iter()
            .filter_map(|name| asked.remove(*name))
            .collect();
        let [Value::String(picture)] = pictures.as_slice() else {
            panic!("{} pictures were sent", pictures.len());
        };
        let base64 = picture.rsplit(',').next().unwrap();
        image::load_from_memory(&STANDARD.decode_to_vec(base64).unwrap()).unwrap();
        Made {
            named: named
                .map(|name| name.as_str().unwrap().to_owned())
                .collect(),
            measured,
            asked: Value::Object(asked.clone()),
        }
    }
}

struct Made {
    named: BTreeSet<String>,
    measured: Measured,
    /// What the engine was asked beside the picture.
    asked: Value,
}

/// What becomes of each parameter with this engine.
fn column(engine: &str) -> Vec<String> {
    let bench = Bench::start(engine);
    let raw = Measured::raw(&model());
    let plain = bench.made(&json!({}));
    assert!(plain.named.is_empty(), "{engine}: {:?}", plain.named);
    assert_eq!(plain.measured.texture, 0);
    let mut cells = Vec::new();
    for row in rows() {
        let parameter = format!("{engine}: {}", row.name);
        let before = match row.with.as_object().unwrap().is_empty() {
            true => &plain,
            false => &bench.made(&row.with),
        };
        let mut sent = row.with.clone();
        sent[row.name] = row.value.clone();
        let made = bench.made(&sent);
        let is_named = made.named.contains(row.name);
        let is_shown = (row.shown)(&made.measured);
        assert!(
            !(row.shown)(&before.measured),
            "{parameter}: so it is without it, too"
        );
        assert!(is_named != is_shown, "{parameter}: {:?}", made.named);
        assert!(
            made.named.len() == usize::from(is_named),
            "{:?}",
            made.named
        );
        let fields = made.asked.as_object().unwrap();
        let mut asked = String::new();
        for (name, value) in fields
            .iter()
            .filter(|(name, value)| before.asked[name] != **value)
        {
            let and = if asked.is_empty() { "" } else { ", " };
            write!(asked, "{and}`{name}: {value}`").unwrap();
        }
        // What the engine's own file shows was not done here.
        let outcome = match is_named {
            true => "named",
            false if (row.shown)(&raw) => "the engine",
            false => "here",
        };
        cells.push(match asked.is_empty() {
            true => outcome.to_owned(),
            false => format!("{outcome}; asked {asked}"),
        });
    }
    cells
}

#[test]
fn every_parameter_has_its_effect_or_is_named() {
    let named: Vec<_> = rows().iter().map(|row| row.name).collect();
    assert_eq!(named, api::Parameters::NAMES);
    let columns = ENGINES.map(|engine| thread::spawn(move || column(engine)));
    let columns = columns.map(|column| column.join().unwrap());
    let mut table = format!("| parameter | {} |\n", ENGINES.join(" | "));
    table.push_str(&format!("|{}\n", " --- |".repeat(1 + ENGINES.len())));
    for (at, row) in rows().iter().enumerate() {
        let cells = columns.each_ref().map(|column| column[at].as_str());
        let (name, value) = (row.name, &row.value);
        writeln!(table, "| `{name}: {value}` | {} |", cells.join(" | ")).unwrap();
    }
    println!("{table}");
    let page = include_str!("../../../../docs/parameters.md");
    assert!(page.contains(&table), "docs/parameters.md has another table");
}
