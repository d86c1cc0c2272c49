//! The contour of what is covered: closed rings where the coverage is 0.5, between the grid's points
//! and not along them.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use glam::Vec2;

use crate::scalar_field::ScalarField;

/// A ring that encloses less than this, in grid cells, is noise.
const SMALLEST_AREA: f32 = 1.5;

/// Whether a grid point of this coverage, from 0 to 1, is inside.
pub fn is_inside(coverage: f32) -> bool {
    coverage > 0.5
}

/// Returns where the contour crosses the edge from a point inside (0) to its neighbor outside (1), by
/// their coverages. It is kept off both ends, where it would meet the crossings of other edges.
pub fn crossing(inside: f32, outside: f32) -> f32 {
    ((inside - 0.5) / (inside - outside)).clamp(0.05, 0.95)
}

/// Returns the rings around what is covered and around its holes, in grid steps, by marching squares.
/// The coverage must be 0 all along its border.
pub fn trace(coverage: &ScalarField) -> Vec<Vec<Vec2>> {
    let mut next = segments(coverage);
    let mut starts: Vec<_> = next.keys().copied().collect();
    starts.sort_unstable();
    let mut rings = Vec::new();
    for start in starts {
        let mut ring = Vec::new();
        let mut at = start;
        while let Some(following) = next.remove(&at) {
            ring.push(at.crossing_point(coverage));
            at = following;
        }
        if signed_area(&ring).abs() >= SMALLEST_AREA {
            rings.push(ring);
        }
    }
    rings
}

/// An edge of the grid, from its left or upper point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Edge {
    x: usize,
    y: usize,
    is_vertical: bool,
}

impl Edge {
    fn horizontal(x: usize, y: usize) -> Self {
        let is_vertical = false;
        Self { x, y, is_vertical }
    }

    fn vertical(x: usize, y: usize) -> Self {
        let is_vertical = true;
        Self { x, y, is_vertical }
    }

    fn crossing_point(self, coverage: &ScalarField) -> Vec2 {
        let Self { x, y, is_vertical } = self;
        let (dx, dy) = if is_vertical { (0, 1) } else { (1, 0) };
        let (from, to) = (coverage.at(x, y), coverage.at(x + dx, y + dy));
        let part = if is_inside(from) {
            crossing(from, to)
        } else {
            1.0 - crossing(to, from)
        };
        Vec2::new(x as f32 + part * dx as f32, y as f32 + part * dy as f32)
    }
}

