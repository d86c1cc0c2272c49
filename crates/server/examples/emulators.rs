//! The engines elsewhere, emulated: the demo page is tested against them, and so can anything be
//! that is to meet them without a key, a bill or a graphics card.
//!
//! `cargo run --package csm-image-to-3d-server --example emulators` prints one line of JSON: for each
//! engine where it is and where its results come from, the `key` that they take, and the `ledger`.
//! They live until the standard input ends. The ledger is no part of any engine: `GET /` answers how
//! many models each would have billed, and `GET /model.glb` the model that all of them make.

#[path = "../tests/server/emulators/mod.rs"]
mod emulators;

use std::io;

use emulators::Reply;
use emulators::hosted::{Emulator, Engine, KEY, Nasty};
use emulators::hunyuan::{Hunyuan, Scenario};
use serde_json::json;

fn main() -> io::Result<()> {
    let hunyuan = Hunyuan::start(Scenario {
        is_21: true,
        ..Default::default()
    });
    let fal = Emulator::start(Engine::Fal, Nasty::Nothing);
    let meshy = Emulator::start(Engine::Meshy, Nasty::Nothing);
    // It begins a model, and nobody learns of it.
    let lossy = Emulator::start(Engine::Fal, Nasty::SubmitAnswers(502));
    let place = |emulator: &Emulator| json!({"url": format!("http://{}", emulator.host), "files": emulator.files});
    let mut said = json!({
        "key": KEY,
        "hunyuan": {"url": format!("http://{}", hunyuan.host)},
        "fal": place(&fal),
        "meshy": place(&meshy),
        "lossy": place(&lossy),
    });
    let ledger = emulators::serve(move |request| match request.path.as_str() {
        "/" => Reply::json(
            200,
            json!({
                "hunyuan": hunyuan.sent(),
                "fal": fal.billed(),
                "meshy": meshy.billed(),
                "lossy": lossy.billed(),
            }),
        ),
        "/model.glb" => Reply::bytes(emulators::model()),
        _ => Reply::text(404, "there are / and /model.glb"),
    });
    said["ledger"] = format!("http://{ledger}").into();
    println!("{said}");
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}
