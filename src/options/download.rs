//! The options of `downloadModel`.

use js_sys::{Function, Object};
#[cfg(feature = "typescript")]
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection, DEFAULT_TIMEOUT};
use super::fields::Fields;
use crate::error::Result;

/// A format in which a model can be had. `"stl"`, for printing, is an extension of this project's
/// own server, which the API does not document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
#[allow(missing_docs)]
pub enum ModelFormat {
    Glb,
    Obj,
    Usdz,
    Zip,
    Fbx,
    Stl,
}

impl ModelFormat {
    pub const ALL: [(&'static str, Self); 6] = [
        ("glb", Self::Glb),
        ("obj", Self::Obj),
        ("usdz", Self::Usdz),
        ("zip", Self::Zip),
        ("fbx", Self::Fbx),
        ("stl", Self::Stl),
    ];

    fn of(name: &JsValue) -> Option<Self> {
        let given = name.as_string()?;
        let mut all = Self::ALL.into_iter();
        all.find_map(|(name, format)| (name == given).then_some(format))
    }

    /// As the fields of a session are named: `mesh_url_<name>`.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// The media type, by IANA's registry; FBX has none of its own.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Glb => "model/gltf-binary",
            Self::Obj => "model/obj",
            Self::Usdz => "model/vnd.usdz+zip",
            Self::Zip => "application/zip",
            Self::Fbx => "application/octet-stream",
            Self::Stl => "model/stl",
        }
    }
}

/// What to download, and how.
pub struct Download {
    pub format: ModelFormat,
    pub on_progress: Option<Function>,
}

impl Download {
    /// Reads the options of `downloadModel`.
    pub fn read(options: &JsValue) -> Result<(Self, Connection)> {
        let none = Object::new();
        let options = if options.is_undefined() {
            &none
        } else {
            options
        };
        let fields = Fields::read(options, &[&["format", "onProgress"], &CONNECTION])?;
        let format = fields.checked(
            "format",
            "\"glb\", \"obj\", \"usdz\", \"zip\", \"fbx\", \"stl\"",
            &|value| ModelFormat::of(value).is_some(),
        )?;
        let download = Self {
            format: format
                .and_then(|value| ModelFormat::of(&value))
                .unwrap_or(ModelFormat::Glb),
            on_progress: fields.function("onProgress")?,
        };
        // The links of a result need no key.
        let connection = Connection::read_without_key(&fields, DEFAULT_TIMEOUT)?;
        Ok((download, connection))
    }
}
