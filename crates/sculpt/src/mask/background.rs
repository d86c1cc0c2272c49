//! The object of an opaque image: what is left when the background has grown inwards from the border.

use std::collections::HashMap;

use glam::Vec3;
use image::RgbaImage;
use image::imageops::blur;

use super::components::{keep_large_parts, remove_thin_parts};
use super::fill_holes::flood_from_border;
use super::oklab;
use super::pixel_grid::PixelGrid;
use crate::images::shrink_to_fit;
use crate::scalar_field::ScalarField;

/// The longest edge of the image that is analyzed, in pixels.
const MAX_EDGE: u32 = 320;
/// The distance (OKLab) below which colors look alike: about twice what an eye can just tell apart.
const SIMILAR: f32 = 0.04;
/// The distance (OKLab) below which neighbors are on one smooth surface, such as a sky or a soft
/// shadow.
const SMOOTH: f32 = 0.012;
/// A color on a smaller part of the border, or on only one of its sides, is that of something that
/// touches the border.
const MIN_BORDER_PART: f32 = 0.04;
/// The least and the greatest part of the image that an object covers.
const OBJECT_PART: (f32, f32) = (0.01, 0.9);
/// The greatest part of the border that belongs to the object.
const MAX_BORDER_TOUCHED: f32 = 0.4;
/// The median difference of colors (OKLab) across an object's edge is at least this.
const MIN_CONTRAST: f32 = 0.07;
/// A background has no pattern: nine tenths of its colors differ by at most this (OKLab) over
/// `PATTERN_STEP` pixels.
const MAX_PATTERN: f32 = 0.08;
const PATTERN_STEP: usize = 12;

/// Segments an image into object and background. Returns how much of each pixel belongs to the
/// object, from 0 to 1; `None` if no object stands out.
pub fn segment(image: &RgbaImage) -> Option<ScalarField> {
    let small = shrink_to_fit(image, MAX_EDGE);
    // Blurred, since noise and compression artifacts would stop the growth.
    let scene = Scene::new(&blur(&small, 1.0));
    let solid = remove_thin_parts(scene.grid, &scene.background());
    let mut object = keep_large_parts(scene.grid, &solid);
    for _ in 0..2 {
        scene.remove_mixed_rim(&mut object);
    }
    if !scene.stands_out(&object) {
        return None;
    }
    let PixelGrid { width, height } = scene.grid;
    let sharp = ScalarField::new(width, height, |x, y| f32::from(object[y * width + x]));
    let (full_width, full_height) = image.dimensions();
    Some(smoothed(&sharp).resized(full_width as usize, full_height as usize))
}

/// Returns a soft edge in place of a staircase: a Gaussian blur with a standard deviation of about 1.4
/// pixels.
fn smoothed(sharp: &ScalarField) -> ScalarField {
    const WEIGHTS: [f32; 7] = [0.04, 0.11, 0.21, 0.28, 0.21, 0.11, 0.04];
    let along = |field: &ScalarField, across: f32, down: f32| {
        ScalarField::new(field.width, field.height, |x, y| {
            let value = |step: usize| {
                let step = step as f32 - 3.0;
                field.sample(x as f32 + across * step, y as f32 + down * step)
            };
            WEIGHTS
                .iter()
                .enumerate()
                .map(|(step, weight)| weight * value(step))
                .sum()
        })
    };
    along(&along(sharp, 1.0, 0.0), 0.0, 1.0)
}

/// An image in OKLab.
struct Scene {
    grid: PixelGrid,
    colors: Vec<Vec3>,
}

/// The pixels of the border whose colors are nearly the same.
#[derive(Default)]
struct BorderColor {
    count: usize,
    sum: Vec3,
    /// Which of the four sides have any.
    sides: [bool; 4],
}

impl Scene {
    fn new(image: &RgbaImage) -> Self {
        let color = |[red, green, blue, _]: [u8; 4]| oklab::from_srgb([red, green, blue]);
        Self {
            grid: PixelGrid {
                width: image.width() as usize,
                height: image.height() as usize,
            },
            colors: image.pixels().map(|pixel| color(pixel.0)).collect(),
        }
    }

    fn distance(&self, a: usize, b: usize) -> f32 {
        self.colors[a].distance(self.colors[b])
    }

    /// Returns the main colors of the border.
    fn palette(&self) -> Vec<Vec3> {
        let mut bins: HashMap<[i32; 3], BorderColor> = HashMap::new();
        let mut count = 0;
        let PixelGrid { width, height } = self.grid;
        for at in self.grid.border() {
            let color = self.colors[at];
            let (x, y) = self.grid.position(at);
            let bin = bins
                .entry((color / SIMILAR).floor().as_ivec3().to_array())
                .or_default();
            bin.count += 1;
            count += 1;
            bin.sum += color;
            let sides = [x == 0, x == width - 1, y == 0, y == height - 1];
            for (seen, here) in bin.sides.iter_mut().zip(sides) {
                *seen |= here;
            }
        }
        let common = bins.into_values().filter(|bin| {
            let sides = bin.sides.iter().filter(|seen| **seen).count();
            sides > 1 && bin.count as f32 >= MIN_BORDER_PART * count as f32
        });
        common.map(|bin| bin.sum / bin.count as f32).collect()
    }

