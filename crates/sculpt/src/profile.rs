//! How wide a contour is at each height.

use std::collections::HashMap;

use glam::Vec2;

/// The edges of a contour, found by their rows.
pub struct Profile {
    edges: HashMap<i32, Vec<[Vec2; 2]>>,
}

impl Profile {
    pub fn new(contour: impl IntoIterator<Item = [Vec2; 2]>) -> Self {
        let mut edges: HashMap<_, Vec<_>> = HashMap::new();
        for [a, b] in contour {
            for row in a.y.min(b.y).floor() as i32..=a.y.max(b.y).floor() as i32 {
                edges.entry(row).or_default().push([a, b]);
            }
        }
        Self { edges }
    }

    /// Returns the leftmost and the rightmost point at a height. Returns `None` if the contour is
    /// nowhere as high.
    pub fn span(&self, y: f32) -> Option<(f32, f32)> {
        let edges = self.edges.get(&(y.floor() as i32)).into_iter().flatten();
        let crossings = edges.filter_map(|[a, b]| {
            let (low, high) = if a.y < b.y { (a, b) } else { (b, a) };
            let is_crossed = low.y <= y && y <= high.y && low.y < high.y;
            is_crossed.then(|| low.x + (high.x - low.x) * (y - low.y) / (high.y - low.y))
        });
        crossings.fold(None, |span, x| match span {
            None => Some((x, x)),
            Some((left, right)) => Some((x.min(left), x.max(right))),
        })
    }
}
