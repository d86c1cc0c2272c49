//! Fewer faces for a model that somebody else made.

use std::collections::HashMap;

use meshopt::{SimplifyOptions, SimplifyVertex, simplify_with_attributes_and_locks_decoder};
use serde_json::Value;

use super::container::{Glb, number};
use super::primitive::Primitive;

/// A model of many faces is brought down to so many: as many as engines are asked for that make it
/// of few faces themselves.
const FACES: usize = 5_000;
/// So many are few enough: two of them may be a quad.
const FEW: usize = 2 * FACES;

/// How much a change of the light and one of the texture's place count beside one of the form, which
/// is measured in parts of the model's longest edge.
const LIGHT: f32 = 0.1;
const PLACE: f32 = 1.0;

/// No change may be larger, and no loose part that goes, in parts of the longest edge.
const LARGEST: f32 = 0.05;

/// Makes the model one of few faces, with its materials, textures and parts. False where it still has
/// many: they are packed in a way that is not known here, or cannot be fewer.
pub fn simplify(file: &mut Glb) -> bool {
    let all = faces(file);
    if all <= FEW {
        return true;
    }
    let parts = parts(file);
    let known: usize = parts.iter().map(|part| part.corners.len() / 3).sum();
    let others = all.saturating_sub(known);
    if others > FEW {
        return false;
    }
    let wanted = FACES.saturating_sub(others);
    let is_alone = parts.len() == 1 && others == 0;
    for mut part in parts {
        let share = (part.corners.len() / 3 * wanted).div_ceil(known.max(1));
        let corners = fewer(&part, share, is_alone);
        // One that would vanish stays as it is: a file has no empty ones.
        if !corners.is_empty() {
            part.corners = corners;
            part.write(file);
        }
    }
    faces(file) <= FEW
}

/// How many triangles the file has.
fn faces(file: &Glb) -> usize {
    let meshes = file.list("meshes").iter();
    let primitives = meshes.filter_map(|mesh| mesh["primitives"].as_array());
    primitives.flatten().map(|part| faces_of(file, part)).sum()
}

fn faces_of(file: &Glb, primitive: &Value) -> usize {
    let position = || number(&primitive["attributes"], "POSITION");
    let accessor = number(primitive, "indices").or_else(position);
    let accessor = accessor.and_then(|index| file.list("accessors").get(index));
    let corners = accessor.and_then(|accessor| number(accessor, "count"));
    let corners = corners.unwrap_or_default();
    match primitive.get("mode").map_or(Some(4), Value::as_u64) {
        Some(4) => corners / 3,
        // A strip and a fan.
        Some(5 | 6) => corners.saturating_sub(2),
        _ => 0,
    }
}

/// All that can be simplified. What shares its numbers with others cannot.
fn parts(file: &Glb) -> Vec<Primitive> {
    let mut places = Vec::new();
    let mut uses: HashMap<u64, usize> = HashMap::new();
    for (mesh, value) in file.list("meshes").iter().enumerate() {
        let primitives = value["primitives"].as_array().into_iter().flatten();
        for (at, primitive) in primitives.enumerate() {
            places.push(([mesh, at], primitive));
            for accessor in accessors(primitive) {
                *uses.entry(accessor).or_default() += 1;
            }
        }
    }
    let own = places
        .into_iter()
        .filter(|(_, primitive)| accessors(primitive).all(|accessor| uses[&accessor] == 1));
    own.filter_map(|(at, _)| Primitive::read(file, at))
        .collect()
}

/// The accessors of a primitive.
fn accessors(primitive: &Value) -> impl Iterator<Item = u64> {
    let attributes = primitive["attributes"].as_object().into_iter().flatten();
    let attributes = attributes.filter_map(|(_, accessor)| accessor.as_u64());
    attributes.chain(primitive.get("indices").and_then(Value::as_u64))
}

/// The corners of so many faces in place of the many.
fn fewer(part: &Primitive, faces: usize, is_alone: bool) -> Vec<u32> {
    let mut numbers = Vec::new();
    for at in 0..part.positions.len() {
        let light = part.normals.iter().flat_map(|normals| normals[at]);
        let place = part.places.iter().flat_map(|places| places[at]);
        numbers.extend(light.chain(place));
    }
    let light = part.normals.iter().flat_map(|_| [LIGHT; 3]);
    let place = part.places.iter().flat_map(|_| [PLACE; 2]);
    let weights: Vec<f32> = light.chain(place).collect();
    // A crease of the light may go, a cut of the texture may not.
    let cuts = part.is_cut.iter().map(|is_cut| match is_cut {
        true => SimplifyVertex::Protect,
        false => SimplifyVertex::None,
    });
    // What hangs together with nothing may go, too.
    let mut options = SimplifyOptions::Permissive | SimplifyOptions::Prune;
    if !is_alone {
        // It may meet the others there.
        options |= SimplifyOptions::LockBorder;
    }
    simplify_with_attributes_and_locks_decoder(
        &part.corners,
        &part.positions,
        &numbers,
        &weights,
        size_of::<f32>() * weights.len(),
        &cuts.collect::<Vec<_>>(),
        3 * faces,
        LARGEST,
        options,
        None,
    )
}
