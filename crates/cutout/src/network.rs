//! Runs a network.

use image::RgbaImage;
use rten::{Dimension, Model, ModelOptions};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use sculpt::{SegmentError, Segmenter, network_input};

use crate::format::ImageFormat;

/// A segmentation network. Takes about 150 MB of memory while it runs.
pub struct Network {
    model: Model,
    format: ImageFormat,
}

/// Why a file is not a network that can be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not an ONNX file, or has operators that are not supported.
    #[error("the file is not an ONNX file that can be loaded: {0}")]
    File(#[from] rten::LoadError),
    /// The network has no input, or more than one.
    #[error("the network has {0} inputs: expected 1, an image")]
    Inputs(usize),
    /// The network has no output.
    #[error("the network has no output: expected a mask")]
    NoOutput,
    /// The shape of the input is not that of an image with the configured size.
    #[error("the network's input has the shape {actual}: expected {expected}, the configured size")]
    InputShape {
        /// The shape in the file.
        actual: String,
        /// The shape of the configured size.
        expected: String,
    },
}

impl Network {
    /// Loads an ONNX file. The first output of the network is the mask.
    ///
    /// # Errors
    /// Fails if the file is not a network with one input, an image of the format's size.
    pub fn load(file: Vec<u8>, format: ImageFormat) -> Result<Self, LoadError> {
        let model = options().load(file)?;
        let inputs = model.input_ids().len();
        if inputs != 1 {
            return Err(LoadError::Inputs(inputs));
        }
        if model.output_ids().is_empty() {
            return Err(LoadError::NoOutput);
        }
        let expected = [1, 3, format.height as usize, format.width as usize];
        if let Some(actual) = model.input_shape(0)
            && !fits(&actual, &expected)
        {
            return Err(LoadError::InputShape {
                actual: format!("{actual:?}"),
                expected: format!("{expected:?}"),
            });
        }
        Ok(Self { model, format })
    }

    /// Returns the format of its input and output.
    pub fn format(&self) -> &ImageFormat {
        &self.format
    }

    /// Returns the logit of each pixel, by rows. `pixels` has three bytes for each pixel of an image of
    /// the format's size.
    ///
    /// # Errors
    /// Fails if the network cannot be run, or if its output is not a mask of the format's size.
    pub fn run(&self, pixels: &[u8]) -> Result<Vec<f32>, SegmentError> {
        let failed = |error: &dyn std::fmt::Display| SegmentError(error.to_string());
        let ImageFormat { width, height, .. } = self.format;
        let (width, height) = (width as usize, height as usize);
        if pixels.len() != 3 * width * height {
            return Err(failed(&"the image does not have its input's size"));
        }
        let input = NdTensor::from_data([1, 3, height, width], self.format.normalize(pixels));
        let outputs = self.model.run(
            vec![(self.model.input_ids()[0], input.view().into())],
            &self.model.output_ids()[..1],
            None,
        );
        let output = outputs.map_err(|error| failed(&error))?.pop();
        let mask: Tensor<f32> = output
            .ok_or_else(|| failed(&"it has no output"))?
            .try_into()
            .map_err(|error| failed(&error))?;
        let values = mask.into_data();
        if values.len() != width * height {
            return Err(failed(&format_args!(
                "its output has {} values: expected a mask of {width} × {height}",
                values.len()
            )));
        }
        let logit = |value| self.format.logit(value);
        Ok(values.into_iter().map(logit).collect())
    }
}

/// Whether an image of a size is an input of this shape, in which dimensions may be variable.
fn fits(shape: &[Dimension], size: &[usize; 4]) -> bool {
    shape.len() == size.len()
        && (shape.iter().zip(size)).all(|(dimension, size)| match dimension {
            Dimension::Fixed(fixed) => fixed == size,
            Dimension::Symbolic(_) => true,
        })
}

#[cfg(feature = "all-operators")]
fn options() -> ModelOptions {
    ModelOptions::with_all_ops()
}

/// With the operators of u2netp alone, the WebAssembly is a fraction of the size.
#[cfg(not(feature = "all-operators"))]
fn options() -> ModelOptions {
    ModelOptions::with_ops(rten::op_registry!(
        Add, Cast, Concat, Conv, MaxPool, Relu, Resize
    ))
}

impl Segmenter for Network {
    fn input_size(&self) -> (u32, u32) {
        (self.format.width, self.format.height)
    }

    fn segment(&self, image: &RgbaImage) -> Result<Vec<f32>, SegmentError> {
        self.run(network_input(image, self.input_size()).as_raw())
    }
}
