//! The network that finds the objects in images: the one in this program, or a file of the user's.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, anyhow};
use api::image::RgbaImage;
use api::{SegmentError, Segmenter, catch_panic};
use contract::{Invalid, quote};
use cutout::{ImageFormat, Network, Output, Scale, U2NETP};
use sculpt::network_input;
use serde::Deserialize;

use crate::config::parse_toml;

/// A network that several workers share. It runs on one image at a time: a run uses all cores, and the
/// 150 MB that it takes are needed once.
pub struct SharedNetwork {
    format: ImageFormat,
    /// Loaded when an image first needs it, unless it is a file of the user's.
    network: OnceLock<Result<Network, SegmentError>>,
    running: Mutex<()>,
}

impl SharedNetwork {
    /// Loads the ONNX file of the user, or returns the network in this program.
    ///
    /// # Errors
    /// Fails if the file is not a network that can be used.
    pub fn configured(path: Option<&Path>) -> anyhow::Result<Self> {
        path.map_or_else(|| Ok(Self::built_in()), Self::open)
    }

    fn built_in() -> Self {
        Self {
            format: ImageFormat::default(),
            network: OnceLock::new(),
            running: Mutex::default(),
        }
    }

    /// Loads an ONNX file, whose format is in a TOML file of the same name beside it.
    ///
    /// # Errors
    /// Fails if either file cannot be read, or if they do not describe a network that can be used.
    fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let file = fs::read(path).with_context(|| format!("Cannot read {name}"))?;
        let format = read_format(&path.with_extension("toml"))?;
        // A file may make rten panic.
        let loaded = catch_panic(|| load_and_try(file, &format));
        let loaded = loaded.unwrap_or_else(|_| Err(anyhow!("rten crashed on the network")));
        let network = loaded.with_context(|| format!("{name}"))?;
        Ok(Self {
            format,
            network: Ok(network).into(),
            running: Mutex::default(),
        })
    }
}

/// Loads a network, and runs it once: it may load, and fail on every image.
fn load_and_try(file: Vec<u8>, format: &ImageFormat) -> anyhow::Result<Network> {
    let network = Network::load(file, format.clone())?;
    let blank = vec![0; 3 * format.width as usize * format.height as usize];
    let output = network
        .run(&blank)
        .map_err(|SegmentError(reason)| anyhow!("the network cannot be run: {reason}"))?;
    match output.iter().any(|logit| logit.is_nan()) {
        true => Err(anyhow!(
            "the network's output for a black image is not a number"
        )),
        false => Ok(network),
    }
}

impl Segmenter for SharedNetwork {
    fn input_size(&self) -> (u32, u32) {
        (self.format.width, self.format.height)
    }

    fn segment(&self, image: &RgbaImage) -> Result<Vec<f32>, SegmentError> {
        let input = network_input(image, self.input_size());
        // A run that panicked has left nothing behind: only a loaded network is kept.
        let _running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let load = || {
            let network = Network::load(U2NETP.to_vec(), self.format.clone());
            network.map_err(|error| SegmentError(error.to_string()))
        };
        match self.network.get_or_init(load) {
            Ok(network) => network.run(input.as_raw()),
            Err(error) => Err(error.clone()),
        }
    }
}

/// The TOML file beside a network.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatFile {
    /// The size of the input, in pixels.
    width: u32,
    height: u32,
    /// The value of a channel that becomes 1, or `"max"` for the greatest value in the image.
    scale: ScaleField,
    mean: [f32; 3],
    std: [f32; 3],
    output: OutputField,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ScaleField {
    Value(f32),
    Name(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutputField {
    Probability,
    Logit,
}

/// The accepted values of `scale`, for error messages.
const SCALES: &str = "\"max\" or a number above 0";

/// The largest edge of a network's input, in pixels.
const MAX_INPUT_EDGE: u32 = 4096;

fn read_format(path: &Path) -> anyhow::Result<ImageFormat> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| {
        format!("Cannot read {name}, which describes the network's input and output")
    })?;
    let file: FormatFile = parse_toml(path, &text)?;
    let invalid = |key: &'static str, value: String, expected: &str| {
        anyhow!("{name}: {}", Invalid::new(key, value, expected))
    };
    for (key, edge) in [("width", file.width), ("height", file.height)] {
        if !(1..=MAX_INPUT_EDGE).contains(&edge) {
            let expected = format!("1 to {MAX_INPUT_EDGE}");
            return Err(invalid(key, edge.to_string(), &expected));
        }
    }
    let scale = match file.scale {
        ScaleField::Value(value) if value > 0.0 && value.is_finite() => Scale::Fixed(value),
        ScaleField::Value(value) => {
            return Err(invalid("scale", value.to_string(), SCALES));
        }
        ScaleField::Name(text) if text == "max" => Scale::ImageMaximum,
        ScaleField::Name(text) => {
            return Err(invalid("scale", quote(&text), SCALES));
        }
    };
    let is_usable = |deviation: &f32| deviation.is_finite() && *deviation != 0.0;
    if !file.std.iter().all(is_usable) {
        let value = format!("{:?}", file.std);
        return Err(invalid("std", value, "three numbers other than 0"));
    }
    if !file.mean.iter().all(|mean| mean.is_finite()) {
        let value = format!("{:?}", file.mean);
        return Err(invalid("mean", value, "three numbers"));
    }
    Ok(ImageFormat {
        width: file.width,
        height: file.height,
        scale,
        mean: file.mean,
        deviation: file.std,
        output: match file.output {
            OutputField::Probability => Output::Probability,
            OutputField::Logit => Output::Logit,
        },
    })
}
