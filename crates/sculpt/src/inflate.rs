//! How far a shape bulges: the solution of ∇²h = -4 inside of an outline, with h = 0 on it.
//!
//! √h then is the height of a half sphere over a disc, and of a half tube over a strip: thick parts
//! bulge, thin parts stay thin.

use crate::field::{Field, mix};
use crate::outline::{crossing, is_inside};

/// On the finest grid, whose first guess is already good.
const SWEEPS: usize = 24;
/// On a grid as small as that, where they cost nothing.
const MANY_SWEEPS: usize = 400;
const SMALL: usize = 24;
/// Between 1 (stable) and 2 (fast).
const OVER_RELAXATION: f32 = 1.7;

/// The heights inside, in squares of the grid's steps; 0 outside. `coverage` is 0 all around its
/// edge.
///
/// From coarse grids to fine ones: each is begun with what the one before it found, so that the
/// work grows with the number of grid points and not faster.
pub fn inflate(coverage: &Field) -> Field {
    let (width, height) = (coverage.width, coverage.height);
    let smallest = width.min(height);
    let (guess, sweeps) = if smallest <= SMALL {
        let flat = Field::new(width, height, |_, _| 0.0);
        (flat, MANY_SWEEPS)
    } else {
        let coarse = inflate(&halved(coverage));
        // Steps twice as long, squared.
        let fine = |x, y| 4.0 * coarse.sample(coarser(x), coarser(y));
        (Field::new(width, height, fine), SWEEPS)
    };
    relax(coverage, guess, sweeps)
}

/// Where a point of the fine grid lies on the coarse one: both have a ring of zeros around them.
fn coarser(at: usize) -> f32 {
    (at as f32 + 0.5) / 2.0
}

fn halved(coverage: &Field) -> Field {
    let inner = coverage.cropped(1, 1, coverage.width - 2, coverage.height - 2);
    let (width, height) = (inner.width.div_ceil(2), inner.height.div_ceil(2));
    let even = inner.cropped(0, 0, 2 * width, 2 * height);
    even.resized(width, height)
        .cropped(-1, -1, width + 2, height + 2)
}

/// A point inside, and what its neighbours (left, right, above, below) count for.
struct Point {
    at: usize,
    weights: [f32; 4],
    own: f32,
}

/// Successive over-relaxation. Next to the outline the distances to it count and not those to the
/// grid points behind it, so that the grid leaves no steps on the rim.
fn relax(coverage: &Field, guess: Field, sweeps: usize) -> Field {
    let width = coverage.width;
    let neighbours = |at: usize| [at - 1, at + 1, at - width, at + width];
    let mut heights = Field::new(width, coverage.height, |_, _| 0.0);
    let mut points = Vec::new();
    for (at, value) in coverage.values.iter().enumerate() {
        if !is_inside(*value) {
            continue;
        }
        let distances = neighbours(at).map(|other| {
            let other = coverage.values[other];
            if is_inside(other) {
                1.0
            } else {
                crossing(*value, other)
            }
        });
        let [left, right, above, below] = distances;
        let weight = |own: f32, opposite: f32| 2.0 / (own * (own + opposite));
        let weights = [
            weight(left, right),
            weight(right, left),
            weight(above, below),
            weight(below, above),
        ];
        let own = 2.0 / (left * right) + 2.0 / (above * below);
        points.push(Point { at, weights, own });
        heights.values[at] = guess.values[at].max(0.0);
    }
    for _ in 0..sweeps {
        for Point { at, weights, own } in &points {
            let around = neighbours(*at).map(|other| heights.values[other]);
            let sum: f32 = around.iter().zip(weights).map(|(h, w)| h * w).sum();
            let height = &mut heights.values[*at];
            *height = mix(*height, (sum + 4.0) / own, OVER_RELAXATION).max(0.0);
        }
    }
    heights
}
