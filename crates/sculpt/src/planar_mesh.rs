//! The faces inside a contour, in the plane.

use std::collections::HashMap;

use contract::Topology;
use glam::{DVec2, Vec2};
use spade::handles::{FixedFaceHandle, InnerTag};
use spade::{ConstrainedDelaunayTriangulation, HasPosition, Point2, Triangulation};

use crate::contour::{is_inside, simplify, smooth, trace};
use crate::inset::inset_points;
use crate::scalar_field::ScalarField;

/// A mesh in the plane, in grid steps with y downwards.
#[derive(Clone, Debug, Default)]
pub struct PlanarMesh {
    pub points: Vec<Vec2>,
    /// Whether the point of the same index is on the contour.
    pub is_boundary: Vec<bool>,
    /// How many vertices each face has: 3 or 4, and 0 for a mesh without faces.
    pub vertices_per_face: usize,
    /// The faces' vertices, all in the same direction of turning.
    pub indices: Vec<u32>,
    /// The row of the straight edges on which the object stands, if there are such edges.
    pub base: Option<f32>,
}

/// What a straight line may add to a shape or take from it for each point left out, in grid cells.
const STRAIGHTENED_AREA: f32 = 0.05;

/// How dense a mesh is, and of what faces.
#[derive(Clone, Copy, Debug)]
pub struct MeshLayout {
    /// How many points the contour has at most; `None` for all that the grid gives.
    pub contour_points: Option<usize>,
    /// The distance between points inside, in grid steps.
    pub spacing: f32,
    /// The distances from the contour, in grid steps and ascending, at which each of its points has
    /// another one inside.
    pub insets: &'static [f32],
    /// How the contour is traced.
    pub tracing: Tracing,
    /// The kind of the faces.
    pub topology: Topology,
}

/// What points a contour has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tracing {
    /// All crossings with the grid.
    Crossings,
    /// Evenly spaced points, without corners.
    Smooth {
        /// How often the contour is smoothed.
        passes: usize,
        /// Their distance, in grid steps.
        spacing: f32,
    },
    /// Those that the shape needs, with its corners.
    Straight,
}

/// A vertex of the triangulation.
#[derive(Clone, Copy)]
struct Vertex {
    position: Point2<f64>,
    is_boundary: bool,
}

impl HasPosition for Vertex {
    type Scalar = f64;

    fn position(&self) -> Point2<f64> {
        self.position
    }
}

type Delaunay = ConstrainedDelaunayTriangulation<Vertex>;

/// Covers the inside of the contour with faces. The mesh is empty if the contour encloses nothing.
/// `base` is the row along which the contour is straight, if there is one.
pub fn triangulate(coverage: &ScalarField, layout: MeshLayout, base: Option<f32>) -> PlanarMesh {
    let mut fine = trace(coverage);
    if let Some(base) = base {
        // Without the errors of rounding: the base is found by its row.
        let points = fine.iter_mut().flatten();
        for point in points.filter(|point| (point.y - base).abs() < 1e-3) {
            point.y = base;
        }
    }
    let all: usize = fine.iter().map(Vec::len).sum();
    let mut contour_points = layout.contour_points.unwrap_or(all);
    let mut tracing = layout.tracing;
    let delaunay = loop {
        let rings = if contour_points < all {
            let rings = simplify(&fine, contour_points, f32::INFINITY, base).into_iter();
            let divided =
                |ring| base.map_or_else(Vec::new, |base| divide(ring, base, layout.spacing));
            rings.map(divided).collect()
        } else {
            match tracing {
                Tracing::Crossings => fine.clone(),
                Tracing::Smooth { passes, spacing } => {
                    let rings = fine.iter().map(|ring| smooth(ring, passes, spacing, base));
                    rings.collect()
                }
                Tracing::Straight => simplify(&fine, 0, STRAIGHTENED_AREA, base),
            }
        };
        let mut inner = inner_points(coverage, layout.spacing, layout.insets);
        // A shape that is nearly all contour is not steep anywhere.
        let inset_count = layout.insets.len() * rings.iter().map(Vec::len).sum::<usize>();
        match inset_count <= inner.len() {
            true => inner.extend(inset_points(&rings, layout.insets)),
            false => inner = inner_points(coverage, layout.spacing, &[]),
        }
        // A contour that is simplified or smoothed too far may cross itself: it gets twice the points,
        // or its corners, then.
        match delaunay(&rings, &inner) {
            Some(delaunay) => break delaunay,
            None if contour_points < all => contour_points = (2 * contour_points).max(8),
            None if tracing != Tracing::Crossings => tracing = Tracing::Crossings,
            None => break Delaunay::new(),
        }
    };
    let mut mesh = triangles_inside(&delaunay);
    mesh.base = base;
    split_flat_parts(&mut mesh);
    match layout.topology {
        Topology::Tris => mesh,
        Topology::Quads => to_quads(&mesh),
    }
}

