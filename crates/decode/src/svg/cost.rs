//! Estimates the time and the memory of drawing an SVG document.
//!
//! Follows the renderer through its canvases: isolated groups, masks, clips, filters and patterns are
//! drawn to canvases of their own, which may be five times as wide and high as the image.

use resvg::tiny_skia::Transform;
use resvg::usvg::{ClipPath, Group, Image, ImageKind, Mask, Node, Tree};

use super::estimate::{BYTES_PER_PIXEL, Canvas, Estimate};
use super::filter_cost::filter_cost;
use super::path_cost::path_cost;
use super::refusal::Refusal;

/// The most memory, in bytes. More than [`Decoder::max_bytes`](crate::Decoder::max_bytes) is refused
/// later, with the number.
const MAX_MEMORY: f64 = 1e12;

/// Per visited node.
const NODE_TIME: f64 = 500.0;
/// Per pixel of a new canvas.
const CANVAS_TIME: f64 = 3.0;
/// Per pixel of a canvas that is drawn on another one.
const LAYER_TIME: f64 = 17.0;
/// Per pixel of a mask or clip.
const MASK_TIME: f64 = 12.0;
/// Per pixel that an image is drawn on.
const IMAGE_TIME: f64 = 60.0;
/// Per pixel of a decoded image.
const DECODE_TIME: f64 = 40.0;

/// Estimates the memory of drawing a tree, in bytes, without the image itself.
///
/// # Errors
/// Fails if drawing takes too long.
pub fn estimate_cost(tree: &Tree, transform: Transform, size: (u32, u32)) -> Result<u64, Refusal> {
    let mut estimate = Estimate::default();
    let canvas = Canvas::of_image(f64::from(size.0), f64::from(size.1))?;
    let bytes = estimate.group_content(tree.root(), canvas, transform)?;
    Ok(bytes.min(MAX_MEMORY) as u64)
}

impl Estimate {
    /// Adds the nodes in a group and returns the memory that one of them needs at most.
    pub fn group_content(
        &mut self,
        group: &Group,
        canvas: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        self.largest(group, |estimate, node| match node {
            Node::Group(group) => estimate.group(group, canvas, transform),
            Node::Path(path) => path_cost(estimate, path, canvas, transform),
            Node::Image(image) => estimate.image(image, canvas, transform),
            Node::Text(_) => Ok(0.0),
        })
    }

    /// Adds the nodes in a group by `cost`, and returns the largest one.
    fn largest(
        &mut self,
        group: &Group,
        mut cost: impl FnMut(&mut Self, &Node) -> Result<f64, Refusal>,
    ) -> Result<f64, Refusal> {
        let mut largest: f64 = 0.0;
        for node in group.children() {
            self.add_time(NODE_TIME)?;
            largest = largest.max(cost(self, node)?);
        }
        Ok(largest)
    }

    fn image(
        &mut self,
        image: &Image,
        canvas: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        let size = image.size();
        if let ImageKind::SVG(tree) = image.kind() {
            self.add_time(canvas.area() * LAYER_TIME)?;
            let nested = Canvas::of_image(canvas.width, canvas.height)?;
            let content = self.group_content(tree.root(), nested, transform)?;
            return Ok(canvas.area() * BYTES_PER_PIXEL + content);
        }
        let rect = size.to_rect(0.0, 0.0);
        let drawn = rect.and_then(|rect| rect.transform(transform));
        let [width, height] = drawn.map_or([0.0; 2], |rect| canvas.visible(rect));
        let pixels = f64::from(size.width()) * f64::from(size.height());
        self.add_time(pixels * DECODE_TIME + width * height * IMAGE_TIME)?;
        // The decoder's own memory is known from the file.
        Ok(pixels * BYTES_PER_PIXEL)
    }

    /// See `render_group` of `resvg`.
    fn group(
        &mut self,
        group: &Group,
        canvas: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        let transform = transform.pre_concat(group.transform());
        if !group.should_isolate() {
            return self.group_content(group, canvas, transform);
        }
        let Some((layer, transform)) = layer_of(group, canvas, transform)? else {
            return Ok(0.0);
        };
        let drawn = layer.area().min(canvas.area());
        self.add_time(layer.area() * CANVAS_TIME + drawn * LAYER_TIME)?;
        let mut bytes = self.group_content(group, layer, transform)?;
        for filter in group.filters() {
            bytes = bytes.max(filter_cost(self, filter, layer, transform)?);
        }
        if let Some(clip) = group.clip_path() {
            bytes = bytes.max(self.clip(clip, layer, transform)?);
        }
        if let Some(mask) = group.mask() {
            bytes = bytes.max(self.mask(mask, layer, transform)?);
        }
        Ok(layer.area() * BYTES_PER_PIXEL + bytes)
    }

