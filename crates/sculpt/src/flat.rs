//! The faces inside of an outline, still flat.

use std::collections::HashMap;

use spade::handles::FixedFaceHandle;
use spade::handles::InnerTag;
use spade::{ConstrainedDelaunayTriangulation, HasPosition, Point2, Triangulation};

use crate::field::Field;
use crate::outline::{Point, is_inside, rings, simplified};

/// A mesh in the plane, in steps of the grid, y downwards.
#[derive(Clone, Debug, Default)]
pub struct Flat {
    pub points: Vec<Point>,
    /// Whether the point of that index lies on the outline.
    pub rim: Vec<bool>,
    /// How many corners each face has: three or four.
    pub sides: usize,
    /// The faces' corners, all in one direction of turning.
    pub corners: Vec<u32>,
}

/// How a mesh is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// As many corners as the outline has at most; `None` for all that the grid gives.
    pub outline: Option<usize>,
    /// The distance of the points inside, in steps of the grid.
    pub spacing: f32,
    /// Whether the faces become quads.
    pub quads: bool,
}

/// A corner of the triangulation.
#[derive(Clone, Copy)]
struct Corner {
    place: Point2<f64>,
    rim: bool,
}

impl HasPosition for Corner {
    type Scalar = f64;

    fn position(&self) -> Point2<f64> {
        self.place
    }
}

type Delaunay = ConstrainedDelaunayTriangulation<Corner>;

/// Covers what is inside with faces. There may be none.
pub fn cover(coverage: &Field, layout: Layout) -> Flat {
    let fine = rings(coverage);
    let all: usize = fine.iter().map(Vec::len).sum();
    let inner = inner_points(coverage, layout.spacing);
    let mut outline = layout.outline.unwrap_or(all);
    let delaunay = loop {
        let rings = if outline < all {
            simplified(&fine, outline)
        } else {
            fine.clone()
        };
        // An outline with so few corners that it crosses itself gets more of them.
        match triangulated(&rings, &inner) {
            Some(delaunay) => break delaunay,
            None if outline >= all => break Delaunay::new(),
            None => outline = (2 * outline).max(8),
        }
    };
    let mut flat = inside_of(&delaunay);
    split_across(&mut flat);
    if layout.quads {
        flat = as_quads(&flat);
    }
    flat
}

/// Points on a square lattice, none of them nearer to the outline than about half of its spacing.
fn inner_points(coverage: &Field, spacing: f32) -> Vec<Point> {
    let count = |length: usize| ((length - 1) as f32 / spacing) as usize;
    let (columns, rows) = (count(coverage.width), count(coverage.height));
    let lattice = (1..=rows).flat_map(|row| (1..=columns).map(move |column| (column, row)));
    let places = lattice.map(|(column, row)| [column as f32 * spacing, row as f32 * spacing]);
    let clear = |&[x, y]: &Point| {
        let half = spacing / 2.0;
        let around = [
            (0.0, 0.0),
            (-half, -half),
            (half, -half),
            (-half, half),
            (half, half),
        ];
        around
            .iter()
            .all(|(dx, dy)| is_inside(coverage.sample(x + dx, y + dy)))
    };
    places.filter(clear).collect()
}

/// `None` where the rings cross.
fn triangulated(rings: &[Vec<Point>], inner: &[Point]) -> Option<Delaunay> {
    let corner = |[x, y]: Point, rim| Corner {
        place: Point2::new(f64::from(x), f64::from(y)),
        rim,
    };
    let mut corners = Vec::new();
    let mut edges = Vec::new();
    for ring in rings {
        let start = corners.len();
        for (at, point) in ring.iter().enumerate() {
            corners.push(corner(*point, true));
            edges.push([start + at, start + (at + 1) % ring.len()]);
        }
    }
    corners.extend(inner.iter().map(|point| corner(*point, false)));
    let mut crossed = false;
    let count = corners.len();
    let delaunay = Delaunay::try_bulk_load_cdt(corners, edges, |_| crossed = true).ok()?;
    (!crossed && delaunay.num_vertices() == count).then_some(delaunay)
}

