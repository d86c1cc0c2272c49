//! Measures the cut-out of an image: one process per run, for the benchmark.
//!
//! `measure-cutout FILE` prints `{"load":…,"cutOut":…,"before":…,"peak":…}`: the milliseconds to load the network
//! and to cut the object out of the decoded image, and the bytes of the process before the network was
//! loaded and at its peak.

#[path = "../../sculpt/examples/support/process.rs"]
mod process;

use std::error::Error;
use std::time::Instant;

use cutout::{ImageFormat, Network, U2NETP};
use process::status;
use sculpt::{CutoutRequest, cut_out};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args()
        .nth(1)
        .ok_or("usage: measure-cutout FILE")?;
    let image = image::open(file)?;
    let before = status("VmRSS")?;
    let started = Instant::now();
    let network = Network::load(U2NETP.to_vec(), ImageFormat::default())?;
    let load = started.elapsed();
    let started = Instant::now();
    let request = CutoutRequest {
        segmenter: Some(&network),
        ..CutoutRequest::default()
    };
    cut_out(&image, &request)?;
    let cut_out = started.elapsed();
    println!(
        r#"{{"load":{},"cutOut":{},"before":{before},"peak":{}}}"#,
        load.as_secs_f64() * 1000.0,
        cut_out.as_secs_f64() * 1000.0,
        status("VmHWM")?
    );
    Ok(())
}
