//! The size that browsers give an SVG image.

use resvg::usvg::roxmltree::Node;
use simplecss::DeclarationTokenizer;
use svgtypes::{Length, LengthUnit, ViewBox};

use super::refusal::Refusal;

/// The size of a replaced element without one, in CSS pixels:
/// <https://drafts.csswg.org/css-images/#default-sizing>
const DEFAULT: [f64; 2] = [300.0, 150.0];

/// Returns the width and height of an SVG image in CSS pixels.
///
/// # Errors
/// Fails if one of them is not positive.
pub fn read_size(root: Node<'_, '_>) -> Result<[f64; 2], Refusal> {
    let view_box = root.attribute("viewBox");
    let view_box = view_box.and_then(|text| text.parse::<ViewBox>().ok());
    let size = match (length(root, "width"), length(root, "height"), view_box) {
        (Some(width), Some(height), _) => [width, height],
        (Some(width), None, Some(view_box)) => [width, width / view_box.w * view_box.h],
        (None, Some(height), Some(view_box)) => [height / view_box.h * view_box.w, height],
        (None, None, Some(view_box)) => [view_box.w, view_box.h],
        (width, height, None) => [width.unwrap_or(DEFAULT[0]), height.unwrap_or(DEFAULT[1])],
    };
    let is_valid = |edge: &f64| *edge > 0.0 && edge.is_finite();
    match size.iter().all(is_valid) {
        true => Ok(size),
        false => Err(Refusal::NoSize),
    }
}

/// Returns a length of the root element in CSS pixels. Returns `None` for percentages, which count as
/// missing, because the image has no container.
fn length(root: Node<'_, '_>, name: &str) -> Option<f64> {
    let style = root.attribute("style").unwrap_or_default();
    let style = DeclarationTokenizer::from(style).filter(|each| each.name == name);
    let style = style.filter_map(|each| pixels(each.value)).last();
    style.or_else(|| pixels(root.attribute(name)?))
}

fn pixels(text: &str) -> Option<f64> {
    const INCH: f64 = 96.0;
    const FONT_SIZE: f64 = 16.0;
    let length: Length = text.trim().parse().ok()?;
    let unit = match length.unit {
        LengthUnit::None | LengthUnit::Px => 1.0,
        LengthUnit::Em => FONT_SIZE,
        LengthUnit::Ex => FONT_SIZE / 2.0,
        LengthUnit::In => INCH,
        LengthUnit::Cm => INCH / 2.54,
        LengthUnit::Mm => INCH / 25.4,
        LengthUnit::Pt => INCH / 72.0,
        LengthUnit::Pc => INCH / 6.0,
        LengthUnit::Percent => return None,
    };
    Some(length.number * unit)
}
