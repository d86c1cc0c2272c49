//! Networks of the user's own: `--cutout-model`.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};

use super::onnx::{Network, finds_red};
use super::session::create;
use crate::support::{Server, command};

/// The format of the networks in these tests.
pub const FORMAT: &str = "width = 16\nheight = 16\nscale = 255\nmean = [0, 0, 0]\nstd = [1, 1, 1]\n\
                          output = \"logit\"\n";

/// Writes a network with its format, and returns its path.
pub fn write(folder: &Path, network: &Network, format: &str) -> String {
    write_files(folder, &network.encode(), Some(format))
}

fn write_files(folder: &Path, network: &[u8], format: Option<&str>) -> String {
    let path = folder.join("net.onnx");
    fs::write(&path, network).unwrap();
    if let Some(format) = format {
        fs::write(folder.join("net.toml"), format).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

/// A large green square, which u2netp sees, and a red one of an eighth of the image.
fn image() -> Vec<u8> {
    let image = RgbImage::from_fn(128, 64, |x, y| match (x, y) {
        (8..56, 8..56) => Rgb([0, 160, 0]),
        (80..112, 16..48) => Rgb([255, 0, 0]),
        _ => Rgb([255, 255, 255]),
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

fn coverage_with(network: &Network, format: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), network, format);
    let server = Server::start(&["--speed", "100", "--cutout-model", &model]);
    let session = server.wait_for_end(&create(&server, "image/png", &image()));
    assert_eq!(session["cutout"]["method"], "network", "{session}");
    assert_eq!(session["cutout"]["shape"], "object", "{session}");
    session["cutout"]["coverage"].as_f64().unwrap()
}

#[test]
fn network_of_the_user_finds_the_object() {
    let coverage = coverage_with(&finds_red(), FORMAT);
    assert!((0.09..0.16).contains(&coverage), "{coverage}");
}

#[test]
fn format_of_the_user_is_applied() {
    // Of the channels 1, 2 and 3, normalized with these values, green exceeds the bias alone.
    let network = Network {
        weights: vec![[0.0, 1.0, 0.0]],
        bias: 0.0,
        ..finds_red()
    };
    // Green is 12.5 · (160 / 255 − 0.3) = 4.1, white 8.8 and red −3.8.
    let format = FORMAT.replace("mean = [0, 0, 0]", "mean = [0, 0.3, 0]");
    let format = format.replace("std = [1, 1, 1]", "std = [1, 0.08, 1]");
    let coverage = coverage_with(&network, &format);
    assert!((0.84..0.91).contains(&coverage), "{coverage}");
}

/// Returns the message of a start with these files, which `--check` prints too.
fn startup_error(network: &[u8], format: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let model = write_files(folder.path(), network, format);
    let messages = [&["--check"][..], &["--port", "0"]].map(|flags| {
        let output = command()
            .args(["--cutout-model", &model])
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        String::from_utf8(output.stderr).unwrap()
    });
    let [checked, started] = messages;
    assert_eq!(checked, started);
    assert_eq!(started.lines().count(), 1, "{started}");
    let folder = folder.path().to_str().unwrap();
    started.trim().replace(&format!("{folder}/"), "")
}

fn format_error(format: &str) -> String {
    startup_error(&finds_red().encode(), Some(format))
}

#[test]
fn check_names_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let model = write(folder.path(), &finds_red(), FORMAT);
    let output = command()
        .args(["--check", "--cutout-model", &model])
        .output();
    let output = output.unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(
        stdout.contains(&format!("cut-out network: {model}\n")),
        "{stdout}"
    );
}

#[test]
fn missing_file_is_a_startup_error() {
    let output = command()
        .args(["--check", "--cutout-model", "/missing/net.onnx"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: Cannot read /missing/net.onnx: No such file or directory (os error 2)\n"
    );
}

#[test]
fn missing_format_is_a_startup_error() {
    assert_eq!(
        startup_error(&finds_red().encode(), None),
        "error: Cannot read net.toml, which describes the network's input and output: No such file or \
         directory (os error 2)"
    );
}

#[test]
fn invalid_format_is_a_startup_error() {
    for (from, to, expected) in [
        (
            "output",
            "kind = 1\noutput",
            "net.toml, line 6: unknown field `kind`",
        ),
        (
            "width = 16\n",
            "",
            "net.toml, line 1: missing field `width`",
        ),
        (
            "width = 16",
            "width = 0",
            "net.toml: Invalid width 0: expected 1 to 4096",
        ),
        (
            "height = 16",
            "height = 5000",
            "net.toml: Invalid height 5000: expected 1 to 4096",
        ),
        (
            "255",
            "-1",
            "net.toml: Invalid scale -1: expected \"max\" or a number above 0",
        ),
        (
            "255",
            "nan",
            "net.toml: Invalid scale NaN: expected \"max\" or a number above 0",
        ),
        (
            "255",
            "\"x\"",
            "net.toml: Invalid scale \"x\": expected \"max\" or a number above 0",
        ),
        (
            "[1, 1, 1]",
            "[1, 0, 1]",
            "net.toml: Invalid std [1.0, 0.0, 1.0]: expected three numbers other than 0",
        ),
        (
            "[0, 0, 0]",
            "[0, inf, 0]",
            "net.toml: Invalid mean [0.0, inf, 0.0]: expected three numbers",
        ),
        (
            "logit",
            "mask",
            "net.toml, line 6: unknown variant `mask`, expected `probability` or `logit`",
        ),
    ] {
        let message = format_error(&FORMAT.replacen(from, to, 1));
        let expected = format!("error: {expected}");
        assert!(message.starts_with(&expected), "{to:?}: {message}");
    }
}

#[test]
fn network_of_another_size_is_a_startup_error() {
    assert_eq!(
        format_error(&FORMAT.replace("width = 16", "width = 8")),
        "error: net.onnx: the network's input has the shape [1, 3, 16, 16]: expected [1, 3, 16, 8], the \
         configured size"
    );
}

#[test]
fn network_with_two_inputs_is_a_startup_error() {
    let network = Network {
        inputs: vec!["x", "z"],
        ..finds_red()
    };
    assert_eq!(
        startup_error(&network.encode(), Some(FORMAT)),
        "error: net.onnx: the network has 2 inputs: expected 1, an image"
    );
}

#[test]
fn file_that_is_not_onnx_is_a_startup_error() {
    let message = startup_error(b"not a network", Some(FORMAT));
    let expected = "error: net.onnx: the file is not an ONNX file that can be loaded: ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn network_with_an_unknown_operator_is_a_startup_error() {
    let network = Network {
        operator: "Magic",
        ..finds_red()
    };
    let message = startup_error(&network.encode(), Some(FORMAT));
    let expected = "error: net.onnx: the file is not an ONNX file that can be loaded: ";
    assert!(
        message.starts_with(expected) && message.contains("Magic"),
        "{message}"
    );
}

#[test]
fn output_of_another_shape_is_a_startup_error() {
    let network = Network {
        weights: vec![[1.0; 3]; 2],
        ..finds_red()
    };
    assert_eq!(
        startup_error(&network.encode(), Some(FORMAT)),
        "error: net.onnx: the network cannot be run: its output has 512 values: expected a mask of 16 × 16"
    );
}

#[test]
fn output_that_is_no_number_is_a_startup_error() {
    let network = Network {
        bias: f32::NAN,
        ..finds_red()
    };
    assert_eq!(
        startup_error(&network.encode(), Some(FORMAT)),
        "error: net.onnx: the network's output for a black image is not a number"
    );
}