/// Returns which crossing follows which. Each edge that a segment enters is left by another, since all
/// segments have the inside on the same hand.
fn segments(coverage: &ScalarField) -> HashMap<Edge, Edge> {
    let mut next = HashMap::new();
    for y in 0..coverage.height - 1 {
        for x in 0..coverage.width - 1 {
            // Clockwise from the upper left corner, each with the edge to the next one.
            let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
            let inside = corners.map(|(x, y)| is_inside(coverage.at(x, y)));
            let edges = [
                Edge::horizontal(x, y),
                Edge::vertical(x + 1, y),
                Edge::horizontal(x, y + 1),
                Edge::vertical(x, y),
            ];
            for corner in 0..4 {
                // A run of corners inside ends here; its segment enters where the run began. Two
                // opposite corners inside are two runs, and so stay apart.
                if inside[corner] && !inside[(corner + 1) % 4] {
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

/// Returns the area of a ring in grid cells, positive or negative by its direction.
fn signed_area(ring: &[Vec2]) -> f32 {
    let following = ring.iter().cycle().skip(1);
    let doubled = ring.iter().zip(following).map(|(a, b)| a.perp_dot(*b));
    doubled.sum::<f32>() / 2.0
}

/// A point that could be removed, and the area that the shape would lose.
#[derive(PartialEq)]
struct Candidate {
    cost: f32,
    at: usize,
    /// Its neighbors when the cost was computed.
    between: (usize, usize),
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    /// The cheapest is the greatest: `BinaryHeap` returns the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        let cost = other.cost.total_cmp(&self.cost);
        cost.then(other.at.cmp(&self.at))
    }
}

/// Returns the rings with at most `max_points` points in all, but at least three in each ring, and
/// without more points than those whose removal changes the area by at most `max_area`. The points that
/// the shape needs least are removed first (the algorithm of Visvalingam and Whyatt).
///
/// The ends of the base, the straight edges in the row `base`, are removed last.
pub fn simplify(
    rings: &[Vec<Vec2>],
    max_points: usize,
    max_area: f32,
    base: Option<f32>,
) -> Vec<Vec<Vec2>> {
    let points: Vec<Vec2> = rings.iter().flatten().copied().collect();
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
    let is_base = |at: usize| base.is_some_and(|base| points[at].y == base);
    let candidate = |at: usize, before: &[usize], after: &[usize]| {
        let between = (before[at], after[at]);
        let is_end = is_base(at) && !(is_base(between.0) && is_base(between.1));
        let cost = match is_end {
            true => f32::INFINITY,
            false => signed_area(&[points[between.0], points[at], points[between.1]]).abs(),
        };
        Candidate { cost, at, between }
    };
    let mut heap: BinaryHeap<_> = (0..points.len())
        .map(|at| candidate(at, &before, &after))
        .collect();
    let mut is_removed = vec![false; points.len()];
    let mut count = points.len();
    while count > max_points
        && let Some(Candidate { at, between, cost }) = heap.pop()
        && cost <= max_area
    {
        let is_stale = is_removed[at] || between != (before[at], after[at]);
        if is_stale || left[ring_of[at]] <= 3 {
            continue;
        }
        is_removed[at] = true;
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
        if !is_removed[at] {
            kept[ring_of[at]].push(*point);
        }
    }
    kept
}

/// Points of a ring that is smoothed are at least this far apart, in grid steps: crossings of the contour
/// with different edges of the grid can be much nearer.
const SMALLEST_STEP: f32 = 0.4;
/// The factors by which a point moves to the mean of its neighbors, and away from it: twice a pass.
/// Short waves vanish, those of less than about ten points in eight passes, and the ring does not shrink
/// (the algorithm of Taubin).
const SMOOTHING: [f32; 2] = [0.5, -0.52];
/// A ring has at least this many points.
const FEWEST_POINTS: usize = 12;

/// Returns a ring without the steps that the grid leaves in it, and with points about `spacing` apart.
/// Points in the row `base` are kept.
pub fn smooth(ring: &[Vec2], passes: usize, spacing: f32, base: Option<f32>) -> Vec<Vec2> {
    let is_base = |point: &Vec2| base.is_some_and(|base| point.y == base);
    let mut points: Vec<Vec2> = Vec::new();
    for point in ring {
        match points.last_mut() {
            Some(last) if point.distance(*last) < SMALLEST_STEP => {
                match (is_base(last), is_base(point)) {
                    (false, false) => *last = (*last + *point) / 2.0,
                    (false, true) => *last = *point,
                    (true, false) => {}
                    (true, true) => points.push(*point),
                }
            }
            _ => points.push(*point),
        }
    }
    // The ends of the list are neighbors too.
    if let [first, .., last] = points[..]
        && first.distance(last) < SMALLEST_STEP
        && !is_base(&last)
    {
        points.pop();
    }
    let count = points.len();
    if count < FEWEST_POINTS {
        return ring.to_vec();
    }
    for factor in SMOOTHING.repeat(passes) {
        let before = points.clone();
        for (at, point) in points.iter_mut().enumerate() {
            if !is_base(point) {
                let mean = (before[(at + count - 1) % count] + before[(at + 1) % count]) / 2.0;
                *point += factor * (mean - *point);
            }
        }
    }
    // The smallest rings keep all of their points.
    let spacing = spacing.min(SMALLEST_STEP * count as f32 / FEWEST_POINTS as f32);
    let mut kept: Vec<Vec2> = Vec::new();
    for point in &points {
        let is_far = |last: &Vec2| point.distance(*last) >= spacing;
        if is_base(point) || kept.last().is_none_or(is_far) {
            kept.push(*point);
        }
    }
    if let [first, .., last] = kept[..]
        && first.distance(last) < spacing / 2.0
        && !is_base(&last)
    {
        kept.pop();
    }
    kept
}