/// The triangles inside: those behind an odd number of outlines.
fn inside_of(delaunay: &Delaunay) -> Flat {
    let mut flat = Flat {
        sides: 3,
        ..Flat::default()
    };
    for vertex in delaunay.vertices() {
        let Corner { place, rim } = vertex.data();
        flat.points.push([place.x as f32, place.y as f32]);
        flat.rim.push(*rim);
    }
    let mut known: HashMap<FixedFaceHandle<InnerTag>, bool> = HashMap::new();
    let mut waiting = Vec::new();
    for edge in delaunay.convex_hull() {
        if let Some(face) = edge.rev().face().as_inner() {
            waiting.push((face, edge.is_constraint_edge()));
        }
    }
    while let Some((face, inside)) = waiting.pop() {
        if known.insert(face.fix(), inside).is_some() {
            continue;
        }
        if inside {
            let corners = face.vertices().map(|vertex| vertex.fix().index() as u32);
            flat.corners.extend(corners);
        }
        for edge in face.adjacent_edges() {
            if let Some(other) = edge.rev().face().as_inner()
                && !known.contains_key(&other.fix())
            {
                waiting.push((other, inside != edge.is_constraint_edge()));
            }
        }
    }
    flat
}

/// The two ends of an edge, the smaller first.
fn ends(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

impl Flat {
    pub fn faces(&self) -> impl Iterator<Item = &[u32]> {
        // A mesh without faces has no sides either.
        self.corners.chunks_exact(self.sides.max(1))
    }

    fn edges(face: &[u32]) -> impl Iterator<Item = (u32, u32)> {
        let following = face.iter().cycle().skip(1);
        face.iter().zip(following).map(|(a, b)| (*a, *b))
    }

    /// The faces of each edge.
    fn faces_by_edge(&self) -> HashMap<(u32, u32), Vec<usize>> {
        let mut faces: HashMap<_, Vec<_>> = HashMap::new();
        for (at, face) in self.faces().enumerate() {
            for (a, b) in Self::edges(face) {
                faces.entry(ends(a, b)).or_default().push(at);
            }
        }
        faces
    }

    /// A new point in the middle of others.
    fn middle(&mut self, of: &[u32], rim: bool) -> u32 {
        let sum = |axis: usize| {
            of.iter()
                .map(|at| self.points[*at as usize][axis])
                .sum::<f32>()
        };
        let point = [0, 1].map(|axis| sum(axis) / of.len() as f32);
        self.points.push(point);
        self.rim.push(rim);
        self.points.len() as u32 - 1
    }
}

/// Splits what would have no thickness, as the outline has none: edges inside that lead from the
/// outline to the outline, and triangles that are an outline all by themselves.
fn split_across(flat: &mut Flat) {
    let mut middles = HashMap::new();
    let mut across: Vec<_> = flat
        .faces_by_edge()
        .into_iter()
        .filter(|((a, b), faces)| {
            faces.len() == 2 && flat.rim[*a as usize] && flat.rim[*b as usize]
        })
        .map(|(edge, _)| edge)
        .collect();
    across.sort_unstable();
    for (a, b) in across {
        middles.insert((a, b), flat.middle(&[a, b], false));
    }
    let faces = std::mem::take(&mut flat.corners);
    for face in faces.chunks_exact(3) {
        let [a, b, c] = [face[0], face[1], face[2]];
        // Turned so that what is split comes first.
        let turns = [[a, b, c], [b, c, a], [c, a, b]];
        let split = turns.map(|[a, b, _]| middles.get(&ends(a, b)).copied());
        let count = split.iter().flatten().count();
        let all_rim = face.iter().all(|at| flat.rim[*at as usize]);
        let new: &[[u32; 3]] = match count {
            0 if all_rim => {
                let m = flat.middle(face, false);
                &[[a, b, m], [b, c, m], [c, a, m]]
            }
            0 => &[[a, b, c]],
            _ => {
                // The first split edge after one that is not, so that two of them are neighbours.
                let first = (0..3)
                    .find(|at| {
                        split[*at].is_some() && (count == 3 || split[(at + 2) % 3].is_none())
                    })
                    .unwrap_or_default();
                let [a, b, c] = turns[first];
                match [split[first], split[(first + 1) % 3], split[(first + 2) % 3]] {
                    [Some(ab), Some(bc), Some(ca)] => {
                        &[[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
                    }
                    [Some(ab), Some(bc), None] => &[[a, ab, c], [ab, bc, c], [ab, b, bc]],
                    [Some(ab), _, _] => &[[a, ab, c], [ab, b, c]],
                    _ => &[[a, b, c]],
                }
            }
        };
        flat.corners.extend(new.iter().flatten());
    }
}

/// Pairs of triangles and what is left over, each cut from its middle to the middles of its edges:
/// that makes quads of any face.
fn as_quads(flat: &Flat) -> Flat {
    let mut quads = Flat {
        points: flat.points.clone(),
        rim: flat.rim.clone(),
        sides: 4,
        corners: Vec::new(),
    };
    let by_edge = flat.faces_by_edge();
    let mut middles = HashMap::new();
    for face in paired(flat, &by_edge) {
        let center = quads.middle(&face, false);
        let edges: Vec<_> = Flat::edges(&face).collect();
        let middle_of: Vec<_> = edges
            .iter()
            .map(|(a, b)| {
                let edge = ends(*a, *b);
                let outer = by_edge.get(&edge).is_some_and(|faces| faces.len() == 1);
                *middles
                    .entry(edge)
                    .or_insert_with(|| quads.middle(&[*a, *b], outer))
            })
            .collect();
        for at in 0..face.len() {
            let before = middle_of[(at + face.len() - 1) % face.len()];
            quads
                .corners
                .extend([face[at], middle_of[at], center, before]);
        }
    }
    quads
}

/// The triangles, two of them as one face where their common edge is the longest of both.
fn paired(flat: &Flat, by_edge: &HashMap<(u32, u32), Vec<usize>>) -> Vec<Vec<u32>> {
    let length = |(a, b): (u32, u32)| {
        let ([ax, ay], [bx, by]) = (flat.points[a as usize], flat.points[b as usize]);
        (bx - ax).powi(2) + (by - ay).powi(2)
    };
    let faces: Vec<_> = flat.faces().collect();
    // Turned so that the longest edge comes first.
    let turned = |face: &[u32]| {
        let [a, b, c] = [face[0], face[1], face[2]];
        let turns = [[a, b, c], [b, c, a], [c, a, b]];
        let longest = |x: &[u32; 3], y: &[u32; 3]| {
            // Of two that are as long, both triangles must choose the same.
            let key = |turn: &[u32; 3]| (length(ends(turn[0], turn[1])), ends(turn[0], turn[1]));
            let ((x, x_ends), (y, y_ends)) = (key(x), key(y));
            x.total_cmp(&y).then(x_ends.cmp(&y_ends))
        };
        turns.into_iter().max_by(longest).unwrap_or([a, b, c])
    };
    let mut result = Vec::new();
    for (at, face) in faces.iter().enumerate() {
        let [a, b, c] = turned(face);
        let neighbour = by_edge.get(&ends(a, b)).and_then(|sharing| {
            let other = sharing.iter().copied().find(|other| *other != at)?;
            Some((other, turned(faces[other])))
        });
        match neighbour {
            Some((other, [d, e, f])) if ends(d, e) == ends(a, b) => {
                if at < other {
                    result.push(vec![a, f, b, c]);
                }
            }
            _ => result.push(vec![a, b, c]),
        }
    }
    result
}
