//! The model files of a service beside the GLB file.

use api::{ServiceFile, ServiceFormat};

use crate::engines::order::Order;

/// The files of a finished job.
pub struct JobFiles {
    pub glb: Vec<u8>,
    pub others: Vec<ServiceFile>,
}

impl From<Vec<u8>> for JobFiles {
    fn from(glb: Vec<u8>) -> Self {
        let others = Vec::new();
        Self { glb, others }
    }
}

/// Returns whether a file starts as one of this format does.
pub fn is_of_format(file: &[u8], format: ServiceFormat) -> bool {
    const ZIP: &[u8] = b"PK\x03\x04";
    match format {
        ServiceFormat::Fbx => {
            let starts: [&[u8]; 2] = [b"Kaydara FBX Binary", b"; FBX"];
            starts.iter().any(|start| file.starts_with(start))
        }
        ServiceFormat::Usdz | ServiceFormat::ThreeMf => file.starts_with(ZIP),
        ServiceFormat::Obj => {
            str::from_utf8(file).is_ok_and(|text| text.lines().any(|line| line.starts_with("v ")))
        }
    }
}

/// Returns the files to offer in place of conversions of the GLB file.
///
/// The server applies `scaled_bbox`, `pivot_point` and the view to the GLB file only. So a conversion of
/// it is better then, where there is one, except that only the service's files have quads.
pub fn offered(files: Vec<ServiceFile>, order: &Order, view: usize) -> Vec<ServiceFile> {
    let is_moved = view != 0 || order.parameters.is_placed();
    let is_offered = |format: ServiceFormat| match format {
        ServiceFormat::Fbx => true,
        ServiceFormat::Obj => order.has_quads(),
        ServiceFormat::Usdz | ServiceFormat::ThreeMf => !is_moved,
    };
    let mut files = files;
    files.retain(|file| is_offered(file.format));
    files
}

/// Returns whether one of the formats keeps the quads of an order for quads.
pub fn keep_quads(mut formats: impl Iterator<Item = ServiceFormat>) -> bool {
    formats.any(|format| matches!(format, ServiceFormat::Fbx | ServiceFormat::Obj))
}
