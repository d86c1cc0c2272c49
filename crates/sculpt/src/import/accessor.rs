//! The numbers of a binary glTF file, where they lie in it plainly.

use serde_json::Value;

use super::container::{Glb, number};

/// The type of 32-bit numbers with a point.
pub const FLOAT: u64 = 5126;
const BYTE: u64 = 5120;
const UNSIGNED_BYTE: u64 = 5121;
const SIGNED_SHORT: u64 = 5122;
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
    let component = component(accessor)?;
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

/// How many bytes a number has.
fn component(accessor: &Value) -> Option<usize> {
    match accessor["componentType"].as_u64()? {
        BYTE | UNSIGNED_BYTE => Some(1),
        SIGNED_SHORT | SHORT => Some(2),
        INT | FLOAT => Some(4),
        _ => None,
    }
}

/// The number that stands for 1.
pub fn one(accessor: &Value) -> f64 {
    match accessor["componentType"].as_u64() {
        _ if accessor["normalized"] != true => 1.0,
        Some(BYTE) => i8::MAX.into(),
        Some(UNSIGNED_BYTE) => u8::MAX.into(),
        Some(SIGNED_SHORT) => i16::MAX.into(),
        Some(SHORT) => u16::MAX.into(),
        _ => 1.0,
    }
}

/// Vectors of floats, or of whole numbers in their place (`KHR_mesh_quantization`).
pub fn vectors<const N: usize>(file: &Glb, accessor: &Value) -> Option<Vec<[f64; N]>> {
    let component = component(accessor)?;
    if size(accessor)? != component * N {
        return None;
    }
    let kind = accessor["componentType"].as_u64()?;
    let one = one(accessor);
    let vector = |element: &[u8]| {
        let mut vector = [0.0; N];
        for (number, bytes) in vector.iter_mut().zip(element.chunks_exact(component)) {
            *number = match (kind, bytes) {
                (BYTE, &[a]) => f64::from(a as i8),
                (UNSIGNED_BYTE, &[a]) => f64::from(a),
                (SIGNED_SHORT, &[a, b]) => f64::from(i16::from_le_bytes([a, b])),
                (SHORT, &[a, b]) => f64::from(u16::from_le_bytes([a, b])),
                (FLOAT, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
                _ => return None,
            } / one;
        }
        Some(vector)
    };
    elements(file, accessor)?.into_iter().map(vector).collect()
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
