//! Converts a model in GLB to the formats of other programs.

mod archive;
mod error;
mod model;
mod obj;
mod stl;
mod three_mf;
mod usdz;

pub use error::ConvertError;
use model::Model;

/// A format that a model is offered in beside GLB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Wavefront OBJ alone, without material and texture.
    Obj,
    /// A ZIP archive of `model.obj`, `model.mtl` and `texture.png` or `texture.jpg`, if there is a
    /// texture.
    Zip,
    /// Binary STL for printing: in millimeters, where glTF has meters, and with z up.
    Stl,
    /// 3MF for printing in color: in millimeters and with z up, with the texture inside.
    ThreeMf,
    /// USDZ for Apple's devices: a text file and the texture in an archive.
    Usdz,
}

/// Converts a GLB file to another format. Of several materials, the first counts.
///
/// # Errors
/// Fails if the file is not a valid GLB file, has no triangles that can be read, or requires an
/// extension that packs them.
pub fn convert(glb: &[u8], format: Format) -> Result<Vec<u8>, ConvertError> {
    let model = Model::read(glb)?;
    match format {
        Format::Obj => Ok(obj::write(&model, None).into_bytes()),
        Format::Zip => Ok(obj::write_zip(&model)?),
        Format::Stl => Ok(stl::write(&model)),
        Format::ThreeMf => Ok(three_mf::write(&model)?),
        Format::Usdz => Ok(usdz::write(&model)?),
    }
}

/// Whether [`convert`] supports a GLB file: reads it without writing anything.
pub fn can_convert(glb: &[u8]) -> bool {
    Model::read(glb).is_ok()
}
