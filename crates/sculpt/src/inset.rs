//! Points along a contour, at given distances inside.

use std::collections::{HashMap, HashSet};

use glam::Vec2;

/// Of points nearer to each other than this, in grid steps, one is kept.
const MIN_DISTANCE: f32 = 0.04;
/// How much farther than its distance a point at a corner is from the corner at most.
const MITER_LIMIT: f32 = 1.5;

/// Returns the points at each of the distances inside of the rings' points. Points that would be nearer
/// to another part of the contour are left out.
pub fn inset_points(rings: &[Vec<Vec2>], distances: &[f32]) -> Vec<Vec2> {
    let Some(farthest) = distances.last() else {
        return Vec::new();
    };
    let contour = Contour::new(rings, *farthest);
    let key = |point: Vec2| (point / MIN_DISTANCE).floor().as_ivec2().to_array();
    let mut seen: HashSet<[i32; 2]> = rings.iter().flatten().map(|point| key(*point)).collect();
    let mut points = Vec::new();
    for distance in distances {
        for ring in rings {
            for (at, point) in ring.iter().enumerate() {
                let before = ring[(at + ring.len() - 1) % ring.len()];
                let after = ring[(at + 1) % ring.len()];
                let inset = *point + inwards(before, *point, after) * *distance;
                if contour.distance(inset) >= 0.8 * distance && seen.insert(key(inset)) {
                    points.push(inset);
                }
            }
        }
    }
    points
}

/// Returns the direction from a point of a ring to the inside, as long as the parallels of both edges
/// at a distance of 1 need it.
fn inwards(before: Vec2, point: Vec2, after: Vec2) -> Vec2 {
    // The inside is on the right-hand side, with y downwards.
    let normal = |from: Vec2, to: Vec2| (to - from).perp().normalize_or_zero();
    let (first, second) = (normal(before, point), normal(point, after));
    let middle = (first + second).normalize_or_zero();
    middle * (1.0 / middle.dot(first).max(1.0 / MITER_LIMIT))
}

/// The edges of rings, found by their place.
pub struct Contour {
    /// The longest distance that is computed.
    reach: f32,
    /// The edges near each square of the edge length `cell`.
    edges: HashMap<[i32; 2], Vec<[Vec2; 2]>>,
    cell: f32,
}

impl Contour {
    pub fn new(rings: &[Vec<Vec2>], reach: f32) -> Self {
        let edges = rings.iter().flat_map(|ring| {
            let following = ring.iter().cycle().skip(1);
            ring.iter().zip(following).map(|(a, b)| [*a, *b])
        });
        Self::of_edges(edges, reach)
    }

    pub fn of_edges(all: impl IntoIterator<Item = [Vec2; 2]>, reach: f32) -> Self {
        let cell = reach.max(1.0);
        let mut edges: HashMap<_, Vec<_>> = HashMap::new();
        for [a, b] in all {
            let low = ((a.min(b) - reach) / cell).floor().as_ivec2();
            let high = ((a.max(b) + reach) / cell).floor().as_ivec2();
            for y in low.y..=high.y {
                for x in low.x..=high.x {
                    edges.entry([x, y]).or_default().push([a, b]);
                }
            }
        }
        Self { reach, edges, cell }
    }

    /// Returns the distance of a point to the nearest edge, or `reach` if it is farther.
    pub fn distance(&self, point: Vec2) -> f32 {
        let key = (point / self.cell).floor().as_ivec2().to_array();
        let edges = self.edges.get(&key).into_iter().flatten();
        let distances = edges.map(|[a, b]| {
            let along = *b - *a;
            let part = (point - *a).dot(along) / along.length_squared().max(f32::MIN_POSITIVE);
            point.distance(*a + along * part.clamp(0.0, 1.0))
        });
        distances.fold(self.reach, f32::min)
    }
}
