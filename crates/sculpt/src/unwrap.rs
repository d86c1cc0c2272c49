//! Where each vertex is in the texture.
//!
//! The image is projected from the front, so that a side seen edge-on would show a few pixels, drawn
//! out into streaks. There the vertices are moved outwards in the texture, past the contour: the colors
//! go on there.

use std::collections::HashMap;

use glam::{DVec2, DVec3, Vec2};

use crate::mask::ImageRect;
use crate::mesh::{Mesh, Side};
use crate::scalar_field::ScalarField;
use crate::texture::TextureLayout;

/// How much longer an edge is on the surface than in the texture at most, where there is space.
const MAX_STRETCH: f64 = 2.0;

/// Returns the texture coordinates of a mesh that was made from the image's rectangle. `coverage` is
/// that of the rectangle.
pub fn unwrap(
    mesh: &Mesh,
    rect: ImageRect,
    coverage: &ScalarField,
    layout: TextureLayout,
) -> Vec<Vec2> {
    let offsets = offsets(mesh, layout.padding());
    let scale = DVec2::new(coverage.width as f64, coverage.height as f64) / rect.size();
    let is_free = |point: DVec2| {
        let point = (point * scale - 0.5).as_vec2();
        coverage.sample(point.x, point.y) < 0.5 || !is_in(point, coverage)
    };
    let depths = vertices_of(mesh, Side::Base).map(|at| at.z);
    let (behind, front) = depths.fold((0.0, 0.0), |(low, high): (f64, f64), z| {
        (low.min(z), high.max(z))
    });
    let vertices = mesh.positions.iter().zip(&mesh.sides).zip(offsets);
    let uvs = vertices.map(|((position, side), offset)| {
        let point = DVec2::new(position.x, -position.y);
        if *side == Side::Base {
            // Goes on from the lower edge of the back, as if it were folded upwards. A base that is
            // deeper than the object is high must be compressed for that.
            let up = (position.z - behind) * (point.y / (front - behind)).min(1.0);
            return layout.back(point - DVec2::Y * up);
        }
        let mut offset = offset;
        // Not where another part of the object is, nor beyond the middle between them.
        while offset.length() > 0.1 && !is_free(point + 2.0 * offset) {
            offset /= 2.0;
        }
        match side {
            Side::Front => layout.front(point + offset),
            _ => layout.back(point + offset),
        }
    });
    uvs.collect()
}

fn vertices_of(mesh: &Mesh, side: Side) -> impl Iterator<Item = DVec3> {
    let vertices = mesh.positions.iter().zip(&mesh.sides);
    vertices
        .filter(move |(_, of)| **of == side)
        .map(|(position, _)| *position)
}

fn is_in(point: Vec2, field: &ScalarField) -> bool {
    (0.0..field.width as f32).contains(&point.x) && (0.0..field.height as f32).contains(&point.y)
}

/// Returns how far each vertex is moved in the plane, y downwards, by at most `max`.
fn offsets(mesh: &Mesh, max: f64) -> Vec<DVec2> {
    let mut neighbors: HashMap<u32, Vec<u32>> = HashMap::new();
    for triangle in mesh.triangles() {
        let [a, b, c] = triangle;
        for (from, to) in [(a, b), (b, c), (c, a), (b, a), (c, b), (a, c)] {
            neighbors.entry(from).or_default().push(to);
        }
    }
    let height = |at: u32| mesh.positions[at as usize].z.abs();
    let mut order: Vec<u32> = (0..mesh.positions.len() as u32).collect();
    // From the middle to the rim: each vertex goes on from those above it.
    order.sort_by(|a, b| height(*b).total_cmp(&height(*a)).then(a.cmp(b)));
    let normals = mesh.normals();
    let mut offsets = vec![DVec2::ZERO; mesh.positions.len()];
    for at in order {
        if mesh.sides[at as usize] == Side::Base {
            continue;
        }
        let (mut sum, mut direction, mut weight) = (0.0, DVec2::ZERO, 0.0);
        for other in neighbors.get(&at).into_iter().flatten() {
            let fall = height(*other) - height(at);
            if fall <= 0.0 {
                continue;
            }
            let step: DVec3 = mesh.positions[at as usize] - mesh.positions[*other as usize];
            let flat = DVec2::new(step.x, -step.y);
            let outwards = match flat.length() > 1e-3 * step.length() {
                true => flat.normalize(),
                // At right angles to the plane.
                false => DVec2::new(
                    normals[at as usize].x.into(),
                    (-normals[at as usize].y).into(),
                ),
            };
            let before = offsets[*other as usize].length() * (1.0 - flat.length() / max).max(0.0);
            let missing = (step.length() / MAX_STRETCH - flat.length()).max(0.0);
            let steepness = fall / step.length();
            sum += steepness * (before + missing);
            direction += steepness * outwards;
            weight += steepness;
        }
        if weight > 0.0 {
            offsets[at as usize] = direction.normalize_or_zero() * (sum / weight).min(max);
        }
    }
    offsets
}
