//! The object of an image is found by a segmentation network: the one in the program, or a file.

mod engines;
mod model;
mod onnx;
mod session;

use std::io::Cursor;

use image::{ImageFormat, Luma};
use serde_json::{Value, json};

use session::create;

use crate::support::{MIB, SESSIONS, Server, create_body, session_code};

/// Returns a photo of a cat that fills most of the image.
fn photo() -> Vec<u8> {
    include_bytes!("../../../../../tests/fixtures/cat.jpg").to_vec()
}

fn start() -> Server {
    Server::start(&["--speed", "100"])
}

#[test]
fn photo_with_a_busy_background_becomes_an_object() {
    let server = start();
    let code = create(&server, "image/jpeg", &photo());
    let session = server.wait_for_end(&code);
    let cutout = &session["cutout"];
    assert_eq!(cutout["method"], "network", "{session}");
    assert_eq!(cutout["shape"], "object", "{session}");
    let coverage = cutout["coverage"].as_f64().unwrap();
    assert!((0.2..0.8).contains(&coverage), "{session}");
    let file = server.get(&format!("/files/{code}/cutout.png"));
    let mask = image::load_from_memory(&file.body).unwrap().to_luma8();
    let at = |x: u32, y: u32| mask.get_pixel(x * mask.width() / 100, y * mask.height() / 100)[0];
    // The cat's forehead and the corner at the top left.
    assert!(
        at(50, 45) > 200 && at(2, 2) < 50,
        "{} {}",
        at(50, 45),
        at(2, 2)
    );
}

#[test]
fn noise_becomes_a_relief() {
    let server = start();
    let mut random = fastrand::Rng::with_seed(17);
    let noise = image::GrayImage::from_fn(160, 120, |_, _| Luma([random.u8(..)]));
    let mut png = Cursor::new(Vec::new());
    noise.write_to(&mut png, ImageFormat::Png).unwrap();
    let code = create(&server, "image/png", &png.into_inner());
    let session = server.wait_for_end(&code);
    assert_eq!(session["cutout"]["method"], "network", "{session}");
    assert_eq!(session["cutout"]["shape"], "relief", "{session}");
    assert_eq!(session["cutout"]["coverage"], 1.0, "{session}");
}

#[test]
fn network_runs_on_one_image_at_a_time() {
    let server = Server::start(&["--speed", "100", "--jobs", "6"]);
    // The first model takes the memory that any model takes.
    let before = create_body(&photo_png());
    let code = session_code(&server.post(SESSIONS, "", &before).unwrap().json()["data"]);
    server.wait_for_end(&code);
    let codes = [(); 6].map(|()| create(&server, "image/jpeg", &photo()));
    for code in &codes {
        let session = server.wait_for_end(code);
        assert_eq!(session["cutout"]["method"], "network", "{session}");
    }
    // One run takes 150 MB: the peak is 242 MiB with one at a time, and 451 MiB with six.
    let peak = server.peak_memory();
    assert!(peak < 350 * MIB, "{} MiB", peak / MIB);
}

fn photo_png() -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    let photo = image::load_from_memory(&photo()).unwrap();
    photo.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

#[test]
fn restart_between_stages_keeps_the_cutout() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let flags = ["--speed", "100", "--data", data];
    let mut server = Server::start(&flags);
    let code = create(&server, "image/jpeg", &photo());
    let report = |session: &Value| {
        let mut cutout = session["cutout"].clone();
        // The URL has the address of the server.
        assert!(cutout["mask_url"].take().is_string(), "{session}");
        cutout
    };
    let preview = server.wait_for_end(&code);
    let file = server.get(&format!("/files/{code}/cutout.png")).body;
    server.kill();
    // A server whose network sees no object: the refinement does not ask it.
    let model = model::write(folder.path(), &onnx::finds_red(), model::FORMAT);
    let server = Server::start(&[&flags[..], &["--cutout-model", &model]].concat());
    let refine = format!("{SESSIONS}/get-3d/refine/{code}");
    assert_eq!(server.post(&refine, "", &json!({})).unwrap().status, 200);
    let refined = server.wait_for_end(&code);
    assert_eq!(refined["status"], "refine_done", "{refined}");
    assert_eq!(report(&refined), report(&preview));
    let after = server.get(&format!("/files/{code}/cutout.png"));
    assert_eq!(after.body, file);
}
