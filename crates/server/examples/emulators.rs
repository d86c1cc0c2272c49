//! Emulators of the remote engines, to try or test a client without a key, a bill or a GPU.
//!
//! `cargo run --package csm-image-to-3d-server --example emulators` prints one line of JSON: for each
//! engine the `url` of its API and the host of its result `files` (ComfyUI: a `workflow`), the API `key`
//! that fal, Meshy and Tripo accept, and the URL `billing`. They run until the standard input ends.
//! `billing` is not part of an engine: its `GET /` returns the number of models that each engine would
//! have billed, and its `GET /model.glb` the model that all of them return.
//!
//! A job takes 0.2 seconds. An argument, `-- 1` for 4 seconds, sets the speed of the clocks of fal, Meshy,
//! Tripo and ComfyUI, so that a client sees the progress.

#[path = "../tests/server/emulators/mod.rs"]
mod emulators;

use std::{env, io};

use emulators::hosted::{self, Emulator, Engine, KEY, workflow_file};
use emulators::http::{Reply, serve};
use emulators::hunyuan::{self, Hunyuan};
use emulators::samples::textured_glb;
use serde_json::json;

fn main() -> io::Result<()> {
    let hunyuan = Hunyuan::start(hunyuan::Scenario::v21());
    let speed = env::args().nth(1).and_then(|speed| speed.parse().ok());
    let start = |engine| match speed {
        Some(speed) => Emulator::with_speed(speed, engine, hosted::Scenario::Normal),
        None => Emulator::start(engine, hosted::Scenario::Normal),
    };
    let [fal, meshy, tripo, comfyui] =
        [Engine::Fal, Engine::Meshy, Engine::Tripo, Engine::ComfyUi].map(start);
    // Starts each job, but a gateway hides its id.
    let lossy = Emulator::start(Engine::Fal, hosted::Scenario::SubmitReturns(502));
    let address = |emulator: &Emulator| json!({"url": format!("http://{}", emulator.host), "files": emulator.file_host});
    let mut addresses = json!({
        "key": KEY,
        "hunyuan": {"url": format!("http://{}", hunyuan.host)},
        "fal": address(&fal),
        "meshy": address(&meshy),
        "tripo": address(&tripo),
        "comfyui": {"url": format!("http://{}", comfyui.host), "workflow": workflow_file()},
        "lossy": address(&lossy),
    });
    let billing = serve(move |request| match request.path.as_str() {
        "/" => Reply::json(
            200,
            json!({
                "hunyuan": hunyuan.submits(),
                "fal": fal.billed_models(),
                "meshy": meshy.billed_models(),
                "tripo": tripo.billed_models(),
                "comfyui": comfyui.billed_models(),
                "lossy": lossy.billed_models(),
            }),
        ),
        "/model.glb" => Reply::bytes(textured_glb()),
        _ => Reply::text(404, "Not found. Available: / and /model.glb"),
    });
    addresses["billing"] = format!("http://{billing}").into();
    println!("{addresses}");
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}