    fn clip(
        &mut self,
        clip: &ClipPath,
        canvas: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        self.add_time(canvas.area() * MASK_TIME)?;
        let content =
            self.clip_content(clip.root(), canvas, transform.pre_concat(clip.transform()))?;
        let outer = match clip.clip_path() {
            Some(outer) => self.clip(outer, canvas, transform)?,
            None => canvas.area(),
        };
        Ok(canvas.area() * BYTES_PER_PIXEL + content.max(outer))
    }

    fn clip_content(
        &mut self,
        group: &Group,
        canvas: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        self.largest(group, |estimate, node| match node {
            Node::Path(path) => path_cost(estimate, path, canvas, transform),
            Node::Group(group) => {
                let transform = transform.pre_concat(group.transform());
                let content = estimate.clip_content(group, canvas, transform)?;
                let Some(clip) = group.clip_path() else {
                    return Ok(content);
                };
                estimate.add_time(canvas.area() * LAYER_TIME)?;
                let clip = estimate.clip(clip, canvas, transform)?;
                Ok(canvas.area() * BYTES_PER_PIXEL + content.max(clip))
            }
            Node::Image(_) | Node::Text(_) => Ok(0.0),
        })
    }

    fn mask(&mut self, mask: &Mask, canvas: Canvas, transform: Transform) -> Result<f64, Refusal> {
        self.add_time(canvas.area() * 2.0 * MASK_TIME)?;
        let content = self.group_content(mask.root(), canvas, transform)?;
        let outer = match mask.mask() {
            Some(outer) => self.mask(outer, canvas, transform)?,
            None => 0.0,
        };
        // The region, which has one channel, beside the content.
        Ok(canvas.area() * (BYTES_PER_PIXEL + 1.0) + content.max(outer))
    }

    /// Adds the tile of a pattern, which is drawn again for each shape.
    pub fn tile(
        &mut self,
        pattern: &resvg::usvg::Pattern,
        canvas: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        let (sx, sy) = transform.pre_concat(pattern.transform()).get_scale();
        let rect = pattern.rect();
        let edge = |length: f32, scale: f32| f64::from(length * scale).round();
        let tile = canvas.with_size(edge(rect.width(), sx), edge(rect.height(), sy));
        self.add_time(NODE_TIME + tile.area() * CANVAS_TIME)?;
        let content = self.group_content(pattern.root(), tile, Transform::from_scale(sx, sy))?;
        Ok(tile.area() * BYTES_PER_PIXEL + content)
    }

    /// Adds what a filter draws by itself.
    pub fn filter_image(
        &mut self,
        group: &Group,
        region: Canvas,
        transform: Transform,
    ) -> Result<f64, Refusal> {
        let (sx, sy) = transform.get_scale();
        self.group_content(group, region, Transform::from_scale(sx, sy))
    }
}

/// Returns the canvas of an isolated group, and the transform to it. Returns `None` if nothing of the
/// group is drawn. See `render_group` and `render_layer` of `resvg`.
fn layer_of(
    group: &Group,
    canvas: Canvas,
    transform: Transform,
) -> Result<Option<(Canvas, Transform)>, Refusal> {
    let is_filtered = !group.filters().is_empty();
    let (mut limit, mut transform) = (canvas.limit, transform);
    if is_filtered {
        // Filters are applied before the rotation.
        let sx = transform.sx.hypot(transform.ky);
        let sy = transform.kx.hypot(transform.sy);
        let rest = Transform::from_row(
            transform.sx / sx,
            transform.ky / sx,
            transform.kx / sy,
            transform.sy / sy,
            0.0,
            0.0,
        );
        let Some(inverse) = rest.invert() else {
            return Ok(None);
        };
        let Some(rotated) = limit.transform(inverse) else {
            return Ok(None);
        };
        (limit, transform) = (rotated, inverse.pre_concat(transform));
    }
    let Some(bounds) = group.layer_bounding_box().transform(transform) else {
        return Ok(None);
    };
    let margin = if is_filtered { 0.0 } else { 2.0 };
    let left = (bounds.left().floor() - margin).max(limit.left().floor());
    let top = (bounds.top().floor() - margin).max(limit.top().floor());
    let right = (bounds.right().ceil() + margin + 1.0).min(limit.right().ceil());
    let bottom = (bounds.bottom().ceil() + margin + 1.0).min(limit.bottom().ceil());
    let [width, height] = [f64::from(right - left), f64::from(bottom - top)];
    if width <= 0.0 || height <= 0.0 {
        return Ok(None);
    }
    if !(width.is_finite() && height.is_finite()) {
        return Err(Refusal::TooComplex);
    }
    let layer = Canvas {
        width,
        height,
        limit,
    };
    let shift = Transform::from_translate(-left, -top);
    Ok(Some((layer, shift.pre_concat(transform))))
}
