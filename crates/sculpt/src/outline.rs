//! The outline of what is covered: closed rings where the coverage is one half, between the grid's
//! points and not along them.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use crate::field::Field;

/// A point in steps of the grid.
pub type Point = [f32; 2];

/// A ring smaller than this, in squares of the grid's steps, is a speck.
const SPECK: f32 = 1.5;

/// Whether a grid point with that coverage lies inside.
pub fn is_inside(coverage: f32) -> bool {
    coverage > 0.5
}

/// Where the outline crosses the way from a point inside to its neighbour outside, from 0 to 1.
/// Never quite at an end: there it would meet other crossings.
pub fn crossing(inside: f32, outside: f32) -> f32 {
    ((inside - 0.5) / (inside - outside)).clamp(0.05, 0.95)
}

/// The rings around what is covered and around its holes, by marching squares. `coverage` is 0 all
/// around its edge.
pub fn rings(coverage: &Field) -> Vec<Vec<Point>> {
    let mut next = segments(coverage);
    let mut starts: Vec<_> = next.keys().copied().collect();
    starts.sort_unstable();
    let mut rings = Vec::new();
    for start in starts {
        let mut ring = Vec::new();
        let mut at = start;
        while let Some(following) = next.remove(&at) {
            ring.push(at.place(coverage));
            at = following;
        }
        if area(&ring).abs() >= SPECK {
            rings.push(ring);
        }
    }
    rings
}

/// The way between two neighbouring grid points, from the left one or the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Edge {
    x: usize,
    y: usize,
    down: bool,
}

impl Edge {
    fn place(self, coverage: &Field) -> Point {
        let Self { x, y, down } = self;
        let (dx, dy) = if down { (0, 1) } else { (1, 0) };
        let (from, to) = (coverage.at(x, y), coverage.at(x + dx, y + dy));
        let part = if is_inside(from) {
            crossing(from, to)
        } else {
            1.0 - crossing(to, from)
        };
        [x as f32 + part * dx as f32, y as f32 + part * dy as f32]
    }
}

/// Which crossing follows which. Every one that is entered is left again, since the segments all go
/// the same way around what is inside.
fn segments(coverage: &Field) -> HashMap<Edge, Edge> {
    let mut next = HashMap::new();
    for y in 0..coverage.height - 1 {
        for x in 0..coverage.width - 1 {
            // Clockwise from the upper left corner, each with the edge that leads to the next.
            let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
            let inside = corners.map(|(x, y)| is_inside(coverage.at(x, y)));
            let edges = [
                Edge { x, y, down: false },
                Edge {
                    x: x + 1,
                    y,
                    down: true,
                },
                Edge {
                    x,
                    y: y + 1,
                    down: false,
                },
                Edge { x, y, down: true },
            ];
            for corner in 0..4 {
                // Here the inside ends; it began at the nearest edge before. Where two opposite
                // corners are inside, this keeps them apart.
                let (here, after) = (inside[corner], inside[(corner + 1) % 4]);
                if here && !after {
                    let mut first = corner;
                    while inside[(first + 3) % 4] {
                        first = (first + 3) % 4;
                    }
                    next.insert(edges[corner], edges[(first + 3) % 4]);
                }
            }
        }
    }
    next
}

/// Positive or negative by the ring's direction.
fn area(ring: &[Point]) -> f32 {
    let ends = ring.iter().cycle().skip(1);
    let doubled = ring
        .iter()
        .zip(ends)
        .map(|([ax, ay], [bx, by])| ax * by - bx * ay);
    doubled.sum::<f32>() / 2.0
}

/// A corner that could go, and how much of the shape would go with it.
#[derive(PartialEq)]
struct Candidate {
    cost: f32,
    at: usize,
    /// Of its neighbours, when the cost was found.
    between: (usize, usize),
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    /// The cheapest is the greatest: a heap gives that first.
    fn cmp(&self, other: &Self) -> Ordering {
        let cost = other.cost.total_cmp(&self.cost);
        cost.then(other.at.cmp(&self.at))
    }
}

/// The rings with at most so many corners in all, but no ring with fewer than three: those corners
/// go first that the shape misses least (Visvalingam and Whyatt's way).
pub fn simplified(rings: &[Vec<Point>], corners: usize) -> Vec<Vec<Point>> {
    let points: Vec<Point> = rings.iter().flatten().copied().collect();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut left = Vec::new();
    let mut ring_of = Vec::new();
    for (number, ring) in rings.iter().enumerate() {
        let (start, length) = (before.len(), ring.len());
        for at in 0..length {
            before.push(start + (at + length - 1) % length);
            after.push(start + (at + 1) % length);
            ring_of.push(number);
        }
        left.push(length);
    }
    let candidate = |at: usize, before: &[usize], after: &[usize]| {
        let between = (before[at], after[at]);
        let cost = area(&[points[between.0], points[at], points[between.1]]).abs();
        Candidate { cost, at, between }
    };
    let mut heap: BinaryHeap<_> = (0..points.len())
        .map(|at| candidate(at, &before, &after))
        .collect();
    let mut gone = vec![false; points.len()];
    let mut count = points.len();
    while count > corners
        && let Some(Candidate { at, between, .. }) = heap.pop()
    {
        let stale = gone[at] || between != (before[at], after[at]);
        if stale || left[ring_of[at]] <= 3 {
            continue;
        }
        gone[at] = true;
        count -= 1;
        left[ring_of[at]] -= 1;
        let (previous, following) = between;
        after[previous] = following;
        before[following] = previous;
        heap.push(candidate(previous, &before, &after));
        heap.push(candidate(following, &before, &after));
    }
    let mut kept = vec![Vec::new(); rings.len()];
    for (at, point) in points.iter().enumerate() {
        if !gone[at] {
            kept[ring_of[at]].push(*point);
        }
    }
    kept
}
