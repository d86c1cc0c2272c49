//! Progress reports to the caller's `onProgress`.

use js_sys::Function;
use strum::IntoStaticStr;
#[cfg(feature = "typescript")]
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::error::Result;
use crate::js::object;

/// The phase of a call that transfers an image or a model.
#[derive(Clone, Copy, IntoStaticStr)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum Phase {
    Encoding,
    Sending,
    Downloading,
}

/// Calls `on_progress` with a `Progress`; sizes are in bytes.
///
/// # Errors
/// Fails if the function throws.
pub fn report(on_progress: Option<&Function>, phase: Phase, loaded: f64, total: f64) -> Result<()> {
    let Some(on_progress) = on_progress else {
        return Ok(());
    };
    let phase: &str = phase.into();
    let progress = object(&[
        ("phase", phase.into()),
        ("loaded", loaded.into()),
        ("total", total.into()),
    ]);
    on_progress.call1(&JsValue::UNDEFINED, &progress)?;
    Ok(())
}