/// Divides the edges of a ring in the row `base` into parts of about this length, but at least two:
/// between their ends the base has a depth.
fn divide(ring: Vec<Vec2>, base: f32, length: f32) -> Vec<Vec2> {
    let following = ring.iter().cycle().skip(1);
    let parts = ring.iter().zip(following).flat_map(|(a, b)| {
        let is_base = a.y == base && b.y == base;
        let count = match is_base {
            true => ((b.x - a.x).abs() / length).round().max(2.0) as usize,
            false => 1,
        };
        let point = move |at: usize| Vec2::new(a.x + (b.x - a.x) * at as f32 / count as f32, a.y);
        (0..count).map(point)
    });
    parts.collect()
}

/// Returns the points of a square lattice that are inside, and not near the contour or the last points
/// inset from it.
fn inner_points(coverage: &ScalarField, spacing: f32, insets: &[f32]) -> Vec<Vec2> {
    let clearance = insets
        .last()
        .map_or(0.5 * spacing, |inset| inset + 0.3 * spacing);
    let count = |length: usize| ((length - 1) as f32 / spacing) as usize;
    let (columns, rows) = (count(coverage.width), count(coverage.height));
    let lattice = (1..=rows).flat_map(|row| (1..=columns).map(move |column| (column, row)));
    let points = lattice.map(|(column, row)| Vec2::new(column as f32, row as f32) * spacing);
    let is_clear = |point: &Vec2| {
        let around = [
            (0.0, 0.0),
            (-1.0, -1.0),
            (1.0, -1.0),
            (-1.0, 1.0),
            (1.0, 1.0),
        ];
        around.iter().all(|(dx, dy)| {
            let [x, y] = [point.x + dx * clearance, point.y + dy * clearance];
            is_inside(coverage.sample(x, y))
        })
    };
    points.filter(is_clear).collect()
}

/// Triangulates the convex hull, with the rings' edges among the edges; `None` if rings cross.
fn delaunay(rings: &[Vec<Vec2>], inner: &[Vec2]) -> Option<Delaunay> {
    let vertex = |point: Vec2, is_boundary| {
        let DVec2 { x, y } = point.as_dvec2();
        Vertex {
            position: Point2::new(x, y),
            is_boundary,
        }
    };
    let mut vertices = Vec::new();
    let mut edges = Vec::new();
    for ring in rings {
        let start = vertices.len();
        for (at, point) in ring.iter().enumerate() {
            vertices.push(vertex(*point, true));
            edges.push([start + at, start + (at + 1) % ring.len()]);
        }
    }
    vertices.extend(inner.iter().map(|point| vertex(*point, false)));
    let mut has_crossing = false;
    let count = vertices.len();
    let delaunay = Delaunay::try_bulk_load_cdt(vertices, edges, |_| has_crossing = true).ok()?;
    (!has_crossing && delaunay.num_vertices() == count).then_some(delaunay)
}

/// Returns the triangles inside: those behind an odd number of contour edges.
fn triangles_inside(delaunay: &Delaunay) -> PlanarMesh {
    let mut mesh = PlanarMesh {
        vertices_per_face: 3,
        ..PlanarMesh::default()
    };
    for vertex in delaunay.vertices() {
        let Vertex {
            position,
            is_boundary,
        } = vertex.data();
        mesh.points
            .push(DVec2::new(position.x, position.y).as_vec2());
        mesh.is_boundary.push(*is_boundary);
    }
    let mut seen: HashMap<FixedFaceHandle<InnerTag>, bool> = HashMap::new();
    let mut waiting = Vec::new();
    for edge in delaunay.convex_hull() {
        if let Some(face) = edge.rev().face().as_inner() {
            waiting.push((face, edge.is_constraint_edge()));
        }
    }
    while let Some((face, is_inside)) = waiting.pop() {
        if seen.insert(face.fix(), is_inside).is_some() {
            continue;
        }
        if is_inside {
            let vertices = face.vertices().map(|vertex| vertex.fix().index() as u32);
            mesh.indices.extend(vertices);
        }
        for edge in face.adjacent_edges() {
            if let Some(other) = edge.rev().face().as_inner()
                && !seen.contains_key(&other.fix())
            {
                waiting.push((other, is_inside != edge.is_constraint_edge()));
            }
        }
    }
    // Also inner points that are exactly on the contour.
    for ((a, b), faces) in mesh.faces_by_edge() {
        if faces.len() == 1 {
            mesh.is_boundary[a as usize] = true;
            mesh.is_boundary[b as usize] = true;
        }
    }
    mesh
}

