//! The numbers of a binary glTF file, where they lie in it plainly.

use serde_json::Value;

use super::container::{Glb, number};

/// The type of 32-bit numbers with a point.
pub const FLOAT: u64 = 5126;
/// The types of indices.
pub const SHORT: u64 = 5123;
pub const INT: u64 = 5125;

/// The elements of an accessor, as they lie in the file; `None` where they are compressed or
/// sparse, or outside of it.
pub fn elements<'a>(file: &'a Glb, accessor: &Value) -> Option<Vec<&'a [u8]>> {
    if accessor.get("sparse").is_some() {
        return None;
    }
    let index = number(accessor, "bufferView")?;
    let view = file.list("bufferViews").get(index)?;
    if view.get("extensions").is_some() {
        return None;
    }
    let bytes = file.view(index)?;
    let size = size(accessor)?;
    let stride = number(view, "byteStride").unwrap_or(size).max(size);
    let from = number(accessor, "byteOffset").unwrap_or_default();
    let element = |at: usize| {
        let start = from.checked_add(at.checked_mul(stride)?)?;
        bytes.get(start..start.checked_add(size)?)
    };
    (0..number(accessor, "count")?).map(element).collect()
}

/// How many bytes an element has.
fn size(accessor: &Value) -> Option<usize> {
    let component = match accessor["componentType"].as_u64()? {
        5120 | 5121 => 1,
        5122 | SHORT => 2,
        INT | FLOAT => 4,
        _ => return None,
    };
    let components = match accessor["type"].as_str()? {
        "SCALAR" => 1,
        "VEC2" => 2,
        "VEC3" => 3,
        "VEC4" => 4,
        // Matrices have gaps in them.
        _ => return None,
    };
    Some(component * components)
}

/// Vectors of floats.
pub fn floats<const N: usize>(file: &Glb, accessor: &Value) -> Option<Vec<[f32; N]>> {
    if accessor["componentType"].as_u64()? != FLOAT || size(accessor)? != 4 * N {
        return None;
    }
    let vector = |element: &[u8]| {
        let mut vector = [0.0; N];
        for (number, bytes) in vector.iter_mut().zip(element.chunks_exact(4)) {
            *number = f32::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(vector)
    };
    elements(file, accessor)?.into_iter().map(vector).collect()
}

/// Indices of whatever size.
pub fn indices(file: &Glb, accessor: &Value) -> Option<Vec<u32>> {
    let index = |element: &[u8]| match *element {
        [a] => Some(u32::from(a)),
        [a, b] => Some(u32::from(u16::from_le_bytes([a, b]))),
        [a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    };
    if accessor["type"] != "SCALAR" || accessor["componentType"] == FLOAT {
        return None;
    }
    elements(file, accessor)?.into_iter().map(index).collect()
}
