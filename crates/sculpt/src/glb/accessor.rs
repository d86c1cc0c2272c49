//! The numbers of a GLB file: positions, normals, texture coordinates and indices.
//!
//! Every function returns `None` for data that is not in the file: files of remote engines may
//! contradict themselves, and must not cause a panic.

use gltf::accessor::{DataType, Item};
use gltf::json::accessor::{BYTE, FLOAT, SHORT, UNSIGNED_BYTE, UNSIGNED_INT, UNSIGNED_SHORT};
use serde_json::Value;

use super::container::{Glb, index};

/// Returns the bytes of each element of an accessor; `None` if they are sparse or compressed, or are
/// not in the file.
#[cfg(feature = "import")]
pub fn elements<'a>(file: &'a Glb, accessor: &Value) -> Option<Vec<&'a [u8]>> {
    if !is_plain(file, accessor) {
        return None;
    }
    stored_elements(file, accessor)
}

/// Whether an accessor is neither sparse nor compressed. A buffer view with an extension, such as
/// `EXT_meshopt_compression`, holds at best a fallback itself.
#[cfg(feature = "import")]
pub fn is_plain(file: &Glb, accessor: &Value) -> bool {
    let view = file.referenced(accessor, "bufferView", "bufferViews");
    accessor.get("sparse").is_none() && view.is_some_and(|view| view.get("extensions").is_none())
}

/// Returns the bytes of each element in the accessor's buffer view, without its sparse replacements.
fn stored_elements<'a>(file: &'a Glb, accessor: &Value) -> Option<Vec<&'a [u8]>> {
    let view = index(accessor, "bufferView")?;
    let bytes = file.view(view)?;
    let size = component_type(accessor)?.size() * component_count(accessor)?;
    let stride = index(file.list("bufferViews").get(view)?, "byteStride");
    let stride = stride.unwrap_or(size).max(size);
    let from = index(accessor, "byteOffset").unwrap_or_default();
    let element = |at: usize| {
        let start = from.checked_add(at.checked_mul(stride)?)?;
        bytes.get(start..start.checked_add(size)?)
    };
    (0..index(accessor, "count")?).map(element).collect()
}

fn component_type(accessor: &Value) -> Option<DataType> {
    match u32::try_from(accessor["componentType"].as_u64()?).ok()? {
        BYTE => Some(DataType::I8),
        UNSIGNED_BYTE => Some(DataType::U8),
        SHORT => Some(DataType::I16),
        UNSIGNED_SHORT => Some(DataType::U16),
        UNSIGNED_INT => Some(DataType::U32),
        FLOAT => Some(DataType::F32),
        _ => None,
    }
}

/// Returns the number of components of an element; `None` for matrices, which are padded.
fn component_count(accessor: &Value) -> Option<usize> {
    match accessor["type"].as_str()? {
        "SCALAR" => Some(1),
        "VEC2" => Some(2),
        "VEC3" => Some(3),
        "VEC4" => Some(4),
        _ => None,
    }
}

/// Returns the stored number that means 1: the largest of its type in a normalized accessor.
pub fn unit_value(accessor: &Value) -> f64 {
    match component_type(accessor) {
        _ if accessor["normalized"] != true => 1.0,
        Some(DataType::I8) => i8::MAX.into(),
        Some(DataType::U8) => u8::MAX.into(),
        Some(DataType::I16) => i16::MAX.into(),
        Some(DataType::U16) => u16::MAX.into(),
        _ => 1.0,
    }
}

/// Returns the vectors of an accessor of `N` components, of floats or of integers in their place
/// (`KHR_mesh_quantization`).
///
/// All stored numbers fit into 24 bits of precision, so that the quotients here, rounded to `f32`,
/// are those that a division of `f32` gives.
pub fn vectors<const N: usize>(file: &Glb, accessor: &Value) -> Option<Vec<[f64; N]>>
where
    [i8; N]: Item,
    [u8; N]: Item,
    [i16; N]: Item,
    [u16; N]: Item,
    [f32; N]: Item,
{
    with_replacements(file, accessor, [0.0; N], stored_vectors)
}

