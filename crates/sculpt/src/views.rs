//! The views that a caller chooses from.

use std::f64::consts::TAU;

/// The number of views that a `"turbo"` session offers.
pub const VIEW_COUNT: usize = 4;

/// The rotation of the model for each view, in full turns: from the front, from 45 degrees on both
/// sides of it, and from behind.
const TURNS: [f64; VIEW_COUNT] = [0.0, 0.125, 0.5, 0.875];

/// Returns the model's rotation about the y axis for a view, in radians, counterclockwise seen from
/// above. A `view` of at least [`VIEW_COUNT`] starts again from the front.
pub fn rotation(view: usize) -> f64 {
    TAU * TURNS[view % VIEW_COUNT]
}
