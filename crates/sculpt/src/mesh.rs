//! The closed surface of a model.

use std::collections::HashMap;

use glam::{DMat3, DVec2, DVec3, Vec2, Vec3};

use crate::box_size::BoxSize;
use crate::planar_mesh::PlanarMesh;

/// A closed surface in space: x to the right, y up, z towards the viewer.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    pub positions: Vec<DVec3>,
    /// The texture coordinates of each vertex, from the texture's upper left corner (0, 0) to its
    /// lower right one (1, 1).
    pub uvs: Vec<Vec2>,
    /// The side that each vertex belongs to. On the rim, front and back have vertices of their own.
    pub sides: Vec<Side>,
    /// The vertex that each one is joined with: itself, or another one in the same place whose surface
    /// goes on smoothly.
    pub joined: Vec<u32>,
    /// How many vertices each face has: 3 or 4.
    pub vertices_per_face: usize,
    /// The faces' vertices, counterclockwise seen from outside.
    pub indices: Vec<u32>,
}

/// How the front and the back of a mesh meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rim {
    /// On the contour, where they have no depth. On the base they are joined by a flat surface.
    Sharp,
    /// By a surface at right angles to the plane.
    Upright,
}

/// A side of an object, with its own part of the texture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Front,
    Back,
    /// The flat surface that it stands on.
    Base,
}

impl Mesh {
    /// Joins two copies of a planar mesh along their boundary, one raised to the front and one to the
    /// back.
    ///
    /// `project` returns the position of a point in the plane (y up); `depth` returns how far the
    /// surface is in front of the plane and behind it at that point.
    pub fn raised(
        planar: &PlanarMesh,
        rim: Rim,
        project: impl Fn(Vec2) -> DVec2,
        depth: impl Fn(Vec2) -> [f64; 2],
    ) -> Self {
        let mut mesh = Self {
            vertices_per_face: planar.vertices_per_face,
            ..Self::default()
        };
        let (chains, mut is_rim) = match rim {
            Rim::Sharp => (planar.base_chains(), planar.is_boundary.clone()),
            Rim::Upright => (Vec::new(), vec![false; planar.points.len()]),
        };
        for inner in chains
            .iter()
            .filter_map(|chain| chain.get(1..chain.len() - 1))
        {
            for at in inner {
                is_rim[*at as usize] = false;
            }
        }
        let points = planar.points.iter().zip(is_rim.iter());
        let positions: Vec<[DVec3; 2]> = points
            .map(|(point, is_rim)| {
                let [front, back] = match is_rim {
                    true => [0.0; 2],
                    false => depth(*point),
                };
                [front, -back].map(|z| project(*point).extend(z))
            })
            .collect();
        let front = |at: u32| at;
        let back = |at: u32| at + positions.len() as u32;
        for (at, [position, _]) in positions.iter().enumerate() {
            mesh.add(*position, Side::Front, at as u32);
        }
        for (at, [_, position]) in positions.iter().enumerate() {
            let own = back(at as u32);
            let joined = if is_rim[at] { at as u32 } else { own };
            mesh.add(*position, Side::Back, joined);
        }
        for face in planar.faces() {
            // The planar mesh has y downwards: turning y around reverses the faces' direction.
            mesh.indices.extend(face.iter().rev().map(|at| front(*at)));
            mesh.indices.extend(face.iter().map(|at| back(*at)));
        }
        for chain in &chains {
            mesh.add_base(chain, &positions);
        }
        if rim == Rim::Upright {
            mesh.add_upright_rim(&planar.contour_edges(), &positions);
        }
        mesh.without_unused_vertices()
    }

    fn add(&mut self, position: DVec3, side: Side, joined: u32) -> u32 {
        self.positions.push(position);
        self.sides.push(side);
        self.joined.push(joined);
        self.positions.len() as u32 - 1
    }

