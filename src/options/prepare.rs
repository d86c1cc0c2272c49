//! The type of the option `prepare` of a call that creates a session. `pkg/prepare.js` validates it,
//! so that only calls that prepare an image load that code.

use tsify::Tsify;
use wasm_bindgen::prelude::*;

/// The media type of a prepared image.
#[derive(Tsify)]
#[allow(dead_code, missing_docs)]
pub enum PreparedType {
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/png")]
    Png,
    #[serde(rename = "image/webp")]
    Webp,
}

/// The options of `prepare`.
#[derive(Tsify)]
#[allow(dead_code)]
#[serde(rename_all = "camelCase")]
pub struct PrepareOptions {
    /// The maximum length of the longer edge in pixels, an integer from 1 to 8192. Smaller images keep
    /// their size. Default: `2048`, the longest edge of a texture.
    #[tsify(type = "number | undefined", optional)]
    max_edge: f64,
    /// The media type of the prepared image. Default: JPEG, or WebP if the image has transparent
    /// pixels; or PNG, for drawings that would become larger otherwise. Browsers that cannot encode WebP encode PNG instead. In a JPEG, transparent pixels
    /// become white.
    #[tsify(type = "PreparedType | undefined", optional)]
    r#type: PreparedType,
    /// The quality of JPEG and WebP, from 0 to 1. Default: `0.9`.
    #[tsify(type = "number | undefined", optional)]
    quality: f64,
}
