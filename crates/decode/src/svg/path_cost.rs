//! Estimates the time and the memory of the paths of an SVG document.

use resvg::tiny_skia::{PathSegment, Point, Rect, Transform};
use resvg::usvg::{Fill, Paint, Path, Stroke};

use super::estimate::{Canvas, Estimate};
use super::refusal::Refusal;

/// Per pixel.
const COLOR_TIME: f64 = 1.5;
const GRADIENT_TIME: f64 = 15.0;
const PATTERN_TIME: f64 = 60.0;
/// Of a color of a gradient, per pixel: all of them are compared.
const STOP_TIME: f64 = 0.5;
/// Per segment: curves are divided into at most 64 lines.
const SEGMENT_TIME: f64 = 600.0;
/// Per row that a segment crosses: there are four rows in a pixel.
const ROW_TIME: f64 = 4.0 * 4.0;
/// Of two segments whose order in a row may change.
const CROSSING_TIME: f64 = 6.0;
/// Memory of a segment, in bytes: curves are divided into lines.
const SEGMENT_BYTES: f64 = 200.0;

/// A segment of an outline has a line on both sides and a join.
const STROKED: f64 = 6.0;
/// Each of the two sides of a segment may cross those of another one.
const STROKED_PAIRS: f64 = 4.0;
/// The renderer does not draw more dashes.
const MAX_DASHES: f64 = 1e6;
/// Curves are divided too often beyond this length, in pixels.
const MAX_STROKED_LENGTH: f64 = 1e8;

/// The canvas is divided into this number of columns and rows, to find segments that may cross.
const CELLS: usize = 64;

/// Adds the time of a path to the estimate and returns its memory, in bytes.
///
/// # Errors
/// Fails if drawing takes too long.
pub fn path_cost(
    estimate: &mut Estimate,
    path: &Path,
    canvas: Canvas,
    transform: Transform,
) -> Result<f64, Refusal> {
    if !path.is_visible() {
        return Ok(0.0);
    }
    let fill = match path.fill() {
        Some(fill) => fill_cost(estimate, path, fill, canvas, transform)?,
        None => 0.0,
    };
    let stroke = match path.stroke() {
        Some(stroke) => stroke_cost(estimate, path, stroke, canvas, transform)?,
        None => 0.0,
    };
    Ok(fill.max(stroke))
}

fn fill_cost(
    estimate: &mut Estimate,
    path: &Path,
    fill: &Fill,
    canvas: Canvas,
    transform: Transform,
) -> Result<f64, Refusal> {
    let tile = paint_cost(
        estimate,
        fill.paint(),
        path.bounding_box(),
        canvas,
        transform,
    )?;
    let outline = Outline::measure(estimate, path, canvas, transform, 0.0)?;
    estimate.add_time(outline.segments * SEGMENT_TIME + outline.rows * ROW_TIME)?;
    estimate.add_time(outline.crossings(outline.segments) * CROSSING_TIME)?;
    Ok(tile + outline.segments * SEGMENT_BYTES)
}

fn stroke_cost(
    estimate: &mut Estimate,
    path: &Path,
    stroke: &Stroke,
    canvas: Canvas,
    transform: Transform,
) -> Result<f64, Refusal> {
    let bounds = path.stroke_bounding_box();
    let tile = paint_cost(estimate, stroke.paint(), bounds, canvas, transform)?;
    let (sx, sy) = transform.get_scale();
    let scale = f64::from(sx.max(sy));
    let width = f64::from(stroke.width().get()) * scale;
    // Miters reach farther, but there is only one at each join.
    let outline = Outline::measure(estimate, path, canvas, transform, width / 2.0)?;
    if outline.length > MAX_STROKED_LENGTH {
        return Err(Refusal::TooComplex);
    }
    let dashes = stroke.dasharray().map_or(0.0, |dashes| {
        let interval = dashes.iter().copied().map(f64::from).sum::<f64>() * scale;
        outline.length / interval * (dashes.len() as f64 / 2.0)
    });
    // So many dashes are not drawn, but all of them may be counted first.
    let dashes = if dashes.is_nan() {
        MAX_DASHES
    } else {
        dashes.min(MAX_DASHES)
    };
    let curves = outline.curves * (8.0 + 4.0 * outline.length.cbrt());
    let segments = (outline.segments + dashes + curves) * STROKED;
    let rows = STROKED * outline.rows + segments * width.min(canvas.height) + outline.columns;
    estimate.add_time(segments * SEGMENT_TIME + rows * ROW_TIME)?;
    let crossings = outline.crossings(outline.segments) * STROKED_PAIRS;
    estimate.add_time(crossings * CROSSING_TIME)?;
    Ok(tile + segments * SEGMENT_BYTES)
}

