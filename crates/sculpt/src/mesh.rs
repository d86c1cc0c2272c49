//! The closed surface of a model.

use glam::{DMat3, DVec2, DVec3, Vec2, Vec3};

use crate::planar_mesh::PlanarMesh;

/// A closed surface in space: x to the right, y up, z towards the viewer.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    pub positions: Vec<DVec3>,
    /// The texture coordinates of each vertex, from the texture's upper left corner (0, 0) to its
    /// lower right one (1, 1).
    pub uvs: Vec<Vec2>,
    /// How many vertices each face has: 3 or 4.
    pub vertices_per_face: usize,
    /// The faces' vertices, counterclockwise seen from outside.
    pub indices: Vec<u32>,
}

impl Mesh {
    /// Joins two copies of a planar mesh along their boundary, one raised to the front and one to the
    /// back.
    ///
    /// `project` returns the texture coordinates of a point and its position in the plane (y up);
    /// `depth` returns how far the surface is in front of the plane and behind it at that point.
    pub fn raised(
        planar: &PlanarMesh,
        project: impl Fn(Vec2) -> (Vec2, DVec2),
        depth: impl Fn(Vec2) -> [f64; 2],
    ) -> Self {
        let mut mesh = Self {
            vertices_per_face: planar.vertices_per_face,
            ..Self::default()
        };
        let mut add = |point: Vec2, z: f64| {
            let (uv, position) = project(point);
            mesh.positions.push(position.extend(z));
            mesh.uvs.push(uv);
            mesh.positions.len() as u32 - 1
        };
        let is_boundary = |at: usize| planar.is_boundary[at];
        let front: Vec<_> = (planar.points.iter().enumerate())
            .map(|(at, point)| match is_boundary(at) {
                true => add(*point, 0.0),
                false => add(*point, depth(*point)[0]),
            })
            .collect();
        let back: Vec<_> = (planar.points.iter().enumerate())
            .map(|(at, point)| match is_boundary(at) {
                true => front[at],
                false => add(*point, -depth(*point)[1]),
            })
            .collect();
        for face in planar.faces() {
            let on = |side: &[u32], vertex: &u32| side[*vertex as usize];
            // The planar mesh has y downwards: turning y around reverses the faces' direction.
            mesh.indices
                .extend(face.iter().rev().map(|at| on(&front, at)));
            mesh.indices.extend(face.iter().map(|at| on(&back, at)));
        }
        mesh.without_unused_vertices()
    }

    fn without_unused_vertices(mut self) -> Self {
        let mut new = vec![None; self.positions.len()];
        let (mut positions, mut uvs) = (Vec::new(), Vec::new());
        for index in &mut self.indices {
            let old = *index as usize;
            *index = *new[old].get_or_insert_with(|| {
                positions.push(self.positions[old]);
                uvs.push(self.uvs[old]);
                positions.len() as u32 - 1
            });
        }
        Self {
            positions,
            uvs,
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

    /// Moves and scales the mesh so that its bounding box has this size, or without a size the same
    /// proportions with a longest edge of 1. `pivot` is the place of the origin in the box, from -0.5
    /// to 0.5 of its edges, counted from its center.
    pub fn fit(&mut self, size: Option<DVec3>, pivot: DVec3) {
        let (low, high) = self.bounds();
        let extent = high - low;
        let longest = extent.max_element().max(f64::MIN_POSITIVE);
        let size = size.unwrap_or(extent / longest);
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

    /// Returns the surface's direction at each vertex, a vector of length 1: the mean of its faces'
    /// directions, weighted by their areas.
    pub fn normals(&self) -> Vec<Vec3> {
        let mut sums = vec![DVec3::ZERO; self.positions.len()];
        for triangle in self.triangles() {
            let [a, b, c] = triangle.map(|at| self.positions[at as usize]);
            // Its length is twice the triangle's area.
            let direction = (b - a).cross(c - a);
            for at in triangle {
                sums[at as usize] += direction;
            }
        }
        sums.into_iter().map(normalized).collect()
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
