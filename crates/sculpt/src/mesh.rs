//! The closed surface.

use std::f64::consts::TAU;

use crate::flat::Flat;
use crate::outline::Point;

/// A closed surface in space: x to the right, y up, z towards the viewer.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    pub positions: Vec<[f64; 3]>,
    /// Where each corner lies on the texture, from the upper left one (0, 0) to the lower right one
    /// (1, 1).
    pub uvs: Vec<[f32; 2]>,
    /// How many corners each face has: three or four.
    pub sides: usize,
    /// The faces' corners, counterclockwise seen from outside.
    pub corners: Vec<u32>,
}

impl Mesh {
    /// Two copies of a flat mesh that meet on the outline, raised to the front and to the back.
    ///
    /// `place` says where a point lies on the texture and in the plane (y up), and `depth` how far
    /// before and behind the plane the surface is there.
    pub fn raised(
        flat: &Flat,
        place: impl Fn(Point) -> ([f32; 2], [f64; 2]),
        depth: impl Fn(Point) -> [f64; 2],
    ) -> Self {
        let mut mesh = Self {
            sides: flat.sides,
            ..Self::default()
        };
        let mut add = |point: Point, side: f64, z: f64| {
            let (uv, [x, y]) = place(point);
            mesh.positions.push([x, y, side * z]);
            mesh.uvs.push(uv);
            mesh.positions.len() as u32 - 1
        };
        let is_rim = |at: usize| flat.rim[at];
        let front: Vec<_> = (flat.points.iter().enumerate())
            .map(|(at, point)| add(*point, 1.0, if is_rim(at) { 0.0 } else { depth(*point)[0] }))
            .collect();
        let back: Vec<_> = (flat.points.iter().enumerate())
            .map(|(at, point)| match is_rim(at) {
                true => front[at],
                false => add(*point, -1.0, depth(*point)[1]),
            })
            .collect();
        for face in flat.faces() {
            let on = |side: &[u32], face: &u32| side[*face as usize];
            // y turns around from the picture to space, and the direction with it.
            mesh.corners
                .extend(face.iter().rev().map(|at| on(&front, at)));
            mesh.corners.extend(face.iter().map(|at| on(&back, at)));
        }
        mesh.without_strays()
    }

    /// Without the points that no face uses.
    fn without_strays(mut self) -> Self {
        let mut new = vec![None; self.positions.len()];
        let (mut positions, mut uvs) = (Vec::new(), Vec::new());
        for corner in &mut self.corners {
            let old = *corner as usize;
            *corner = *new[old].get_or_insert_with(|| {
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
        self.corners.chunks_exact(self.sides.max(1))
    }

    /// The faces as triangles; of a quad the two that share its first corner.
    pub fn triangles(&self) -> impl Iterator<Item = [u32; 3]> {
        self.faces()
            .flat_map(|face| face[1..].windows(2).map(|pair| [face[0], pair[0], pair[1]]))
    }

    /// Turned about the y axis, in parts of a full turn; counterclockwise seen from above.
    pub fn turn(&mut self, turns: f64) {
        let (sin, cos) = (TAU * turns).sin_cos();
        for [x, _, z] in &mut self.positions {
            (*x, *z) = (cos * *x + sin * *z, cos * *z - sin * *x);
        }
    }

    /// Moved and stretched: `size` is the whole box then, and `pivot` is where the origin lies in
    /// it, in parts of the box from its centre. Without a size, the longest edge becomes 1.
    pub fn fit(&mut self, size: Option<[f64; 3]>, pivot: [f64; 3]) {
        let (low, high) = self.bounds();
        let own = [0, 1, 2].map(|axis| high[axis] - low[axis]);
        let longest = own.into_iter().fold(f64::MIN_POSITIVE, f64::max);
        let size = size.unwrap_or(own.map(|edge| edge / longest));
        for position in &mut self.positions {
            for axis in 0..3 {
                // From -1/2 to 1/2, at both ends exactly.
                let part = (position[axis] - low[axis]) / own[axis].max(f64::MIN_POSITIVE) - 0.5;
                position[axis] = (part - pivot[axis]) * size[axis];
            }
        }
    }

    fn bounds(&self) -> ([f64; 3], [f64; 3]) {
        let unbounded = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        self.positions
            .iter()
            .fold(unbounded, |(mut low, mut high), position| {
                for axis in 0..3 {
                    low[axis] = low[axis].min(position[axis]);
                    high[axis] = high[axis].max(position[axis]);
                }
                (low, high)
            })
    }

    /// A direction of length 1 for each position: the mean of its faces', the larger ones counting
    /// for more.
    pub fn normals(&self) -> Vec<[f32; 3]> {
        let mut sums = vec![[0.0; 3]; self.positions.len()];
        for triangle in self.triangles() {
            let [a, b, c] = triangle.map(|at| self.positions[at as usize]);
            let cross = cross(minus(b, a), minus(c, a));
            for at in triangle {
                for axis in 0..3 {
                    sums[at as usize][axis] += cross[axis];
                }
            }
        }
        sums.into_iter().map(unit).collect()
    }
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|axis| a[axis] - b[axis])
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The same direction with length 1; towards the viewer where there is none.
fn unit(vector: [f64; 3]) -> [f32; 3] {
    // Scaled first: the squares of very small or large models leave the range of numbers.
    let largest = vector
        .into_iter()
        .fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return [0.0, 0.0, 1.0];
    }
    let scaled = vector.map(|x| x / largest);
    let length = scaled.iter().map(|x| x * x).sum::<f64>().sqrt();
    scaled.map(|x| (x / length) as f32)
}
