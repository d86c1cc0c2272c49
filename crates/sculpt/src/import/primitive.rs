//! The triangles of a GLB file, to be changed and written back.

use std::collections::HashMap;
use std::hash::Hash;

use glam::{Vec2, Vec3};
use gltf::json::accessor::{UNSIGNED_INT, UNSIGNED_SHORT};
use gltf::json::buffer::{ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER};
use serde_json::{Value, json};

use crate::glb::{Glb, clear_quads, elements, floats, index, indices, is_plain};

/// The greatest coordinate that is accepted: the squares of larger ones leave the range of `f32`.
const MAX_COORDINATE: f32 = 1e15;

/// The place of a primitive in a file.
#[derive(Clone, Copy, Debug)]
pub struct PrimitiveId {
    pub mesh: usize,
    /// Its index in the mesh.
    pub primitive: usize,
}

/// A primitive of triangles, without vertices that are equal to others.
pub struct Primitive {
    id: PrimitiveId,
    /// The accessor of its indices; `None` if it has none.
    index_accessor: Option<usize>,
    attributes: Vec<Attribute>,
    /// The position of each vertex.
    pub positions: Vec<Vec3>,
    /// The surface's direction at each vertex, of length 1; `None` if the file has no normals, or has
    /// them in integers.
    pub normals: Option<Vec<Vec3>>,
    /// The texture coordinates (`TEXCOORD_0`) of each vertex; `None` as for normals.
    pub uvs: Option<Vec<Vec2>>,
    /// Whether another vertex at the same position differs in more than its normal: the texture has a
    /// seam there.
    pub is_seam: Vec<bool>,
    /// The triangles' vertices.
    pub indices: Vec<u32>,
}

/// Data of each vertex, in the file's own types.
struct Attribute {
    accessor: usize,
    /// The size of each vertex's part, in bytes.
    size: usize,
    bytes: Vec<u8>,
}

impl Primitive {
    /// Reads a primitive; `None` if it has other faces than triangles, or data in an unknown form.
    pub fn read(file: &Glb, id: PrimitiveId) -> Option<Self> {
        let primitive = &file.list("meshes").get(id.mesh)?["primitives"][id.primitive];
        let mut extensions = primitive["extensions"].as_object().into_iter().flatten();
        if primitive.get("mode").is_some_and(|mode| *mode != 4)
            || primitive.get("targets").is_some()
            || extensions.any(|(name, _)| name != "KHR_materials_variants")
        {
            return None;
        }
        let accessor = |index: usize| file.list("accessors").get(index);
        let mut named = Vec::new();
        for (name, index) in primitive["attributes"].as_object()? {
            let index = index.as_u64()? as usize;
            named.push((name.as_str(), index, accessor(index)?));
        }
        let find = |wanted: &str| named.iter().find(|(name, ..)| *name == wanted);
        let positions: Vec<Vec3> = vectors::<3, _>(file, find("POSITION")?.2)?;
        let count = positions.len();
        let index_accessor = index(primitive, "indices");
        let mut corners = match index_accessor {
            Some(index) => {
                let accessor = accessor(index).filter(|accessor| is_plain(file, accessor))?;
                indices(file, accessor)?
            }
            None => (0..count as u32).collect(),
        };
        corners.truncate(corners.len() / 3 * 3);
        if corners.is_empty() {
            return None;
        }
        let elements: Vec<_> = named
            .iter()
            .map(|(_, _, accessor)| elements(file, accessor))
            .collect::<Option<_>>()?;
        if elements.iter().any(|elements| elements.len() != count) {
            return None;
        }

        let exact = Merged::by(count, |at| -> Vec<&[u8]> {
            elements.iter().map(|all| all[at]).collect()
        });
        let without_normals = Merged::by(count, |at| -> Vec<&[u8]> {
            let elements = named.iter().zip(&elements);
            let others = elements.filter(|((name, ..), _)| !["NORMAL", "TANGENT"].contains(name));
            others.map(|(_, all)| all[at]).collect()
        });
        let mut variants: HashMap<_, usize> = HashMap::new();
        let position = |at: usize| positions[at].to_array().map(f32::to_bits);
        for at in &without_normals.first {
            *variants.entry(position(*at)).or_default() += 1;
        }
        // In a model that is shaded flat, nearly every face has vertices of its own, and nothing could
        // be simplified: its normals are averaged.
        let is_shaded_flat = exact.first.len() > 2 * without_normals.first.len();
        let merged = if is_shaded_flat {
            without_normals
        } else {
            exact
        };

        for corner in &mut corners {
            *corner = *merged.new.get(*corner as usize)?;
        }
        let first = merged.first.iter();
        let normals = find("NORMAL").and_then(|(.., normals)| vectors::<3, _>(file, normals));
        let normals = normals.map(|normals| merged.averaged(&normals));
        let uvs = find("TEXCOORD_0").and_then(|(.., uvs)| vectors::<2, Vec2>(file, uvs));
        let attributes = named.iter().zip(&elements).map(|((name, index, _), all)| {
            let bytes = match (*name, &normals) {
                ("NORMAL", Some(normals)) => {
                    let numbers = normals.iter().flat_map(Vec3::to_array);
                    numbers.flat_map(f32::to_le_bytes).collect()
                }
                _ => first.clone().flat_map(|at| all[*at]).copied().collect(),
            };
            Attribute {
                accessor: *index,
                size: all.first().map_or(0, |element| element.len()),
                bytes,
            }
        });
        Some(Self {
            id,
            index_accessor,
            attributes: attributes.collect(),
            positions: first.clone().map(|at| positions[*at]).collect(),
            uvs: uvs.map(|uvs| first.clone().map(|at| uvs[*at]).collect()),
            is_seam: first
                .clone()
                .map(|at| variants[&position(*at)] > 1)
                .collect(),
            normals,
            indices: corners,
        })
    }

