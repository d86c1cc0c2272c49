//! The options of `downloadModel`.

use js_sys::Function;
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::connection::{Connection, ConnectionOption, ConnectionOptions, DEFAULT_TIMEOUT};
use super::define::define_options;
use super::object::OptionsObject;
use crate::error::Result;

/// The format of a model. `"3mf"` and `"stl"`, for 3D printing, are extensions of this project's
/// server.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames, Tsify,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum ModelFormat {
    Glb,
    Obj,
    Usdz,
    Zip,
    Fbx,
    Stl,
    #[serde(rename = "3mf")]
    #[strum(serialize = "3mf")]
    ThreeMf,
}

impl ModelFormat {
    /// Returns the media type registered with IANA; FBX has none.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Glb => "model/gltf-binary",
            Self::Obj => "model/obj",
            Self::Usdz => "model/vnd.usdz+zip",
            Self::Zip => "application/zip",
            Self::Fbx => "application/octet-stream",
            Self::Stl => "model/stl",
            Self::ThreeMf => "model/3mf",
        }
    }
}

define_options! {
    /// The options of `downloadModel`.
    enum DownloadOption, interface DownloadOptions extends ConnectionOptions {
        /// The format of the model. Default: `"glb"`.
        Format = "format": "ModelFormat | undefined",
        /// Called for each received chunk. If the function throws, the call rejects with that
        /// exception.
        OnProgress = "onProgress": "((progress: Progress) => void) | undefined",
    }
}

/// The options of `downloadModel`.
pub struct Download {
    pub format: ModelFormat,
    pub on_progress: Option<Function>,
}

impl Download {
    /// Reads the options of `downloadModel`; without any, all defaults apply.
    pub fn read(options: Option<&JsValue>) -> Result<(Self, Connection)> {
        let known = [DownloadOption::VARIANTS, ConnectionOption::VARIANTS];
        let options = match options {
            Some(options) => OptionsObject::read(options, &known)?,
            None => OptionsObject::empty(),
        };
        let download = Self {
            format: options
                .choice(DownloadOption::Format)?
                .unwrap_or(ModelFormat::Glb),
            on_progress: options.function(DownloadOption::OnProgress)?,
        };
        // The URLs of results contain their own authorization.
        let connection = Connection::read_without_key(&options, DEFAULT_TIMEOUT)?;
        Ok((download, connection))
    }
}
