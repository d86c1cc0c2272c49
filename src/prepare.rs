//! Preparation of an image before its upload: see `pkg/prepare.js`, which is JavaScript because it
//! uses nothing but the browser's decoder and canvas.

use contract::ImageFormat;
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::base64_body;
use crate::cancel::AbortOnDrop;
use crate::error::{ErrorCode, Failure, Result};
use crate::image::{ImageInput, empty_image};
use crate::js::{error_message, field, text};
use crate::progress::{Phase, Progress};

/// Decodes an image with the browser's decoder, and encodes it again. `options` is the caller's
/// `prepare`. The work ends when the future is dropped. Returns an SVG unchanged if the browser does not
/// decode it: browsers give scripts its pixels only through an element of a page.
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
    if total == 0.0 && !matches!(image, ImageInput::Url(_) | ImageInput::DataUrl(_)) {
        return Err(empty_image());
    }
    report(0.0)?;
    let source: &JsValue = match image {
        ImageInput::Blob { blob, .. } => blob,
        ImageInput::Bytes(bytes) => bytes,
        ImageInput::Url(url) => &url.into(),
        ImageInput::DataUrl(url) => url,
    };
    let mut abort = AbortOnDrop::new()?;
    let prepared = prepare_image(source, options, abort.signal()).await;
    abort.disarm();
    let prepared = match prepared {
        Ok(blob) => {
            let size = field(&blob, "size").as_f64().unwrap_or_default();
            ImageInput::Blob { blob, size }
        }
        Err(thrown) => recover(image, thrown).await?,
    };
    report(total)?;
    Ok(prepared)
}

/// Handles what the module has thrown: an `ImageTo3dError`, unless the module could not be loaded. An
/// image that could not be decoded may be unreadable, or no image. Returns an SVG.
///
/// # Errors
/// Fails if the image is not an SVG.
async fn recover(image: &ImageInput, thrown: JsValue) -> Result<ImageInput> {
    let Some(code) = text(&thrown, "code").filter(|_| text(&thrown, "kind").is_some()) else {
        let reason = error_message(&thrown);
        let message = format!("Could not load the module that prepares images: {reason}");
        let failure = Failure::new(ErrorCode::Internal, message);
        return Err(failure.with_cause(thrown).into());
    };
    if code == "undecodable_image"
        && base64_body::read_format(image).await? == Some(ImageFormat::Svg)
    {
        return Ok(image.clone());
    }
    Err(thrown.into())
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
