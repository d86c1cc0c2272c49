//! The size of a model's bounding box, as far as the caller orders it.

use contract::{AUTOMATIC_EDGE, Parameters};
use glam::DVec3;

/// The ordered edges of a bounding box. The others are automatic.
#[derive(Clone, Copy, Debug)]
pub struct BoxSize([Option<f64>; 3]);

impl BoxSize {
    /// Without ordered edges.
    pub const AUTOMATIC: Self = Self([None; 3]);

    /// Returns the edges that the parameters order.
    pub fn new(parameters: &Parameters) -> Self {
        let edges = parameters.scaled_bbox.unwrap_or([AUTOMATIC_EDGE; 3]);
        Self(edges.map(|edge| Some(edge).filter(|edge| *edge != AUTOMATIC_EDGE)))
    }

    /// Returns the size of a model that has the size `extent` so far, or `None` if no edge is ordered.
    /// An automatic edge keeps its proportion to the ordered ones, and to their mean if they are scaled
    /// differently.
    pub fn fit(self, extent: DVec3) -> Option<DVec3> {
        let edges = self.0.into_iter().zip(extent.to_array());
        let scales: Vec<_> = edges
            .clone()
            .filter(|(_, length)| *length > 0.0)
            .filter_map(|(edge, length)| Some(edge? / length))
            .collect();
        let mean = match scales.len() {
            // The ordered edges are flat.
            0 => 1.0,
            count => scales.iter().sum::<f64>() / count as f64,
        };
        let mut size = DVec3::ZERO;
        for (axis, (edge, length)) in edges.enumerate() {
            size[axis] = edge.unwrap_or(length * mean);
        }
        self.0.iter().any(Option::is_some).then_some(size)
    }
}
