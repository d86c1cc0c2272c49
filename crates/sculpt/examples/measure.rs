//! Measures how long an image takes to become a model, and how much memory: one process per image, for
//! the benchmark.
//!
//! `measure draw WIDTH FILE` writes a square PNG of that width; `measure sculpt FILE` makes a model of
//! an image and prints `{"decode":…,"sculpt":…,"before":…,"peak":…}`: milliseconds, and bytes of the
//! process before the image was read and at its peak.

#[path = "support/process.rs"]
mod process;
#[path = "../tests/support/samples.rs"]
#[allow(dead_code)]
mod samples;

use std::error::Error;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::time::Instant;

use contract::{Parameters, Resolution};
use image::{RgbaImage, imageops};
use process::status;
use sculpt::{CutoutRequest, Detail, ModelRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["draw", width, file] => draw(width.parse()?, file),
        ["sculpt", file] => sculpt(file),
        _ => Err("usage: measure draw WIDTH FILE | measure sculpt FILE".into()),
    }
}

/// Enlarges a sample smoothly, so that it has the same content at any size.
fn draw(width: u32, file: &str) -> Result<(), Box<dyn Error>> {
    let sample = image::open(samples::sample_path(samples::SAMPLES[0]))?.to_rgba8();
    let part = |at: u32| (at as f32 + 0.5) / width as f32;
    let image = RgbaImage::from_fn(width, width, |x, y| {
        let pixel = imageops::sample_bilinear(&sample, part(x), part(y));
        pixel.unwrap_or_else(|| *sample.get_pixel(0, 0))
    });
    Ok(image.save(file)?)
}

fn sculpt(file: &str) -> Result<(), Box<dyn Error>> {
    let file = std::fs::read(file)?;
    let before = status("VmRSS")?;
    let started = Instant::now();
    let image = image::ImageReader::new(Cursor::new(file))
        .with_guessed_format()?
        .decode()?;
    let decode = started.elapsed();
    let parameters = Parameters {
        generate_texture: Some(true),
        resolution: Some(Resolution::HighPoly),
        texture_resolution: Some(1024),
        ..Parameters::default()
    };
    let started = Instant::now();
    let cutout = sculpt::cut_out(&image, &CutoutRequest::default())?;
    let request = ModelRequest {
        image: &image,
        cutout: &cutout,
        parameters: &parameters,
        detail: Detail::Preview,
        view: 0,
    };
    sculpt::sculpt(&request, &mut |_| ControlFlow::Continue(()))?;
    let sculpt = started.elapsed();
    println!(
        r#"{{"decode":{},"sculpt":{},"before":{before},"peak":{}}}"#,
        decode.as_secs_f64() * 1000.0,
        sculpt.as_secs_f64() * 1000.0,
        status("VmHWM")?
    );
    Ok(())
}
