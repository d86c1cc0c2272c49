//! The outline of an object.

use glam::Vec2;

use crate::scalar_field::ScalarField;

/// This part of the rows may have more than one run.
const MAX_BROKEN_ROWS: f32 = 0.03;
/// How far the middles of the rows are from the axis at most, in parts of the width: on average, and in
/// any row that is not short.
const MAX_MEAN_SHIFT: f32 = 0.008;
const MAX_SHIFT: f32 = 0.03;
/// The errors of an outline with a resolution of one pixel.
const PIXEL_ERROR: f32 = 0.3;
/// How far the outline is from a circle at most, in parts of its radius.
const MAX_CIRCLE_ERROR: f32 = 0.015;
/// The width of the end that something stands on, in parts of its largest width, at least.
const MIN_FOOT: f32 = 0.35;
/// Where that width is measured, in parts of the height from the lower end: an end that is seen from
/// above is curved.
const FOOT_HEIGHT: f32 = 0.06;
/// What stands is at least this many times as high as wide.
const MIN_PROPORTION: f32 = 1.05;

/// An outline that encloses less than this part of its convex hull is not convex.
const MIN_SOLIDITY: f32 = 0.9;
/// A tile covers at least this part of its bounding box.
const MIN_TILE: f32 = 0.9;

/// How much an outline encloses, in pixels.
pub struct Outline {
    area: f32,
    hull_area: f32,
    box_area: f32,
}

impl Outline {
    pub fn of(coverage: &ScalarField) -> Self {
        let mut area = 0.0;
        let mut corners: Vec<Vec2> = Vec::new();
        for y in 0..coverage.height {
            let is_inside = |x: &usize| coverage.at(*x, y) > 0.5;
            let inside = (0..coverage.width).filter(is_inside);
            let (count, ends) = inside.fold((0, None), |(count, ends), x| {
                let (first, _) = ends.unwrap_or((x, x));
                (count + 1, Some((first, x)))
            });
            area += count as f32;
            if let Some((first, last)) = ends {
                let (left, right) = (first as f32, last as f32 + 1.0);
                for y in [y as f32, y as f32 + 1.0] {
                    corners.extend([Vec2::new(left, y), Vec2::new(right, y)]);
                }
            }
        }
        corners.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
        let half = |points: &mut dyn Iterator<Item = &Vec2>| {
            let mut chain: Vec<Vec2> = Vec::new();
            for next in points {
                while let [.., before, last] = chain[..]
                    && (last - before).perp_dot(*next - last) <= 0.0
                {
                    chain.pop();
                }
                chain.push(*next);
            }
            chain
        };
        let mut hull = half(&mut corners.iter());
        hull.extend(half(&mut corners.iter().rev()));
        let following = hull.iter().cycle().skip(1);
        let doubled = hull.iter().zip(following).map(|(a, b)| a.perp_dot(*b));
        let low = corners.iter().copied().reduce(Vec2::min);
        let high = corners.iter().copied().reduce(Vec2::max);
        let size = high.unwrap_or_default() - low.unwrap_or_default();
        Self {
            area,
            hull_area: doubled.sum::<f32>().abs() / 2.0,
            box_area: size.x * size.y,
        }
    }

    pub fn is_convex(&self) -> bool {
        self.area >= MIN_SOLIDITY * self.hull_area
    }

    /// Whether it is a rectangle, perhaps with rounded corners.
    pub fn is_tile(&self) -> bool {
        self.area >= MIN_TILE * self.box_area
    }
}

/// A row, from its first to its last point inside.
pub struct Row {
    pub y: usize,
    left: f32,
    right: f32,
}

impl Row {
    pub fn middle(&self) -> f32 {
        (self.left + self.right) / 2.0
    }

    pub fn width(&self) -> f32 {
        self.right - self.left
    }
}

/// An object's outline that the image shows whole, but for its lower end.
pub struct Silhouette {
    /// From the top.
    pub rows: Vec<Row>,
    widest: f32,
    broken_rows: usize,
    is_cut_off: bool,
}

impl Silhouette {
    /// Returns `None` if nothing is covered, or if the object leaves the image above or to a side.
    pub fn of(coverage: &ScalarField) -> Option<Self> {
        let (width, height) = (coverage.width, coverage.height);
        let is_inside = |x: usize, y: usize| coverage.at(x, y) > 0.5;
        let mut rows = Vec::new();
        let mut broken_rows = 0;
        for y in 0..height {
            let inside: Vec<usize> = (0..width).filter(|x| is_inside(*x, y)).collect();
            let (Some(first), Some(last)) = (inside.first().copied(), inside.last().copied())
            else {
                continue;
            };
            if first == 0 || last == width - 1 || y == 0 {
                return None;
            }
            if inside.len() < last + 1 - first {
                broken_rows += 1;
            }
            let beyond = |at: usize, outside: usize| {
                let (at, outside) = (coverage.at(at, y), coverage.at(outside, y));
                (at - 0.5) / (at - outside)
            };
            rows.push(Row {
                y,
                left: first as f32 - beyond(first, first - 1),
                right: last as f32 + beyond(last, last + 1),
            });
        }
        let widest = rows.iter().map(Row::width).fold(0.0, f32::max);
        let is_cut_off = rows.last()?.y == height - 1;
        Some(Self {
            rows,
            widest,
            broken_rows,
            is_cut_off,
        })
    }

    /// Whether the left half is the mirror image of the right one, and all of it between one edge and the
    /// other.
    pub fn is_symmetric(&self) -> bool {
        let all: f32 = self.rows.iter().map(Row::width).sum();
        let weighted = self.rows.iter().map(|row| row.width() * row.middle());
        let axis = weighted.sum::<f32>() / all;
        let shift = |row: &Row| (row.middle() - axis).abs();
        let mean = self
            .rows
            .iter()
            .map(|row| row.width() * shift(row))
            .sum::<f32>()
            / all;
        let long = self
            .rows
            .iter()
            .filter(|row| row.width() > 0.2 * self.widest);
        let largest = long.map(shift).fold(0.0, f32::max);
        self.broken_rows as f32 <= MAX_BROKEN_ROWS * self.rows.len() as f32
            && mean <= MAX_MEAN_SHIFT * self.widest + PIXEL_ERROR
            && largest <= MAX_SHIFT * self.widest + PIXEL_ERROR
    }

    /// Whether the outline is a circle.
    pub fn is_circle(&self) -> bool {
        let radius = self.widest / 2.0;
        let height = self.rows.len() as f32;
        let error = self.rows.iter().map(|row| {
            let y = row.y as f32 - self.rows[0].y as f32 + 0.5 - height / 2.0;
            let expected = (radius * radius - y * y).max(0.0).sqrt();
            (row.width() / 2.0 - expected).abs()
        });
        let error = error.sum::<f32>() / height;
        !self.is_cut_off
            && (height / self.widest - 1.0).abs() <= 2.0 * MAX_CIRCLE_ERROR
            && error <= MAX_CIRCLE_ERROR * radius + PIXEL_ERROR
    }

    /// Whether the lower end is wide enough to stand on.
    pub fn stands(&self) -> bool {
        let count = self.rows.len();
        let foot = ((1.0 - FOOT_HEIGHT) * count as f32) as usize;
        self.rows[foot.min(count - 1)].width() >= MIN_FOOT * self.widest
            && count as f32 >= MIN_PROPORTION * self.widest
    }
}
