//! Binary glTF opened for its triangles, whatever extensions it has for other things.

use std::borrow::Cow;

use gltf::accessor::{DataType, Item, Iter};
use gltf::buffer::Source;
use gltf::json::Root;
use gltf::{Accessor, Buffer, Document, Glb, Gltf};

/// Extensions without which the triangles cannot be read, or are not all there.
const HINDRANCES: [&str; 4] = [
    "EXT_mesh_gpu_instancing",
    "EXT_meshopt_compression",
    "KHR_draco_mesh_compression",
    "KHR_meshopt_compression",
];

/// Opens a file.
///
/// # Errors
/// Its triangles cannot be read, or it is invalid, in words.
pub fn open(glb: &[u8]) -> Result<Gltf, String> {
    let words = |error: gltf::Error| error.to_string();
    let file = Glb::from_slice(glb).map_err(words)?;
    let mut root = Root::from_slice(&file.json).map_err(|error| error.to_string())?;
    // The reader refuses all that it does not know, even where it is about the look alone.
    let required = std::mem::take(&mut root.extensions_required);
    if let Some(name) = required.iter().find(|it| HINDRANCES.contains(&it.as_str())) {
        return Err(format!("its triangles need {name}, which is not read here"));
    }
    Ok(Gltf {
        document: Document::from_json(root).map_err(words)?,
        blob: file.bin.map(Cow::into_owned),
    })
}

/// The bytes of a buffer, where it is the one that lies in the file.
pub fn data<'a>(file: &'a Gltf, buffer: &Buffer) -> Option<&'a [u8]> {
    let is_inside = buffer.index() == 0 && matches!(buffer.source(), Source::Bin);
    file.blob.as_deref().filter(|_| is_inside)
}

/// An accessor's vectors, which may be whole numbers (`KHR_mesh_quantization`) in place of floats.
pub fn vectors<const N: usize>(file: &Gltf, accessor: Accessor) -> Option<Vec<[f32; N]>>
where
    [i8; N]: Item,
    [u8; N]: Item,
    [i16; N]: Item,
    [u16; N]: Item,
    [f32; N]: Item,
{
    if accessor.dimensions().multiplicity() != N || accessor.count() == 0 {
        return None;
    }
    match accessor.data_type() {
        DataType::I8 => read::<i8, N>(file, accessor, i8::MAX),
        DataType::U8 => read::<u8, N>(file, accessor, u8::MAX),
        DataType::I16 => read::<i16, N>(file, accessor, i16::MAX),
        DataType::U16 => read::<u16, N>(file, accessor, u16::MAX),
        DataType::F32 => read::<f32, N>(file, accessor, 1.0),
        DataType::U32 => None,
    }
}

/// `one` is the number that stands for 1 in a normalised accessor.
fn read<T: Into<f32>, const N: usize>(
    file: &Gltf,
    accessor: Accessor,
    one: T,
) -> Option<Vec<[f32; N]>>
where
    [T; N]: Item,
{
    let is_normalised = accessor.normalized();
    let one = one.into();
    let float = |number: T| match is_normalised {
        // The lowest of the signed ones lies a little below.
        true => (number.into() / one).max(-1.0),
        false => number.into(),
    };
    let vectors = Iter::<[T; N]>::new(accessor, |buffer| data(file, &buffer))?;
    Some(vectors.map(|vector| vector.map(float)).collect())
}