fn stored_vectors<const N: usize>(file: &Glb, accessor: &Value) -> Option<Vec<[f64; N]>>
where
    [i8; N]: Item,
    [u8; N]: Item,
    [i16; N]: Item,
    [u16; N]: Item,
    [f32; N]: Item,
{
    if component_count(accessor)? != N {
        return None;
    }
    let elements = stored_elements(file, accessor)?;
    let unit = unit_value(accessor);
    match component_type(accessor)? {
        DataType::I8 => Some(decode::<i8, N>(&elements, unit)),
        DataType::U8 => Some(decode::<u8, N>(&elements, unit)),
        DataType::I16 => Some(decode::<i16, N>(&elements, unit)),
        DataType::U16 => Some(decode::<u16, N>(&elements, unit)),
        DataType::F32 => Some(decode::<f32, N>(&elements, unit)),
        DataType::U32 => None,
    }
}

fn decode<T: Into<f64>, const N: usize>(elements: &[&[u8]], unit: f64) -> Vec<[f64; N]>
where
    [T; N]: Item,
{
    let number = |number: T| {
        let number = number.into() / unit;
        // The lowest signed integer would be slightly less than -1.
        if unit == 1.0 {
            number
        } else {
            number.max(-1.0)
        }
    };
    let vectors = elements.iter().map(|bytes| <[T; N]>::from_slice(bytes));
    vectors.map(|vector| vector.map(number)).collect()
}

/// Returns the elements of an accessor: those that `read` finds in its buffer view, or `zero` without
/// a buffer view, with the replacements of a sparse accessor.
fn with_replacements<T: Copy>(
    file: &Glb,
    accessor: &Value,
    zero: T,
    read: impl Fn(&Glb, &Value) -> Option<Vec<T>>,
) -> Option<Vec<T>> {
    let Some(sparse) = accessor.get("sparse") else {
        return read(file, accessor);
    };
    let mut elements = match accessor.get("bufferView") {
        Some(_) => read(file, accessor)?,
        None => {
            // A few bytes could ask for any amount of memory otherwise. A triangle refers to each
            // vertex by at least one byte.
            let count = index(accessor, "count").filter(|count| *count <= file.bin.len())?;
            vec![zero; count]
        }
    };
    // Both parts are laid out as accessors are, but leave out what the accessor itself says.
    let part = |name: &str, inherited: &[(&str, &Value)]| {
        let mut part = sparse.get(name)?.as_object()?.clone();
        part.insert("count".into(), sparse.get("count")?.clone());
        let inherited = inherited.iter();
        part.extend(inherited.map(|(name, value)| ((*name).to_owned(), (*value).clone())));
        Some(Value::Object(part))
    };
    let positions = part("indices", &[("type", &"SCALAR".into())])?;
    let of_accessor = ["componentType", "type", "normalized"].map(|name| (name, &accessor[name]));
    let values = part("values", &of_accessor)?;
    let positions = stored_indices(file, &positions)?;
    for (at, value) in positions.into_iter().zip(read(file, &values)?) {
        *elements.get_mut(at as usize)? = value;
    }
    Some(elements)
}

/// Returns the vectors of an accessor of `N` 32-bit floats, to the last bit; `None` for any other
/// type of numbers.
#[cfg(feature = "import")]
pub fn floats<const N: usize>(file: &Glb, accessor: &Value) -> Option<Vec<[f32; N]>>
where
    [f32; N]: Item,
{
    if component_type(accessor)? != DataType::F32 || component_count(accessor)? != N {
        return None;
    }
    let elements = elements(file, accessor)?.into_iter();
    Some(elements.map(<[f32; N]>::from_slice).collect())
}

/// Returns the indices of an accessor of unsigned integers of any size.
pub fn indices(file: &Glb, accessor: &Value) -> Option<Vec<u32>> {
    with_replacements(file, accessor, 0, stored_indices)
}

fn stored_indices(file: &Glb, accessor: &Value) -> Option<Vec<u32>> {
    if component_count(accessor)? != 1 {
        return None;
    }
    let elements = stored_elements(file, accessor)?.into_iter();
    match component_type(accessor)? {
        DataType::U8 => Some(elements.map(|bytes| u8::from_slice(bytes).into()).collect()),
        DataType::U16 => Some(
            elements
                .map(|bytes| u16::from_slice(bytes).into())
                .collect(),
        ),
        DataType::U32 => Some(elements.map(u32::from_slice).collect()),
        DataType::I8 | DataType::I16 | DataType::F32 => None,
    }
}
