//! The names and formats of a session's files.

use std::panic::catch_unwind;

use crate::engine::VIEW_COUNT;
use crate::service_format::ServiceFormat;
use crate::stage::Stage;

/// The name of the image file.
pub const IMAGE: &str = "image";

/// The name of the file with the caller's mask.
pub const MASK: &str = "mask";

/// The name of the file with the cutout.
pub const CUTOUT: &str = "cutout.png";

/// A format of model files.
pub struct Format {
    /// The suffix of the session's fields and of the files' names.
    pub name: &'static str,
    pub media_type: &'static str,
    origin: Origin,
}

/// How files of a format come to be.
enum Origin {
    /// Each model is stored in this format.
    Stored,
    /// The stored GLB file is converted.
    Converted(sculpt::Format),
    /// Only services make such files.
    Service,
}

/// All formats of model files. 3MF and STL, for 3D printing, are additions to the documented API.
pub const FORMATS: [Format; 7] = [
    Format {
        name: "glb",
        media_type: "model/gltf-binary",
        origin: Origin::Stored,
    },
    Format {
        name: "obj",
        media_type: "model/obj",
        origin: Origin::Converted(sculpt::Format::Obj),
    },
    Format {
        name: "zip",
        media_type: "application/zip",
        origin: Origin::Converted(sculpt::Format::Zip),
    },
    Format {
        name: "stl",
        media_type: "model/stl",
        origin: Origin::Converted(sculpt::Format::Stl),
    },
    Format {
        name: "3mf",
        media_type: "model/3mf",
        origin: Origin::Converted(sculpt::Format::ThreeMf),
    },
    Format {
        name: "usdz",
        media_type: "model/vnd.usdz+zip",
        origin: Origin::Converted(sculpt::Format::Usdz),
    },
    Format {
        name: "fbx",
        // No media type is registered.
        media_type: "application/octet-stream",
        origin: Origin::Service,
    },
];

impl Format {
    /// Returns whether this is the stored format, which is available even if the model cannot be
    /// converted.
    pub fn is_stored(&self) -> bool {
        matches!(self.origin, Origin::Stored)
    }

    /// Returns whether a stored GLB file can be converted to this format.
    pub fn is_converted(&self) -> bool {
        matches!(self.origin, Origin::Converted(_))
    }

    /// Converts a stored GLB file to this format.
    ///
    /// # Errors
    /// Returns the reason if the model cannot be converted.
    pub fn convert(&self, glb: Vec<u8>) -> Result<Vec<u8>, String> {
        match self.origin {
            Origin::Stored => Ok(glb),
            Origin::Service => Err("only some services make such files".to_owned()),
            // A GLB file of a remote engine may contain anything.
            Origin::Converted(format) => catch_unwind(|| sculpt::convert(&glb, format))
                .map_err(|_| "the GLB file is inconsistent".to_owned())
                .and_then(|converted| converted.map_err(|error| error.to_string())),
        }
    }
}

/// Returns whether a GLB file can be converted to the other formats.
pub fn can_convert(glb: &[u8]) -> bool {
    catch_unwind(|| sculpt::can_convert(glb)).unwrap_or(false)
}

/// The file that a URL names.
pub enum FileName {
    Image,
    Cutout,
    /// One of the views, by its index.
    Spin(usize),
    /// The model of a stage in one of the formats.
    Model(Stage, &'static Format),
}

impl FileName {
    /// Parses the last segment of a file's URL, or returns `None` if there is no such file.
    pub fn parse(name: &str) -> Option<Self> {
        if name == IMAGE {
            return Some(Self::Image);
        }
        if name == CUTOUT {
            return Some(Self::Cutout);
        }
        if let Some(view) = (0..VIEW_COUNT).find(|view| spin_file(*view) == name) {
            return Some(Self::Spin(view));
        }
        let (stem, extension) = name.split_once('.')?;
        let format = FORMATS.iter().find(|format| format.name == extension)?;
        let stage = Stage::ALL
            .into_iter()
            .find(|stage| model_stem(*stage) == Some(stem))?;
        Some(Self::Model(stage, format))
    }
}

/// Returns the name of the file with a view, by its index.
pub fn spin_file(view: usize) -> String {
    format!("spin-{view}.png")
}

/// Returns the name of a stage's model files without the extension, or `None` if the stage creates
/// no model.
pub fn model_stem(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Spin => None,
        Stage::Preview => Some("preview"),
        Stage::Refine => Some("mesh"),
    }
}

/// Returns the name of the stored file with a stage's model.
pub fn model_file(stage: Stage) -> Option<String> {
    model_stem(stage).map(|stem| format!("{stem}.glb"))
}

/// Returns the name of the stored file that a service made of the preview.
pub fn service_file(format: ServiceFormat) -> String {
    format!("preview.{}", format.name())
}

/// Returns the names of all files that may be stored with a session.
pub fn stored_names() -> impl Iterator<Item = String> {
    let models = Stage::ALL.into_iter().filter_map(model_file);
    let spins = (0..VIEW_COUNT).map(spin_file);
    let images = [IMAGE, MASK, CUTOUT].map(str::to_owned);
    let services = ServiceFormat::ALL.iter().copied().map(service_file);
    models.chain(services).chain(images).chain(spins)
}