    /// Writes the primitive to where it was read, without vertices that no triangle uses.
    pub fn write(mut self, file: &mut Glb) {
        let mut kept = Vec::new();
        let mut new = vec![None; self.positions.len()];
        for index in &mut self.indices {
            let old = *index as usize;
            *index = *new[old].get_or_insert_with(|| {
                kept.push(old);
                kept.len() as u32 - 1
            });
        }
        let PrimitiveId { mesh, primitive } = self.id;
        let position_accessor =
            file.list("meshes")[mesh]["primitives"][primitive]["attributes"]["POSITION"].clone();
        for Attribute {
            accessor,
            size,
            bytes: all,
        } in self.attributes
        {
            // glTF requires that each vertex begins at a multiple of 4.
            let stride = size.next_multiple_of(4);
            let mut bytes = Vec::with_capacity(stride * kept.len());
            for old in &kept {
                bytes.extend(&all[old * size..][..size]);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            let view = file.push_view(bytes, json!({"byteStride": stride, "target": ARRAY_BUFFER}));
            let value = &mut file.list_mut("accessors")[accessor];
            refer_to_view(value, view, kept.len());
            if position_accessor == accessor {
                let bound = |choose: fn(Vec3, Vec3) -> Vec3| {
                    let positions = kept.iter().map(|old| self.positions[*old]);
                    positions.reduce(choose).map(|bound| bound.to_array())
                };
                value["min"] = json!(bound(Vec3::min));
                value["max"] = json!(bound(Vec3::max));
            }
        }
        // 65,535 itself is the value that restarts a primitive.
        let is_short = kept.len() <= usize::from(u16::MAX);
        let indices = self.indices.iter();
        let bytes = match is_short {
            true => indices.flat_map(|at| (*at as u16).to_le_bytes()).collect(),
            false => indices.flat_map(|at| at.to_le_bytes()).collect(),
        };
        let view = file.push_view(bytes, json!({"target": ELEMENT_ARRAY_BUFFER}));
        let index_accessor = self
            .index_accessor
            .unwrap_or_else(|| file.push("accessors", json!({"type": "SCALAR"})));
        let value = &mut file.list_mut("accessors")[index_accessor];
        refer_to_view(value, view, self.indices.len());
        value["componentType"] = if is_short {
            UNSIGNED_SHORT
        } else {
            UNSIGNED_INT
        }
        .into();
        let mesh = &mut file.list_mut("meshes")[mesh];
        mesh["primitives"][primitive]["indices"] = index_accessor.into();
        clear_quads(mesh);
    }
}

/// Returns the vectors of an accessor of floats; `None` if one of them is not a number or beyond
/// `MAX_COORDINATE`.
fn vectors<const N: usize, V: From<[f32; N]>>(file: &Glb, accessor: &Value) -> Option<Vec<V>>
where
    [f32; N]: gltf::accessor::Item,
{
    let vectors = floats::<N>(file, accessor)?;
    let mut numbers = vectors.iter().flatten();
    let is_in_range = numbers.all(|number| number.abs() < MAX_COORDINATE);
    is_in_range.then(|| vectors.into_iter().map(V::from).collect())
}

/// Has an accessor of `count` elements refer to all of a buffer view.
fn refer_to_view(accessor: &mut Value, view: usize, count: usize) {
    if let Value::Object(fields) = accessor {
        for name in ["byteOffset", "min", "max"] {
            fields.remove(name);
        }
        fields.insert("bufferView".into(), view.into());
        fields.insert("count".into(), count.into());
    }
}

/// Vertices of which those with the same key are merged.
struct Merged {
    /// The merged vertex of each vertex.
    new: Vec<u32>,
    /// The first vertex of each merged one.
    first: Vec<usize>,
}

impl Merged {
    fn by<K: Eq + Hash>(count: usize, key: impl Fn(usize) -> K) -> Self {
        let (mut new, mut first) = (Vec::with_capacity(count), Vec::new());
        let mut known = HashMap::new();
        for at in 0..count {
            new.push(*known.entry(key(at)).or_insert_with(|| {
                first.push(at);
                first.len() as u32 - 1
            }));
        }
        Self { new, first }
    }

    /// Returns the mean direction of each merged vertex, of length 1; the first of its directions if
    /// they cancel each other out.
    fn averaged(&self, directions: &[Vec3]) -> Vec<Vec3> {
        let mut sums = vec![Vec3::ZERO; self.first.len()];
        for (new, direction) in self.new.iter().zip(directions) {
            sums[*new as usize] += *direction;
        }
        let averaged = sums.iter().zip(&self.first).map(|(sum, first)| {
            let length = sum.length();
            match length.is_normal() {
                true => *sum / length,
                false => directions[*first],
            }
        });
        averaged.collect()
    }
}