    /// Returns for each pixel whether it is background.
    fn background(&self) -> Vec<bool> {
        let palette = self.palette();
        let distances: Vec<f32> = (self.colors.iter())
            .map(|color| {
                let distances = palette.iter().map(|other| color.distance(*other));
                distances.fold(f32::INFINITY, f32::min)
            })
            .collect();
        flood_from_border(
            self.grid,
            |at| distances[at] < SIMILAR,
            |at, next| {
                let is_smooth = || self.distance(at, next) < SMOOTH;
                distances[next] < SIMILAR || (distances[next] < 2.0 * SIMILAR && is_smooth())
            },
        )
    }

    /// Whether the object is likely one: neither tiny nor nearly all of the image, mostly away from
    /// the border, of other colors than its surroundings, and these without a pattern.
    fn stands_out(&self, object: &[bool]) -> bool {
        let part = |of: usize, all: usize| of as f32 / all.max(1) as f32;
        let PixelGrid { width, height } = self.grid;
        let background: Vec<_> = (0..object.len()).filter(|at| !object[*at]).collect();
        let covered = part(object.iter().filter(|is| **is).count(), object.len());
        let border: Vec<_> = self.grid.border().collect();
        let touching = border.iter().filter(|at| object[**at]).count();
        let contrasts = (0..object.len()).filter_map(|at| self.contrast(object, at));
        let pattern = background.iter().flat_map(|at| {
            let (x, y) = self.grid.position(*at);
            let across = (x + PATTERN_STEP < width).then_some(at + PATTERN_STEP);
            let down = (y + PATTERN_STEP < height).then_some(at + PATTERN_STEP * width);
            let others = [across, down].into_iter().flatten();
            let others = others.filter(|other| !object[*other]);
            others.map(|other| self.distance(*at, other))
        });
        (OBJECT_PART.0..=OBJECT_PART.1).contains(&covered)
            && part(touching, border.len()) <= MAX_BORDER_TOUCHED
            && quantile(contrasts, 0.5) >= MIN_CONTRAST
            && quantile(pattern, 0.9) <= MAX_PATTERN
    }

    /// Removes the outermost pixels whose colors are nearer to those outside than to those inside:
    /// they are a mixture of both, and would show as a rim.
    fn remove_mixed_rim(&self, object: &mut [bool]) {
        const REACH: isize = 3;
        let before = object.to_vec();
        let PixelGrid { width, height } = self.grid;
        let pixel = |x: isize, y: isize| {
            let is_inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
            is_inside.then(|| y as usize * width + x as usize)
        };
        for at in (0..before.len()).filter(|at| before[*at]) {
            let (x, y) = self.grid.position(at);
            let (x, y) = (x as isize, y as isize);
            let is_mixed = [(1, 0), (-1, 0), (0, 1), (0, -1)]
                .into_iter()
                .any(|(dx, dy)| {
                    let is_edge = pixel(x + dx, y + dy).is_some_and(|next| !before[next]);
                    let outer = pixel(x + REACH * dx, y + REACH * dy).filter(|at| !before[*at]);
                    let inner = pixel(x - REACH * dx, y - REACH * dy).filter(|at| before[*at]);
                    let (Some(outer), Some(inner), true) = (outer, inner, is_edge) else {
                        return false;
                    };
                    self.distance(at, outer) < self.distance(at, inner)
                });
            object[at] = !is_mixed;
        }
    }

    /// Returns how much the colors differ across the object's edge, three pixels inside and outside
    /// of it; `None` for a pixel that is not at the edge.
    fn contrast(&self, object: &[bool], at: usize) -> Option<f32> {
        const REACH: usize = 3;
        let PixelGrid { width, height } = self.grid;
        let (x, y) = self.grid.position(at);
        let across = |other: usize, before: usize, after: usize| {
            (object[at] != object[other]).then(|| self.distance(before, after))
        };
        let to_right = (x + 1 < width).then(|| {
            let (left, right) = (x.saturating_sub(REACH), (x + 1 + REACH).min(width - 1));
            across(at + 1, y * width + left, y * width + right)
        });
        let down = (y + 1 < height).then(|| {
            let (above, below) = (y.saturating_sub(REACH), (y + 1 + REACH).min(height - 1));
            across(at + width, above * width + x, below * width + x)
        });
        to_right.flatten().or(down.flatten())
    }
}

/// Returns the value below which this part of all values is; 0 if there are no values.
fn quantile(values: impl Iterator<Item = f32>, part: f32) -> f32 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f32::total_cmp);
    let at = (values.len() as f32 * part) as usize;
    values.get(at).copied().unwrap_or_default()
}
