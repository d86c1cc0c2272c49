//! Progress reports to the caller's `onProgress`.

use js_sys::Function;
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::error::Result;

/// The phase of a call that transfers an image or a model.
#[derive(Clone, Copy, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Phase {
    Preparing,
    Encoding,
    Sending,
    Downloading,
}

/// The progress of preparing or encoding an image, or of downloading a model.
#[derive(Serialize, Tsify)]
pub struct Progress {
    /// `"preparing"`: the browser scales the image down, with the option `prepare`. `"encoding"`: the
    /// image is being read and encoded. `"sending"`: the request was passed to `fetch`, which reports
    /// no upload progress. `"downloading"`: the model is being received.
    pub phase: Phase,
    /// The number of bytes of the image that are prepared or encoded, or of the model that are
    /// received. A preparation reports its start and its end only.
    pub loaded: f64,
    /// The total number of bytes; 0 if the server does not send it.
    pub total: f64,
}

impl Progress {
    /// Calls `on_progress`.
    ///
    /// # Errors
    /// Fails if the function throws.
    pub fn report(self, on_progress: Option<&Function>) -> Result<()> {
        if let Some(on_progress) = on_progress {
            let progress = serde_wasm_bindgen::to_value(&self).map_err(JsValue::from)?;
            on_progress.call1(&JsValue::UNDEFINED, &progress)?;
        }
        Ok(())
    }
}
