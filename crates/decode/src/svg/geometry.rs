//! Numbers of an SVG document for which the renderer needs more memory than the text has bytes.

use resvg::usvg::roxmltree::Node;
use svgtypes::{PathParser, PathSegment};

use super::refusal::Refusal;

/// The largest number of a coordinate or length.
const MAX_NUMBER: f64 = 1e9;

/// The number of curves of an arc grows with the sixth root of its radius: a radius of 1e300 is an
/// endless loop.
const ARC_TOLERANCE: f64 = 0.1;

/// Arcs with a radius below this are lines.
const MIN_RADIUS: f64 = 1e-5;

/// Returns the number of segments of a path, with arcs converted to curves.
///
/// # Errors
/// Fails if a coordinate is too large.
pub fn count_segments(path: &str) -> Result<u64, Refusal> {
    // How far the current point is from the origin at most.
    let mut distance: f64 = 0.0;
    let mut segments: f64 = 0.0;
    for segment in PathParser::from(path) {
        // What follows an error is not drawn.
        let Ok(segment) = segment else { break };
        let (is_absolute, numbers) = numbers_of(&segment);
        let reach = numbers.iter().map(|number| number.abs()).sum::<f64>();
        if let PathSegment::EllipticalArc { rx, ry, .. } = segment {
            let [x, y] = [numbers[0].abs(), numbers[1].abs()];
            let chord = x + y + if is_absolute { distance } else { 0.0 };
            let (rx, ry) = (rx.abs(), ry.abs());
            // Radii that are too small for the chord are enlarged.
            let scale = chord / rx.min(ry).max(MIN_RADIUS);
            let radius = rx.max(ry) * scale.max(1.0);
            segments += 4.0 + (1.2 * radius / ARC_TOLERANCE).powf(1.0 / 6.0);
        }
        distance = if is_absolute { reach } else { distance + reach };
        segments += 1.0;
        if !(reach <= MAX_NUMBER && segments < MAX_NUMBER) {
            return Err(Refusal::TooComplex);
        }
    }
    Ok(segments as u64)
}

/// Returns whether a segment has absolute coordinates, and its coordinates (of arcs: of their end).
fn numbers_of(segment: &PathSegment) -> (bool, [f64; 6]) {
    match *segment {
        PathSegment::MoveTo { abs, x, y }
        | PathSegment::LineTo { abs, x, y }
        | PathSegment::SmoothQuadratic { abs, x, y }
        | PathSegment::EllipticalArc { abs, x, y, .. } => (abs, [x, y, 0.0, 0.0, 0.0, 0.0]),
        PathSegment::HorizontalLineTo { x, .. } => (false, [x, 0.0, 0.0, 0.0, 0.0, 0.0]),
        PathSegment::VerticalLineTo { y, .. } => (false, [0.0, y, 0.0, 0.0, 0.0, 0.0]),
        PathSegment::CurveTo {
            abs,
            x1,
            y1,
            x2,
            y2,
            x,
            y,
        } => (abs, [x1, y1, x2, y2, x, y]),
        PathSegment::SmoothCurveTo { abs, x2, y2, x, y } => (abs, [x2, y2, x, y, 0.0, 0.0]),
        PathSegment::Quadratic { abs, x1, y1, x, y } => (abs, [x1, y1, x, y, 0.0, 0.0]),
        PathSegment::ClosePath { .. } => (false, [0.0; 6]),
    }
}

/// Which units the lengths of a document have.
#[derive(Default)]
pub struct Lengths {
    has_relative_font_size: bool,
    has_length_in_font_sizes: bool,
}

impl Lengths {
    /// Reads a property of an element.
    ///
    /// # Errors
    /// Fails if a length is too large.
    pub fn read(&mut self, node: Node<'_, '_>, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "font" | "font-size" => {
                let units = ["em", "ex", "%", "larger"];
                self.has_relative_font_size |= units.iter().any(|unit| value.contains(unit));
            }
            "x" | "y" | "width" | "height" | "r" | "rx" | "ry" | "cx" | "cy" | "x1" | "y1"
            | "x2" | "y2" | "viewBox" | "refX" | "refY" | "markerWidth" | "markerHeight" => {
                self.has_length_in_font_sizes |= value.contains("em") || value.contains("ex");
                let is_size = matches!(name, "width" | "height");
                let is_viewport = matches!(node.tag_name().name(), "svg" | "use" | "symbol");
                let is_nested = node.parent_element().is_some();
                for number in value.split([' ', ',', '\t', '\r', '\n']) {
                    let end = number
                        .find(|end: char| !matches!(end, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'));
                    let (digits, unit) = number.split_at(end.unwrap_or(number.len()));
                    // Nested percentages are multiplied.
                    let is_multiplied = is_size && is_viewport && is_nested && unit == "%";
                    let limit = if is_multiplied { 100.0 } else { MAX_NUMBER };
                    let number = digits.trim_end_matches(['e', 'E']).parse::<f64>();
                    if number.is_ok_and(|number| number.abs() > limit) {
                        return Err(Refusal::TooComplex);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// # Errors
    /// Fails if lengths in font sizes may be too large, because nested relative font sizes are
    /// multiplied.
    pub fn check(&self) -> Result<(), Refusal> {
        match self.has_relative_font_size && self.has_length_in_font_sizes {
            true => Err(Refusal::TooComplex),
            false => Ok(()),
        }
    }
}
