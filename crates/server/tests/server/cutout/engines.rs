//! What the engines receive.

use base64_simd::STANDARD;
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use serde_json::{Value, json};

use crate::emulators::hosted::{Emulator, Engine, KEY, Scenario};
use crate::emulators::hunyuan::{Hunyuan, Scenario as HunyuanScenario};
use crate::support::gateway::Gateway;

/// Returns the image in a field of a request, and whether its background is transparent.
fn received(field: &Value) -> (DynamicImage, bool) {
    let text = field.as_str().unwrap();
    let file = STANDARD.decode_to_vec(text.rsplit(',').next().unwrap());
    let image = image::load_from_memory(&file.unwrap()).unwrap();
    let rgba = image.to_rgba8();
    let opacity = |x: u32, y: u32| rgba.get_pixel(x, y)[3];
    let [middle, corner] = [opacity(rgba.width() / 2, rgba.height() / 2), opacity(1, 1)];
    assert!(middle > 200, "the object is transparent");
    assert!(corner < 50 || corner == 255);
    (image, corner < 50)
}

/// A mask of the middle of an image of 96 × 64 pixels.
fn mask() -> Value {
    let mask = GrayImage::from_fn(96, 64, |x, y| {
        Luma([if (32..64).contains(&x) && (16..48).contains(&y) {
            255
        } else {
            0
        }])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    mask.write_to(&mut png, ImageFormat::Png).unwrap();
    let base64 = STANDARD.encode_to_string(png.into_inner());
    json!(format!("data:image/png;base64,{base64}"))
}

#[test]
fn hunyuan_receives_the_object_without_its_background() {
    let hunyuan = Hunyuan::start(HunyuanScenario::default());
    let shared = hunyuan.clone();
    let config = hunyuan.config("");
    let gateway = Gateway::start(&config, Vec::new(), &[], move || shared.images());
    let session = gateway.create_and_wait(json!({"cutout": null}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["cutout"]["method"], "network", "{session}");
    let bodies = hunyuan.bodies();
    let (image, is_cut_out) = received(&bodies[0]["image"]);
    assert_eq!((image.width(), image.height(), is_cut_out), (96, 64, true));
}

fn assert_hosted_engine_receives(engine: Engine, field: &str) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let shared = emulator.clone();
    let gateway = Gateway::start(
        &emulator.config(""),
        vec![(engine.key_variable(), KEY.into())],
        &[],
        move || shared.billed_images(),
    );
    for (parameters, method) in [
        (json!({"cutout": null}), Value::Null),
        (json!({"cutout": "keep"}), Value::Null),
        (json!({"cutout": "network"}), json!("network")),
        (json!({"mask_url": mask()}), json!("mask")),
    ] {
        let session = gateway.create_and_wait(parameters);
        assert_eq!(session["status"], "preview_done", "{session}");
        assert_eq!(session["cutout"]["method"], method, "{session}");
        let bodies = emulator.bodies();
        let (_, is_cut_out) = received(&bodies.last().unwrap()[field]);
        assert_eq!(is_cut_out, method != Value::Null, "{session}");
    }
}

#[test]
fn fal_receives_the_whole_image_unless_the_caller_chooses() {
    assert_hosted_engine_receives(Engine::Fal, "input_image_url");
}

#[test]
fn meshy_receives_the_whole_image_unless_the_caller_chooses() {
    assert_hosted_engine_receives(Engine::Meshy, "image_url");
}
