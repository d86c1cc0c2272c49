//! The binding of the cut-out network to JavaScript. Its weights are a file of their own, so that the
//! module does not contain them. `pkg/sandbox/network-worker.js` downloads both.

use std::cell::Cell;

use cutout::ImageFormat;
use wasm_bindgen::prelude::*;

/// The network u2netp. Takes about 150 MB of memory while it runs.
#[wasm_bindgen]
pub struct Network(cutout::Network);

#[wasm_bindgen]
impl Network {
    /// Loads the network from its file.
    ///
    /// # Errors
    /// Fails if the file is not this network.
    #[wasm_bindgen(constructor)]
    pub fn new(file: Vec<u8>) -> Result<Self, JsError> {
        Ok(Self(cutout::Network::load(file, ImageFormat::default())?))
    }

    /// Returns the logit of each pixel, by rows. `pixels` has three bytes for each pixel of an image of
    /// 320 × 320 pixels.
    ///
    /// # Errors
    /// Fails if the image has another size, or if the network cannot be run.
    pub fn segment(&self, pixels: &[u8]) -> Result<Vec<f32>, JsError> {
        Ok(self.0.run(pixels)?)
    }
}

/// Returns the message of the last panic, or `undefined` if there was none.
#[wasm_bindgen(js_name = takePanic)]
pub fn take_panic() -> Option<String> {
    PANIC.take()
}

thread_local! {
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| PANIC.set(Some(panic.to_string()))));
}