/// Returns the ends of an edge, the smaller index first.
fn edge_key(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

impl PlanarMesh {
    pub fn faces(&self) -> impl Iterator<Item = &[u32]> {
        // A mesh without faces has 0 vertices per face.
        self.indices.chunks_exact(self.vertices_per_face.max(1))
    }

    /// Returns the points of each straight edge on which the object stands, from the left to the right.
    pub fn base_chains(&self) -> Vec<Vec<u32>> {
        let Some(base) = self.base else {
            return Vec::new();
        };
        let point = |at: u32| self.points[at as usize];
        let is_base = |at: u32| self.is_boundary[at as usize] && point(at).y == base;
        let faces = self.faces_by_edge().into_iter();
        let mut edges: Vec<_> = faces
            .filter(|((a, b), faces)| faces.len() == 1 && is_base(*a) && is_base(*b))
            .map(|((a, b), _)| match point(a).x < point(b).x {
                true => (a, b),
                false => (b, a),
            })
            .collect();
        edges.sort_by(|(a, _), (b, _)| point(*a).x.total_cmp(&point(*b).x));
        let mut chains: Vec<Vec<u32>> = Vec::new();
        for (a, b) in edges {
            match chains.last_mut() {
                Some(chain) if chain.last() == Some(&a) => chain.push(b),
                _ => chains.push(vec![a, b]),
            }
        }
        chains
    }

    fn edges(face: &[u32]) -> impl Iterator<Item = (u32, u32)> {
        let following = face.iter().cycle().skip(1);
        face.iter().zip(following).map(|(a, b)| (*a, *b))
    }

    /// Returns the edges of the contour, in the direction in which the face at each has them.
    pub fn contour_edges(&self) -> Vec<[u32; 2]> {
        let by_edge = self.faces_by_edge();
        let edges = self.faces().flat_map(Self::edges);
        let contour = edges.filter(|(a, b)| by_edge[&edge_key(*a, *b)].len() == 1);
        contour.map(|(a, b)| [a, b]).collect()
    }

    /// Returns the points of each edge of the contour.
    pub fn contour_lines(&self) -> impl Iterator<Item = [Vec2; 2]> {
        let edges = self.contour_edges().into_iter();
        edges.map(|edge| edge.map(|at| self.points[at as usize]))
    }

    /// Returns the indices of the faces at each edge.
    fn faces_by_edge(&self) -> HashMap<(u32, u32), Vec<usize>> {
        let mut faces: HashMap<_, Vec<_>> = HashMap::new();
        for (at, face) in self.faces().enumerate() {
            for (a, b) in Self::edges(face) {
                faces.entry(edge_key(a, b)).or_default().push(at);
            }
        }
        faces
    }

    /// Adds the mean of points inside the contour, and returns its index.
    fn add_inner_mean(&mut self, of: &[u32]) -> u32 {
        self.is_boundary.push(false);
        self.add_mean(of)
    }

    /// Adds the mean of points on the contour, and returns its index.
    fn add_boundary_mean(&mut self, of: &[u32]) -> u32 {
        self.is_boundary.push(true);
        self.add_mean(of)
    }

    fn add_mean(&mut self, of: &[u32]) -> u32 {
        let points = of.iter().map(|at| self.points[*at as usize]);
        self.points.push(points.sum::<Vec2>() / of.len() as f32);
        self.points.len() as u32 - 1
    }
}

/// Adds inner points where the surface would have no thickness, since it has none on the contour: on
/// inner edges from contour to contour, and in triangles whose edges are all of the contour.
fn split_flat_parts(mesh: &mut PlanarMesh) {
    let mut middles = HashMap::new();
    let is_boundary = |at: u32| mesh.is_boundary[at as usize];
    let mut flat_edges: Vec<_> = mesh
        .faces_by_edge()
        .into_iter()
        .filter(|((a, b), faces)| faces.len() == 2 && is_boundary(*a) && is_boundary(*b))
        .map(|(edge, _)| edge)
        .collect();
    // In a fixed order, or the same image would give another file each time.
    flat_edges.sort_unstable();
    for (a, b) in flat_edges {
        middles.insert((a, b), mesh.add_inner_mean(&[a, b]));
    }
    let faces = std::mem::take(&mut mesh.indices);
    for face in faces.chunks_exact(3) {
        let [a, b, c] = [face[0], face[1], face[2]];
        let rotations = [[a, b, c], [b, c, a], [c, a, b]];
        let split = rotations.map(|[a, b, _]| middles.get(&edge_key(a, b)).copied());
        let count = split.iter().flatten().count();
        let is_all_boundary = face.iter().all(|at| mesh.is_boundary[*at as usize]);
        let new: &[[u32; 3]] = match count {
            0 if is_all_boundary => {
                let m = mesh.add_inner_mean(face);
                &[[a, b, m], [b, c, m], [c, a, m]]
            }
            0 => &[[a, b, c]],
            _ => {
                // Rotated so that the split edges come first, one after the other.
                let first = (0..3)
                    .find(|at| {
                        split[*at].is_some() && (count == 3 || split[(at + 2) % 3].is_none())
                    })
                    .unwrap_or_default();
                let [a, b, c] = rotations[first];
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
        mesh.indices.extend(new.iter().flatten());
    }
}

/// Cuts pairs of triangles, and the triangles left over, from their centers to the middles of their
/// edges: that makes quads of any face.
fn to_quads(mesh: &PlanarMesh) -> PlanarMesh {
    let mut quads = PlanarMesh {
        points: mesh.points.clone(),
        is_boundary: mesh.is_boundary.clone(),
        vertices_per_face: 4,
        indices: Vec::new(),
        base: mesh.base,
    };
    let by_edge = mesh.faces_by_edge();
    let mut middles = HashMap::new();
    for face in paired_triangles(mesh, &by_edge) {
        let center = quads.add_inner_mean(&face);
        let middle_of: Vec<_> = PlanarMesh::edges(&face)
            .map(|(a, b)| {
                let edge = edge_key(a, b);
                let is_contour = by_edge.get(&edge).is_some_and(|faces| faces.len() == 1);
                *middles.entry(edge).or_insert_with(|| match is_contour {
                    true => quads.add_boundary_mean(&[a, b]),
                    false => quads.add_inner_mean(&[a, b]),
                })
            })
            .collect();
        for at in 0..face.len() {
            let before = middle_of[(at + face.len() - 1) % face.len()];
            quads
                .indices
                .extend([face[at], middle_of[at], center, before]);
        }
    }
    quads
}

/// Returns the triangles, two of them as one face if their common edge is the longest of both.
fn paired_triangles(mesh: &PlanarMesh, by_edge: &HashMap<(u32, u32), Vec<usize>>) -> Vec<Vec<u32>> {
    let length_squared =
        |(a, b): (u32, u32)| mesh.points[a as usize].distance_squared(mesh.points[b as usize]);
    let faces: Vec<_> = mesh.faces().collect();
    let longest_edge_first = |face: &[u32]| {
        let [a, b, c] = [face[0], face[1], face[2]];
        let rotations = [[a, b, c], [b, c, a], [c, a, b]];
        let by_length = |x: &[u32; 3], y: &[u32; 3]| {
            let [x, y] = [x, y].map(|rotation| edge_key(rotation[0], rotation[1]));
            // Of two edges of the same length, both triangles must choose the same.
            let length = length_squared(x).total_cmp(&length_squared(y));
            length.then(x.cmp(&y))
        };
        rotations.into_iter().max_by(by_length).unwrap_or([a, b, c])
    };
    let mut result = Vec::new();
    for (at, face) in faces.iter().enumerate() {
        let [a, b, c] = longest_edge_first(face);
        let neighbor = by_edge.get(&edge_key(a, b)).and_then(|sharing| {
            let other = sharing.iter().copied().find(|other| *other != at)?;
            Some((other, longest_edge_first(faces[other])))
        });
        match neighbor {
            Some((other, [d, e, f])) if edge_key(d, e) == edge_key(a, b) => {
                if at < other {
                    result.push(vec![a, f, b, c]);
                }
            }
            _ => result.push(vec![a, b, c]),
        }
    }
    result
}
