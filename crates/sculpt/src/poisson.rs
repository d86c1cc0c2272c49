//! How far a shape bulges: the solution h of Poisson's equation ∇²h = -4 inside a contour, with h = 0
//! on it.
//!
//! √h is the height of a hemisphere over a disc, and of a half tube over a strip: wide parts bulge,
//! narrow parts stay thin.

use crate::contour::{crossing, is_inside};
use crate::scalar_field::{ScalarField, lerp};

/// Sweeps on a grid that starts from the solution of a coarser one.
const SWEEPS: usize = 24;
/// Sweeps on the coarsest grid, which starts from zeros.
const COARSEST_SWEEPS: usize = 400;
/// A grid whose shorter edge has at most this many points is the coarsest.
const COARSEST_EDGE: usize = 24;
/// The factor of successive over-relaxation, between 1 (stable) and 2 (fast).
const OVER_RELAXATION: f32 = 1.7;

/// Returns h inside the contour, in squared grid steps, and 0 outside. The coverage must be 0 all
/// along its border.
///
/// Each grid starts from the solution of one with half its resolution, so that the time grows only
/// with the number of grid points.
pub fn solve(coverage: &ScalarField) -> ScalarField {
    let (width, height) = (coverage.width, coverage.height);
    let (guess, sweeps) = if width.min(height) <= COARSEST_EDGE {
        let zeros = ScalarField::new(width, height, |_, _| 0.0);
        (zeros, COARSEST_SWEEPS)
    } else {
        let coarse = solve(&halved(coverage));
        // The coarse steps are twice as long, and h is in squared steps.
        let fine = |x, y| 4.0 * coarse.sample(to_coarse(x), to_coarse(y));
        (ScalarField::new(width, height, fine), SWEEPS)
    };
    relax(coverage, guess, sweeps)
}

/// Returns where a point of the fine grid is on the coarse one. Both have a border of zeros.
fn to_coarse(at: usize) -> f32 {
    (at as f32 + 0.5) / 2.0
}

fn halved(coverage: &ScalarField) -> ScalarField {
    let inner = coverage.cropped(1, 1, coverage.width - 2, coverage.height - 2);
    let (width, height) = (inner.width.div_ceil(2), inner.height.div_ceil(2));
    let even = inner.cropped(0, 0, 2 * width, 2 * height);
    even.resized(width, height)
        .cropped(-1, -1, width + 2, height + 2)
}

/// A point inside, with the weights of its neighbors (left, right, above, below) and its own.
struct Stencil {
    at: usize,
    weights: [f32; 4],
    own: f32,
}

/// Improves a guess by successive over-relaxation. Next to the contour the weights are those for the
/// distances to it, in place of the distances to the grid points behind it: with these the grid would
/// show as steps on the rim.
fn relax(coverage: &ScalarField, guess: ScalarField, sweeps: usize) -> ScalarField {
    let width = coverage.width;
    let neighbors = |at: usize| [at - 1, at + 1, at - width, at + width];
    let mut heights = ScalarField::new(width, coverage.height, |_, _| 0.0);
    let mut stencils = Vec::new();
    for (at, value) in coverage.values.iter().enumerate() {
        if !is_inside(*value) {
            continue;
        }
        let distances = neighbors(at).map(|other| {
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
        stencils.push(Stencil { at, weights, own });
        heights.values[at] = guess.values[at].max(0.0);
    }
    for _ in 0..sweeps {
        for Stencil { at, weights, own } in &stencils {
            let around = neighbors(*at).map(|other| heights.values[other]);
            let sum: f32 = around.iter().zip(weights).map(|(h, w)| h * w).sum();
            let height = &mut heights.values[*at];
            *height = lerp(*height, (sum + 4.0) / own, OVER_RELAXATION).max(0.0);
        }
    }
    heights
}

/// Returns the solution between the grid's points. `heights` is [extended](extended).
///
/// Bilinear interpolation alone is too low where the surface is curved. The difference is added for a
/// surface that is curved equally in both directions, as over a disc.
pub fn sample(heights: &ScalarField, x: f32, y: f32) -> f32 {
    let curved = |at: f32| at.fract() * (1.0 - at.fract());
    (heights.sample(x, y) + curved(x) + curved(y)).max(0.0)
}

/// Returns the solution with negative numbers next to the contour outside, such that it is 0 on the
/// contour. With zeros there, it would rise in steps that show the grid.
pub fn extended(coverage: &ScalarField, mut heights: ScalarField) -> ScalarField {
    let (width, height) = (coverage.width, coverage.height);
    let inner = heights.clone();
    let is_covered = |x: usize, y: usize| is_inside(coverage.at(x, y));
    let around = |x: usize, y: usize| {
        let all = [
            (x.wrapping_sub(1), y),
            (x + 1, y),
            (x, y.wrapping_sub(1)),
            (x, y + 1),
        ];
        all.into_iter().filter(|(x, y)| *x < width && *y < height)
    };
    let mean = |numbers: &mut dyn Iterator<Item = f32>| {
        let (sum, count) = numbers.fold((0.0, 0), |(sum, count), number| (sum + number, count + 1));
        (count > 0).then(|| sum / count as f32)
    };
    for y in 0..height {
        for x in 0..width {
            if is_covered(x, y) {
                continue;
            }
            let mut beyond = around(x, y)
                .filter(|(x, y)| is_covered(*x, *y))
                .map(|(i, j)| {
                    let part = crossing(coverage.at(i, j), coverage.at(x, y));
                    -(inner.at(i, j) / part + 1.0) * (1.0 - part)
                });
            heights.values[y * width + x] = mean(&mut beyond).unwrap_or_default();
        }
    }
    // Points with an inner one only at the opposite corner of a cell.
    let sides = heights.clone();
    for y in 0..height {
        for x in 0..width {
            if is_covered(x, y) || around(x, y).any(|(x, y)| is_covered(x, y)) {
                continue;
            }
            let columns = [x.wrapping_sub(1), x + 1]
                .into_iter()
                .filter(|x| *x < width);
            let corners = columns.flat_map(|i| {
                let rows = [y.wrapping_sub(1), y + 1].into_iter();
                rows.filter(|y| *y < height).map(move |j| (i, j))
            });
            let mut beyond = (corners.filter(|(i, j)| is_covered(*i, *j)))
                .map(|(i, j)| sides.at(i, y) + sides.at(x, j) - inner.at(i, j));
            heights.values[y * width + x] = mean(&mut beyond).unwrap_or_default();
        }
    }
    heights
}
