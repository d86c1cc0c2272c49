//! Estimates the time and the memory of the filters of an SVG document.

use resvg::tiny_skia::{NonZeroRect, Transform};
use resvg::usvg::filter::{Filter, Kind};

use super::estimate::{BYTES_PER_PIXEL, Canvas, Estimate};
use super::refusal::Refusal;

/// Of every primitive, per pixel: copies, and conversions of the color space.
const PRIMITIVE_TIME: f64 = 40.0;
const BLUR_TIME: f64 = 250.0;
/// Of a blur with a standard deviation below [`SMALL_DEVIATION`], which is more exact.
const SMALL_BLUR_TIME: f64 = 450.0;
const SMALL_DEVIATION: f32 = 2.0;
const DRAW_TIME: f64 = 20.0;
const TRANSFER_TIME: f64 = 150.0;
const LIGHT_TIME: f64 = 200.0;
const DISPLACE_TIME: f64 = 50.0;
/// Of an octave of noise in four channels.
const NOISE_TIME: f64 = 250.0;
/// Of a pixel that is compared with another one.
const NEIGHBOR_TIME: f64 = 6.0;
/// Of an element of a matrix.
const ELEMENT_TIME: f64 = 12.0;

/// The renderer's integers overflow beyond this, in pixels.
const MAX_COORDINATE: f32 = 1e8;
/// The largest standard deviation of a blur, in pixels.
const MAX_DEVIATION: f32 = 1e4;

/// Adds the time of a filter to the estimate and returns its memory, in bytes.
///
/// # Errors
/// Fails if drawing takes too long, or if the filter makes the renderer panic.
pub fn filter_cost(
    estimate: &mut Estimate,
    filter: &Filter,
    canvas: Canvas,
    transform: Transform,
) -> Result<f64, Refusal> {
    check_region(filter.rect(), transform)?;
    let area = canvas.area();
    let (sx, sy) = transform.get_scale();
    // The source, its copy, and what the largest primitive needs.
    let (mut images, mut content): (f64, f64) = (6.0, 0.0);
    for primitive in filter.primitives() {
        check_region(primitive.rect(), transform)?;
        images += 1.0;
        let time = match primitive.kind() {
            Kind::GaussianBlur(blur) => {
                blur_time(blur.std_dev_x().get() * sx, blur.std_dev_y().get() * sy)?
            }
            Kind::DropShadow(shadow) => {
                check_offset(shadow.dx() * sx, shadow.dy() * sy)?;
                let (x, y) = (shadow.std_dev_x().get() * sx, shadow.std_dev_y().get() * sy);
                blur_time(x, y)? + 3.0 * DRAW_TIME
            }
            Kind::Offset(offset) => {
                check_offset(offset.dx() * sx, offset.dy() * sy)?;
                DRAW_TIME
            }
            Kind::Morphology(morphology) => {
                let radius = |radius: f32, limit: f64| f64::from(radius).round().min(limit);
                let rx = radius(morphology.radius_x().get() * sx, canvas.width);
                let ry = radius(morphology.radius_y().get() * sy, canvas.height);
                (2.0 * rx + 1.0) * (2.0 * ry + 1.0) * NEIGHBOR_TIME
            }
            Kind::ConvolveMatrix(matrix) => {
                let matrix = matrix.matrix();
                f64::from(matrix.columns()) * f64::from(matrix.rows()) * ELEMENT_TIME
            }
            Kind::Turbulence(turbulence) => f64::from(turbulence.num_octaves()) * NOISE_TIME,
            Kind::DiffuseLighting(_) | Kind::SpecularLighting(_) => LIGHT_TIME,
            Kind::DisplacementMap(_) => DISPLACE_TIME,
            Kind::ComponentTransfer(_) | Kind::ColorMatrix(_) => TRANSFER_TIME,
            Kind::Merge(merge) => merge.inputs().len() as f64 * (PRIMITIVE_TIME + DRAW_TIME),
            Kind::Blend(_) | Kind::Composite(_) | Kind::Flood(_) => 2.0 * DRAW_TIME,
            Kind::Tile(_) => 3.0 * DRAW_TIME,
            Kind::Image(image) => {
                content = content.max(estimate.filter_image(image.root(), canvas, transform)?);
                DRAW_TIME
            }
        };
        estimate.add_time(area * (PRIMITIVE_TIME + time))?;
    }
    Ok(area * images * BYTES_PER_PIXEL + content)
}

fn check_region(region: NonZeroRect, transform: Transform) -> Result<(), Refusal> {
    let Some(region) = region.transform(transform) else {
        return Ok(());
    };
    let edges = [region.left(), region.top(), region.right(), region.bottom()];
    let is_near = edges.iter().all(|edge| edge.abs() < MAX_COORDINATE);
    is_near.then_some(()).ok_or(Refusal::TooComplex)
}

/// Returns the time of a blur per pixel. `x` and `y` are the standard deviations in pixels.
fn blur_time(x: f32, y: f32) -> Result<f64, Refusal> {
    let is_drawn = x <= MAX_DEVIATION && y <= MAX_DEVIATION;
    is_drawn.then_some(()).ok_or(Refusal::TooComplex)?;
    Ok(match x.max(y) < SMALL_DEVIATION {
        true => SMALL_BLUR_TIME,
        false => BLUR_TIME,
    })
}

fn check_offset(x: f32, y: f32) -> Result<(), Refusal> {
    let is_near = x.abs() < MAX_COORDINATE && y.abs() < MAX_COORDINATE;
    is_near.then_some(()).ok_or(Refusal::TooComplex)
}