    /// Closes the gap between the front and the back of a chain of points, whose ends have no depth.
    ///
    /// Each face is a quad between a point in front and its next one, and the same point behind and
    /// the one before: at the ends these meet, so that quads alone cover all of it.
    fn add_base(&mut self, chain: &[u32], positions: &[[DVec3; 2]]) {
        let vertices: Vec<[u32; 2]> = (chain.iter().enumerate())
            .map(|(at, point)| {
                let [front, back] = positions[*point as usize];
                let next = self.positions.len() as u32;
                let front = self.add(front, Side::Base, next);
                let is_end = at == 0 || at == chain.len() - 1;
                let back = if is_end {
                    front
                } else {
                    self.add(back, Side::Base, next + 1)
                };
                [front, back]
            })
            .collect();
        for around in vertices.windows(3) {
            let [[_, before], [front, back], [after, _]] = [around[0], around[1], around[2]];
            // Cut along the line from the front to the back: no part is then turned around.
            let quad = [front, before, back, after];
            match self.vertices_per_face {
                4 => self.indices.extend(quad),
                _ => self
                    .indices
                    .extend([front, before, back, front, back, after]),
            }
        }
    }

    /// Closes the gap between front and back along the contour. The halves of this surface belong to the
    /// front and to the back, and meet in the plane.
    fn add_upright_rim(&mut self, contour: &[[u32; 2]], positions: &[[DVec3; 2]]) {
        let mut middles = HashMap::new();
        for edge in contour {
            let [a, b] = edge.map(|at| {
                *middles.entry(at).or_insert_with(|| {
                    let middle = positions[at as usize][0].with_z(0.0);
                    let front = self.add(middle, Side::Front, self.positions.len() as u32);
                    [front, self.add(middle, Side::Back, front)]
                })
            });
            let [front_a, front_b] = *edge;
            let [back_a, back_b] = edge.map(|at| at + positions.len() as u32);
            self.add_quad([front_a, front_b, b[0], a[0]]);
            self.add_quad([back_b, back_a, a[1], b[1]]);
        }
    }

    fn add_quad(&mut self, [a, b, c, d]: [u32; 4]) {
        match self.vertices_per_face {
            4 => self.indices.extend([a, b, c, d]),
            _ => self.indices.extend([a, b, c, a, c, d]),
        }
    }

    /// Gives faces that meet at an angle of more than `limit`, in radians, vertices of their own: the
    /// edge between them is then seen as an edge.
    pub fn with_creases(self, limit: f64) -> Self {
        let size = self.vertices_per_face.max(1);
        let place = |corner: usize| self.joined[self.indices[corner] as usize];
        let directions: Vec<DVec3> = (self.faces())
            .map(|face| {
                let corner = |at: usize| self.positions[face[at] as usize];
                // Of a quad, the diagonals.
                let (a, b) = match size {
                    4 => (corner(2) - corner(0), corner(3) - corner(1)),
                    _ => (corner(1) - corner(0), corner(2) - corner(0)),
                };
                a.cross(b).normalize_or_zero()
            })
            .collect();
        let mut groups = Groups::new(self.indices.len());
        let mut edges: HashMap<(u32, u32), [usize; 2]> = HashMap::new();
        for corner in 0..self.indices.len() {
            let face = corner / size;
            let next = face * size + (corner + 1) % size;
            let (from, to) = (place(corner), place(next));
            edges.insert((from, to), [corner, next]);
            let Some([other_to, other_from]) = edges.get(&(to, from)).copied() else {
                continue;
            };
            let cosine = directions[face].dot(directions[other_to / size]);
            if cosine >= limit.cos() {
                groups.join(corner, other_from);
                groups.join(next, other_to);
            }
        }
        let mut numbers = HashMap::new();
        let mut first_of_group = HashMap::new();
        let mut mesh = Self {
            vertices_per_face: self.vertices_per_face,
            ..Self::default()
        };
        for corner in 0..self.indices.len() {
            let (at, group) = (self.indices[corner], groups.of(corner));
            let number = *numbers.entry((at, group)).or_insert_with(|| {
                let next = mesh.positions.len() as u32;
                let joined = *first_of_group.entry(group).or_insert(next);
                let at = at as usize;
                mesh.uvs.extend(self.uvs.get(at));
                mesh.add(self.positions[at], self.sides[at], joined)
            });
            mesh.indices.push(number);
        }
        mesh
    }

    /// Joins all vertices that can be joined: those of front and back on the rim.
    pub fn weld(mut self) -> Self {
        for index in &mut self.indices {
            *index = self.joined[*index as usize];
        }
        self.without_unused_vertices()
    }

