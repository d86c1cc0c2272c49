//! Preparation of an image before its upload: see `pkg/prepare.js`, which is JavaScript because it
//! uses nothing but the browser's decoder and canvas.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::error::Result;
use crate::image::ImageInput;
use crate::js::field;
use crate::progress::{Phase, Progress};
use crate::transport::AbortOnDrop;

/// Decodes an image with the browser's decoder, and encodes it again. `options` is the caller's
/// `prepare`. The work ends when the future is dropped.
///
/// # Errors
/// Fails if the options are invalid, if the browser cannot decode the image, or if `on_progress`
/// throws.
pub async fn prepare(
    image: &ImageInput,
    options: &JsValue,
    on_progress: Option<&Function>,
) -> Result<ImageInput> {
    let total = image.size();
    let report = |loaded| {
        let phase = Phase::Preparing;
        let progress = Progress {
            phase,
            loaded,
            total,
        };
        progress.report(on_progress)
    };
    report(0.0)?;
    let source: &JsValue = match image {
        ImageInput::Blob { blob, .. } => blob,
        ImageInput::Bytes(bytes) => bytes,
        ImageInput::Url(url) => &url.into(),
        ImageInput::DataUrl(url) => url,
    };
    let mut abort = AbortOnDrop::new()?;
    let blob = prepare_image(source, options, abort.signal()).await?;
    abort.disarm();
    report(total)?;
    let size = field(&blob, "size").as_f64().unwrap_or_default();
    Ok(ImageInput::Blob { blob, size })
}

#[cfg_attr(test, wasm_bindgen(module = "/pkg/preparation.js"))]
#[cfg_attr(not(test), wasm_bindgen(raw_module = "./shared.js"))]
extern "C" {
    /// Throws an `ImageTo3dError` if the options are invalid, or if the image is a URL or cannot be
    /// decoded.
    #[wasm_bindgen(js_name = prepareImage, catch)]
    async fn prepare_image(
        image: &JsValue,
        options: &JsValue,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue>;
}
