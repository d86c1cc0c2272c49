//! The triangles of a binary glTF file, to be changed and put back.

use std::collections::HashMap;
use std::hash::Hash;

use serde_json::{Value, json};

use super::accessor::{self, INT, SHORT};
use super::container::{Glb, number};

/// What the vertices and the indices of a file are for.
const VERTICES: u32 = 34962;
const INDICES: u32 = 34963;

/// A primitive of triangles.
pub struct Primitive {
    /// Its mesh, and its place there.
    pub at: [usize; 2],
    /// The accessor of its indices, where it has one.
    indices: Option<usize>,
    attributes: Vec<Attribute>,
    /// Where each vertex is. No two are alike.
    pub positions: Vec<[f32; 3]>,
    /// Where light comes from; nothing where the file does not say so, or says it in other numbers.
    pub normals: Option<Vec<[f32; 3]>>,
    /// Where on the texture it is; likewise.
    pub places: Option<Vec<[f32; 2]>>,
    /// Whether another vertex at the same place looks otherwise: the texture is cut there.
    pub is_cut: Vec<bool>,
    pub corners: Vec<u32>,
}

/// Something that each vertex has.
struct Attribute {
    accessor: usize,
    /// In bytes.
    size: usize,
    bytes: Vec<u8>,
}

impl Primitive {
    /// Reads one; `None` where it is none of triangles, or something in it is not known here.
    pub fn read(file: &Glb, at: [usize; 2]) -> Option<Self> {
        let primitive = &file.list("meshes").get(at[0])?["primitives"][at[1]];
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
        let of = |wanted: &str| named.iter().find(|(name, ..)| *name == wanted);
        let positions = accessor::floats::<3>(file, of("POSITION")?.2)?;
        if !are_plain(&positions) {
            return None;
        }
        let count = positions.len();
        let indices = number(primitive, "indices");
        let mut corners = match indices {
            Some(index) => accessor::indices(file, accessor(index)?)?,
            None => (0..count as u32).collect(),
        };
        corners.truncate(corners.len() / 3 * 3);
        if corners.is_empty() {
            return None;
        }
        let elements: Vec<_> = named
            .iter()
            .map(|(_, _, accessor)| accessor::elements(file, accessor))
            .collect::<Option<_>>()?;
        if elements.iter().any(|elements| elements.len() != count) {
            return None;
        }

        let is_light: Vec<_> = named
            .iter()
            .map(|(name, ..)| ["NORMAL", "TANGENT"].contains(name))
            .collect();
        let exact = Merged::by(count, |at| -> Vec<&[u8]> {
            elements.iter().map(|all| all[at]).collect()
        });
        let alike = Merged::by(count, |at| -> Vec<&[u8]> {
            let elements = elements.iter().zip(&is_light);
            let looks = elements.filter(|(_, is_light)| !**is_light);
            looks.map(|(all, _)| all[at]).collect()
        });
        let mut looks: HashMap<_, usize> = HashMap::new();
        let place = |at: usize| positions[at].map(f32::to_bits);
        for at in &alike.first {
            *looks.entry(place(*at)).or_default() += 1;
        }
        // Where almost each face is lit for itself, the light of those that meet is mixed.
        let is_faceted = exact.first.len() > 2 * alike.first.len();
        let merged = if is_faceted { alike } else { exact };

        for corner in &mut corners {
            *corner = *merged.new.get(*corner as usize)?;
        }
        let first = merged.first.iter();
        let normals = of("NORMAL").and_then(|(.., normals)| accessor::floats(file, normals));
        let normals = normals.filter(|normals| are_plain(normals));
        let normals = normals.map(|normals| merged.mixed(&normals));
        let places = of("TEXCOORD_0").and_then(|(.., places)| accessor::floats(file, places));
        let places = places.filter(|places| are_plain(places));
        let attributes = named.iter().zip(&elements).map(|((name, index, _), all)| {
            let bytes = match (*name, &normals) {
                ("NORMAL", Some(normals)) => {
                    let numbers = normals.iter().flatten();
                    numbers.flat_map(|number| number.to_le_bytes()).collect()
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
            at,
            indices,
            attributes: attributes.collect(),
            positions: first.clone().map(|at| positions[*at]).collect(),
            places: places.map(|places| first.clone().map(|at| places[*at]).collect()),
            is_cut: first.clone().map(|at| looks[&place(*at)] > 1).collect(),
            normals,
            corners,
        })
    }

    /// Puts it where it was read, without the vertices that no face uses any more.
    pub fn write(mut self, file: &mut Glb) {
        let mut kept = Vec::new();
        let mut new = vec![None; self.positions.len()];
        for corner in &mut self.corners {
            let old = *corner as usize;
            *corner = *new[old].get_or_insert_with(|| {
                kept.push(old);
                kept.len() as u32 - 1
            });
        }
        let [mesh, at] = self.at;
        let position =
            file.list("meshes")[mesh]["primitives"][at]["attributes"]["POSITION"].clone();
        for Attribute {
            accessor,
            size,
            bytes: all,
        } in self.attributes
        {
            // Each begins at a multiple of four.
            let stride = size.next_multiple_of(4);
            let mut bytes = Vec::with_capacity(stride * kept.len());
            for old in &kept {
                bytes.extend(&all[old * size..][..size]);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            let view = file.add(bytes, json!({"byteStride": stride, "target": VERTICES}));
            let value = &mut file.list_mut("accessors")[accessor];
            point(value, view, kept.len());
            if position == accessor {
                let bound = |choose: fn(f32, f32) -> f32| {
                    let places = kept.iter().map(|old| self.positions[*old]);
                    places.reduce(|a, b| [0, 1, 2].map(|axis| choose(a[axis], b[axis])))
                };
                value["min"] = json!(bound(f32::min));
                value["max"] = json!(bound(f32::max));
            }
        }
        // The largest short of all means something else.
        let is_short = kept.len() <= usize::from(u16::MAX);
        let corners = self.corners.iter();
        let bytes = match is_short {
            true => corners.flat_map(|at| (*at as u16).to_le_bytes()).collect(),
            false => corners.flat_map(|at| at.to_le_bytes()).collect(),
        };
        let view = file.add(bytes, json!({"target": INDICES}));
        let index = self
            .indices
            .unwrap_or_else(|| file.push("accessors", json!({"type": "SCALAR"})));
        let value = &mut file.list_mut("accessors")[index];
        point(value, view, self.corners.len());
        value["componentType"] = if is_short { SHORT } else { INT }.into();
        let mesh = &mut file.list_mut("meshes")[mesh];
        mesh["primitives"][at]["indices"] = index.into();
        // Nor are each two of them a quad any more.
        if let Some(Value::Object(extras)) = mesh.get_mut("extras") {
            extras.remove("topology");
        }
    }
}

/// Whether the squares of all of it are numbers, too.
fn are_plain<const N: usize>(vectors: &[[f32; N]]) -> bool {
    vectors.iter().flatten().all(|number| number.abs() < 1e15)
}

/// Has an accessor hold all of a view.
fn point(accessor: &mut Value, view: usize, count: usize) {
    if let Value::Object(fields) = accessor {
        for name in ["byteOffset", "min", "max"] {
            fields.remove(name);
        }
        fields.insert("bufferView".into(), view.into());
        fields.insert("count".into(), count.into());
    }
}

/// Vertices, of which those that are the same in some way have become one.
struct Merged {
    /// Which one each has become.
    new: Vec<u32>,
    /// The first of each.
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

    /// The mean direction of those that have become one; of length 1 where there is one.
    fn mixed(&self, directions: &[[f32; 3]]) -> Vec<[f32; 3]> {
        let mut sums = vec![[0.0; 3]; self.first.len()];
        for (new, direction) in self.new.iter().zip(directions) {
            for (sum, number) in sums[*new as usize].iter_mut().zip(direction) {
                *sum += number;
            }
        }
        let mixed = sums.iter().zip(&self.first).map(|(sum, first)| {
            let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
            match length.is_normal() {
                true => sum.map(|x| x / length),
                false => directions[*first],
            }
        });
        mixed.collect()
    }
}
