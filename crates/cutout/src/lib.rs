//! Finds the object of an image with a segmentation network: [`Network`] runs an ONNX file, such as
//! [`U2NETP`].

mod format;
mod network;

pub use format::{ImageFormat, Output, Scale};
pub use network::{LoadError, Network};

/// The weights of U²-Net small (u2netp) as an ONNX file: the network for [`ImageFormat::default`].
///
/// By Xuebin Qin and others, under the Apache License 2.0, modified: `model/README.md` has the source.
pub const U2NETP: &[u8] = include_bytes!("../model/u2netp-f16.onnx");