/// Adds the time of the pixels and returns the memory of the tile of a pattern.
fn paint_cost(
    estimate: &mut Estimate,
    paint: &Paint,
    bounds: Rect,
    canvas: Canvas,
    transform: Transform,
) -> Result<f64, Refusal> {
    let Some(bounds) = bounds.transform(transform) else {
        return Err(Refusal::TooComplex);
    };
    let [width, height] = canvas.visible(bounds);
    let stops = |count: usize| GRADIENT_TIME + STOP_TIME * count as f64;
    let (time, tile) = match paint {
        Paint::Color(_) => (COLOR_TIME, 0.0),
        Paint::LinearGradient(gradient) => (stops(gradient.stops().len()), 0.0),
        Paint::RadialGradient(gradient) => (stops(gradient.stops().len()), 0.0),
        Paint::Pattern(pattern) => (PATTERN_TIME, estimate.tile(pattern, canvas, transform)?),
    };
    estimate.add_time(width * height * time)?;
    Ok(tile)
}

/// The segments of a path on a canvas.
struct Outline {
    segments: f64,
    curves: f64,
    /// In pixels, inside and outside of the canvas.
    length: f64,
    /// The sums of heights and of widths inside of the canvas, in pixels.
    rows: f64,
    columns: f64,
    /// The number of segments in each cell of the canvas.
    cells: Vec<f64>,
}

impl Outline {
    /// Measures a path whose segments reach `margin` pixels farther.
    fn measure(
        estimate: &mut Estimate,
        path: &Path,
        canvas: Canvas,
        transform: Transform,
        margin: f64,
    ) -> Result<Self, Refusal> {
        let mut outline = Self {
            segments: 0.0,
            curves: 0.0,
            length: 0.0,
            rows: 0.0,
            columns: 0.0,
            cells: Vec::new(),
        };
        // A short path cannot cross itself often.
        if path.data().len() > 500 {
            outline.cells = vec![0.0; CELLS * CELLS];
        }
        let mut start = Point::zero();
        let mut last = start;
        for segment in path.data().segments() {
            let (points, is_curve) = match segment {
                PathSegment::MoveTo(point) => {
                    start = point;
                    last = point;
                    continue;
                }
                PathSegment::LineTo(point) => ([point; 3], false),
                PathSegment::QuadTo(control, point) => ([control, control, point], true),
                PathSegment::CubicTo(first, second, point) => ([first, second, point], true),
                PathSegment::Close => ([start; 3], false),
            };
            let mut points = [last, points[0], points[1], points[2]];
            last = points[3];
            transform.map_points(&mut points);
            let touched = outline.add(points, is_curve, canvas, margin)?;
            estimate.add_time(touched)?;
        }
        Ok(outline)
    }

    /// Adds a segment and returns the number of cells that it touches.
    fn add(
        &mut self,
        points: [Point; 4],
        is_curve: bool,
        canvas: Canvas,
        margin: f64,
    ) -> Result<f64, Refusal> {
        let range = |coordinate: fn(&Point) -> f32| {
            let values = points.iter().map(|point| f64::from(coordinate(point)));
            values.fold([f64::MAX, f64::MIN], |[low, high], value| {
                [low.min(value), high.max(value)]
            })
        };
        let ([left, right], [top, bottom]) = (range(|point| point.x), range(|point| point.y));
        self.segments += 1.0;
        self.length += (right - left).hypot(bottom - top);
        if is_curve {
            self.curves += 1.0;
        }
        if !self.length.is_finite() {
            return Err(Refusal::TooComplex);
        }
        let clip = |start: f64, end: f64, limit: f64| {
            [
                (start - margin).clamp(0.0, limit),
                (end + margin).clamp(0.0, limit),
            ]
        };
        let [left, right] = clip(left, right, canvas.width);
        let [top, bottom] = clip(top, bottom, canvas.height);
        self.rows += bottom - top - 2.0 * margin.min((bottom - top) / 2.0);
        self.columns += right - left;
        if self.cells.is_empty() || top == bottom {
            return Ok(0.0);
        }
        let cell = |at: f64, limit: f64| ((at / limit * CELLS as f64) as usize).min(CELLS - 1);
        let columns = cell(left, canvas.width)..=cell(right, canvas.width);
        let rows = cell(top, canvas.height)..=cell(bottom, canvas.height);
        let touched = columns.clone().count() * rows.clone().count();
        for row in rows {
            for column in columns.clone() {
                self.cells[row * CELLS + column] += 1.0;
            }
        }
        Ok(touched as f64)
    }

    /// Returns how many pairs of segments may cross at most.
    fn crossings(&self, segments: f64) -> f64 {
        let pairs = self.cells.iter().map(|count| count * count / 2.0);
        pairs.sum::<f64>().min(segments * segments / 2.0)
    }
}