    fn without_unused_vertices(self) -> Self {
        let mut new = vec![None; self.positions.len()];
        let mut old = Vec::new();
        // Also the vertices that others are joined with, which faces need not use.
        let indices = self.indices.iter().copied();
        let used: Vec<u32> = indices
            .flat_map(|at| [self.joined[at as usize], at])
            .collect();
        for at in used {
            new[at as usize].get_or_insert_with(|| {
                old.push(at as usize);
                old.len() as u32 - 1
            });
        }
        let number = |at: &u32| new[*at as usize].unwrap_or_default();
        Self {
            positions: old.iter().map(|at| self.positions[*at]).collect(),
            uvs: old
                .iter()
                .filter_map(|at| self.uvs.get(*at).copied())
                .collect(),
            sides: old.iter().map(|at| self.sides[*at]).collect(),
            joined: old.iter().map(|at| number(&self.joined[*at])).collect(),
            indices: self.indices.iter().map(number).collect(),
            ..self
        }
    }

    pub fn faces(&self) -> impl Iterator<Item = &[u32]> {
        // A mesh without faces has 0 vertices per face.
        self.indices.chunks_exact(self.vertices_per_face.max(1))
    }

    /// Returns the faces as triangles; a quad gives the two that share its first vertex.
    pub fn triangles(&self) -> impl Iterator<Item = [u32; 3]> {
        self.faces()
            .flat_map(|face| face[1..].windows(2).map(|pair| [face[0], pair[0], pair[1]]))
    }

    /// Rotates the mesh about the y axis by an angle in radians, counterclockwise seen from above.
    pub fn rotate_y(&mut self, angle: f64) {
        let rotation = DMat3::from_rotation_y(angle);
        for position in &mut self.positions {
            *position = rotation * *position;
        }
    }

    /// Moves and scales the mesh so that its bounding box has this size, or without ordered edges the
    /// same proportions with a longest edge of 1. `pivot` is the place of the origin in the box, from -0.5
    /// to 0.5 of its edges, counted from its center.
    pub fn fit(&mut self, size: BoxSize, pivot: DVec3) {
        let (low, high) = self.bounds();
        let extent = high - low;
        let longest = extent.max_element().max(f64::MIN_POSITIVE);
        let size = size.fit(extent).unwrap_or(extent / longest);
        let divisor = extent.max(DVec3::splat(f64::MIN_POSITIVE));
        for position in &mut self.positions {
            // Exactly -0.5 and 0.5 at the ends of the box.
            let part = (*position - low) / divisor - 0.5;
            *position = (part - pivot) * size;
        }
    }

    fn bounds(&self) -> (DVec3, DVec3) {
        let empty = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        let positions = self.positions.iter();
        positions.fold(empty, |(low, high), position| {
            (low.min(*position), high.max(*position))
        })
    }

    /// Returns the surface's direction at each vertex, a vector of length 1. Joined vertices have the
    /// same.
    ///
    /// It is the mean of the directions of the faces, with the weights of N. Max ("Weights for computing
    /// vertex normals from facet normals", 1999), which are exact on a sphere whatever the lengths of
    /// the edges. By their areas, the long faces next to the contour would count too much.
    pub fn normals(&self) -> Vec<Vec3> {
        let mut sums = vec![DVec3::ZERO; self.positions.len()];
        for triangle in self.triangles() {
            let corners = triangle.map(|at| self.positions[at as usize]);
            for at in 0..3 {
                let [to_next, to_last] = [1, 2].map(|by| corners[(at + by) % 3] - corners[at]);
                let weight = to_next.length_squared() * to_last.length_squared();
                if weight > 0.0 {
                    let sum = &mut sums[self.joined[triangle[at] as usize] as usize];
                    *sum += to_next.cross(to_last) / weight;
                }
            }
        }
        let joined = self.joined.iter();
        joined.map(|at| normalized(sums[*at as usize])).collect()
    }
}

/// Returns the same direction with length 1; the direction towards the viewer for a vector without
/// one.
fn normalized(vector: DVec3) -> Vec3 {
    let largest = vector.abs().max_element();
    if largest == 0.0 || !vector.is_finite() {
        return Vec3::Z;
    }
    // Scaled first: the squares of very small or large vectors leave the range of `f64`.
    let scaled = vector / largest;
    (scaled / scaled.length()).as_vec3()
}

/// Numbers that are joined into groups.
struct Groups {
    /// Another number of the same group, or the number itself for one of each group.
    parents: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self {
            parents: (0..count).collect(),
        }
    }

    fn of(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.parents[a.max(b)] = a.min(b);
    }
}
