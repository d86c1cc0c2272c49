//! Reduces the faces of a model from a remote engine.

use std::collections::HashMap;

use meshopt::{SimplifyOptions, SimplifyVertex, simplify_with_attributes_and_locks_decoder};
use serde_json::Value;

use super::primitive::{Primitive, PrimitiveId};
use crate::glb::{Glb, index};

/// The number of triangles that a model is reduced to: the same number that is requested from remote
/// engines that make low-poly models themselves.
const TARGET_TRIANGLES: usize = 5_000;
/// The number of triangles up to which a model is low-poly already: two of them may be a quad.
const MAX_TRIANGLES: usize = 2 * TARGET_TRIANGLES;

/// The weights of a change of a normal, and of texture coordinates, beside a change of the position
/// in parts of the model's longest edge.
const NORMAL_WEIGHT: f32 = 0.1;
const UV_WEIGHT: f32 = 1.0;

/// The largest error, and the largest loose part that is removed, in parts of the model's longest
/// edge.
const MAX_ERROR: f32 = 0.05;

/// Reduces a model to at most [`MAX_TRIANGLES`], with its materials, textures and parts. Returns
/// `false` if it still has more: its data is in an unknown form, or its shape needs them.
pub fn simplify(file: &mut Glb) -> bool {
    let all = triangle_count(file);
    if all <= MAX_TRIANGLES {
        return true;
    }
    let primitives = readable_primitives(file);
    let readable: usize = primitives.iter().map(|it| it.indices.len() / 3).sum();
    let unreadable = all.saturating_sub(readable);
    if unreadable > MAX_TRIANGLES {
        return false;
    }
    let target = TARGET_TRIANGLES.saturating_sub(unreadable);
    let borders = match primitives.len() == 1 && unreadable == 0 {
        true => Borders::Free,
        false => Borders::Locked,
    };
    for mut primitive in primitives {
        let share = (primitive.indices.len() / 3 * target).div_ceil(readable.max(1));
        let indices = simplified(&primitive, share, borders);
        // glTF has no empty primitives: one that would vanish stays as it is.
        if !indices.is_empty() {
            primitive.indices = indices;
            primitive.write(file);
        }
    }
    triangle_count(file) <= MAX_TRIANGLES
}

/// Whether vertices on the border of a primitive may move.
#[derive(Clone, Copy)]
enum Borders {
    /// They may: there is nothing else that the primitive could meet there.
    Free,
    /// They may not, or gaps to other primitives would open.
    Locked,
}

/// Returns the number of triangles in the file.
fn triangle_count(file: &Glb) -> usize {
    let meshes = file.list("meshes").iter();
    let primitives = meshes.filter_map(|mesh| mesh["primitives"].as_array());
    let primitives = primitives.flatten();
    primitives
        .map(|it| primitive_triangle_count(file, it))
        .sum()
}

fn primitive_triangle_count(file: &Glb, primitive: &Value) -> usize {
    const TRIANGLES: u64 = 4;
    const TRIANGLE_STRIP: u64 = 5;
    const TRIANGLE_FAN: u64 = 6;
    let position = || index(&primitive["attributes"], "POSITION");
    let accessor = index(primitive, "indices").or_else(position);
    let accessor = accessor.and_then(|index| file.list("accessors").get(index));
    let corners = accessor.and_then(|accessor| index(accessor, "count"));
    let corners = corners.unwrap_or_default();
    match primitive.get("mode").map_or(Some(TRIANGLES), Value::as_u64) {
        Some(TRIANGLES) => corners / 3,
        Some(TRIANGLE_STRIP | TRIANGLE_FAN) => corners.saturating_sub(2),
        _ => 0,
    }
}

/// Returns all primitives that can be simplified. Those that share data with others cannot.
fn readable_primitives(file: &Glb) -> Vec<Primitive> {
    let mut primitives = Vec::new();
    let mut uses: HashMap<u64, usize> = HashMap::new();
    for (mesh, value) in file.list("meshes").iter().enumerate() {
        let list = value["primitives"].as_array().into_iter().flatten();
        for (primitive, value) in list.enumerate() {
            primitives.push((PrimitiveId { mesh, primitive }, value));
            for accessor in accessors(value) {
                *uses.entry(accessor).or_default() += 1;
            }
        }
    }
    let unshared = primitives
        .into_iter()
        .filter(|(_, primitive)| accessors(primitive).all(|accessor| uses[&accessor] == 1));
    unshared
        .filter_map(|(id, _)| Primitive::read(file, id))
        .collect()
}

/// Returns the indices of a primitive's accessors.
fn accessors(primitive: &Value) -> impl Iterator<Item = u64> {
    let attributes = primitive["attributes"].as_object().into_iter().flatten();
    let attributes = attributes.filter_map(|(_, accessor)| accessor.as_u64());
    attributes.chain(primitive.get("indices").and_then(Value::as_u64))
}

/// Returns the indices of about this many triangles in place of the primitive's own.
fn simplified(primitive: &Primitive, triangles: usize, borders: Borders) -> Vec<u32> {
    let mut attributes = Vec::new();
    for at in 0..primitive.positions.len() {
        if let Some(normals) = &primitive.normals {
            attributes.extend(normals[at].to_array());
        }
        if let Some(uvs) = &primitive.uvs {
            attributes.extend(uvs[at].to_array());
        }
    }
    let mut weights = Vec::new();
    if primitive.normals.is_some() {
        weights.extend([NORMAL_WEIGHT; 3]);
    }
    if primitive.uvs.is_some() {
        weights.extend([UV_WEIGHT; 2]);
    }
    let locks: Vec<_> = primitive
        .is_seam
        .iter()
        .map(|is_seam| match is_seam {
            true => SimplifyVertex::Protect,
            false => SimplifyVertex::None,
        })
        .collect();
    // Permissive: an edge where only the normals differ may collapse. Prune: so may loose parts.
    let mut options = SimplifyOptions::Permissive | SimplifyOptions::Prune;
    if matches!(borders, Borders::Locked) {
        options |= SimplifyOptions::LockBorder;
    }
    let positions: Vec<_> = primitive.positions.iter().map(|it| it.to_array()).collect();
    simplify_with_attributes_and_locks_decoder(
        &primitive.indices,
        &positions,
        &attributes,
        &weights,
        size_of::<f32>() * weights.len(),
        &locks,
        3 * triangles,
        MAX_ERROR,
        options,
        None,
    )
}
