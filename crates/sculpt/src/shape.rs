//! Which kind of shape an image suggests.

use std::collections::HashMap;

use contract::ModelShape;
use glam::Vec3;
use image::RgbaImage;
use image::imageops::{crop_imm, thumbnail};

use crate::mask::{ImageRect, oklab};
use crate::scalar_field::ScalarField;
use crate::silhouette::{Outline, Silhouette};
use crate::texture::distances;

/// Flat art has at most this many colors.
const MAX_FLAT_COLORS: usize = 4;
/// With at most this many, its strokes may have any width.
const MAX_EMBLEM_COLORS: usize = 2;
/// This part of flat art has one of its colors.
const FLAT_PART: f32 = 0.9;
/// What has more of its pixels at its edge is noise, or too fine for a side and a bevel.
const MAX_EDGE_PART: f32 = 0.4;
/// Colors at most this far apart, in OKLab, are one of flat art: about twice what an eye can just tell
/// apart.
const SAME_COLOR: f32 = 0.04;
/// Colors of flat art are at least this far apart. Those of a gradient are neighbors.
const MIN_CONTRAST: f32 = 0.12;
/// A color on a smaller part does not count.
const MIN_COLOR_PART: f32 = 0.004;
/// This part of flat art has the color of the pixels beside it.
const MIN_EVEN_PART: f32 = 0.7;
/// Colors that differ by their lightness alone, and by less than this, are one color in different light.
const MAX_SHADES: f32 = 0.45;
const SAME_CHROMA: f32 = 0.03;
/// Strokes have an even width if nine of ten points in their middle are at most this many times as far
/// from the edge as the median.
const MAX_STROKE_WIDENING: f32 = 1.5;
/// The width of a stroke is at most this part of the longer edge.
const MAX_STROKE_WIDTH: f32 = 0.25;
/// In a row of a surface of revolution, colors differ by at most this from a parabola, in OKLab: the
/// light makes such a difference from the left to the right, and a face or a label does not.
const MAX_ROW_DETAIL: f32 = 0.035;
/// The parabola itself, which shows a round surface in the light, is at least as large on average: a flat
/// square has none.
const MIN_ROW_LIGHT: f32 = 0.02;
/// In this part of the rows they may differ by more.
const MAX_DETAILED_ROWS: f32 = 0.12;

/// Returns the kind of shape that suits an object. `coverage` is that of the image's rectangle.
pub fn suggested(image: &RgbaImage, rect: ImageRect, coverage: &ScalarField) -> ModelShape {
    let part = crop_imm(image, rect.left, rect.top, rect.width, rect.height).to_image();
    let (width, height) = (coverage.width as u32, coverage.height as u32);
    let small = match part.dimensions() == (width, height) {
        true => part,
        false => thumbnail(&part, width, height),
    };
    let colors: Vec<Vec3> = small
        .pixels()
        .map(|pixel| oklab::from_srgb([pixel[0], pixel[1], pixel[2]]))
        .collect();
    let inside: Vec<bool> = coverage.values.iter().map(|value| *value > 0.5).collect();
    let depths = distances(&inside, coverage.width);
    let palette = flat_colors(coverage, &colors, &depths);
    if !palette.is_empty() {
        // Without light on it, a disc is no ball.
        return match is_emblem(palette.len(), coverage, &depths) {
            true => ModelShape::Extruded,
            false => ModelShape::Round,
        };
    }
    match is_turned(coverage, &colors) {
        true => ModelShape::Revolved,
        false => ModelShape::Round,
    }
}

/// Whether an object of a few flat colors is a logo, an icon or letters. With just one or two colors, it is
/// a sign on a tile, or it is not convex: a disc or a box may be the picture of a solid. With more, it
/// consists of strokes of an even width. `depths` are the distances to the edge.
fn is_emblem(colors: usize, coverage: &ScalarField, depths: &[f32]) -> bool {
    let covered = depths.iter().filter(|depth| **depth > 0.0).count();
    let edge = depths.iter().filter(|depth| (0.5..1.5).contains(*depth));
    if edge.count() as f32 > MAX_EDGE_PART * covered as f32 {
        return false;
    }
    let outline = Outline::of(coverage);
    match colors {
        2 if outline.is_tile() => true,
        0..=MAX_EMBLEM_COLORS => !outline.is_convex(),
        _ => !outline.is_convex() && has_even_strokes(coverage, depths),
    }
}

/// Returns the colors of an object that has only a few. Returns none if it has gradients or more colors.
fn flat_colors(coverage: &ScalarField, colors: &[Vec3], depths: &[f32]) -> Vec<Vec3> {
    let covered = depths.iter().filter(|depth| **depth > 0.0).count();
    // Without the edge, where colors are mixed with the background's; a fine line is all edge.
    let inner = |least: f32| -> Vec<usize> {
        let pixels = depths.iter().enumerate();
        let inner = pixels.filter(|(_, depth)| **depth > least);
        inner.map(|(at, _)| at).collect()
    };
    let inner = [2.5, 1.5, 0.0]
        .map(inner)
        .into_iter()
        .find(|inner| 4 * inner.len() > covered);
    let inner = inner.unwrap_or_default();
    // Nor are mixtures of two colors on the border between them.
    let is_even = |at: &usize| {
        [at + 1, at + coverage.width].iter().all(|beside| {
            let other = colors.get(*beside);
            other.is_some_and(|other| other.distance(colors[*at]) < SAME_COLOR / 2.0)
        })
    };
    let even: Vec<Vec3> = (inner.iter().filter(|at| is_even(at)))
        .map(|at| colors[*at])
        .collect();
    if (even.len() as f32) < MIN_EVEN_PART * inner.len() as f32 {
        return Vec::new();
    }
    palette(&even)
}

/// Returns the colors of flat art. Returns no colors if it has other ones too, if these are neighbors,
/// or if they are one color in different light.
fn palette(colors: &[Vec3]) -> Vec<Vec3> {
    let mut left = colors.to_vec();
    let mut palette: Vec<Vec3> = Vec::new();
    while palette.len() < MAX_FLAT_COLORS {
        let mut counts: HashMap<[i32; 3], (usize, Vec3)> = HashMap::new();
        for color in &left {
            let key = (color / SAME_COLOR).round().as_ivec3().to_array();
            let (count, sum) = counts.entry(key).or_default();
            *count += 1;
            *sum += *color;
        }
        // In a fixed order for equal counts.
        let largest = counts
            .into_iter()
            .max_by_key(|(key, (count, _))| (*count, *key));
        let Some((_, (count, sum))) = largest else {
            break;
        };
        let color = sum / count as f32;
        let before = left.len();
        left.retain(|other| other.distance(color) > SAME_COLOR);
        if ((before - left.len()) as f32) < MIN_COLOR_PART * colors.len() as f32 {
            break;
        }
        palette.push(color);
    }
    let is_flat = left.len() as f32 <= (1.0 - FLAT_PART) * colors.len() as f32;
    let pairs = || {
        let palette = &palette;
        (0..palette.len())
            .flat_map(move |at| (0..at).map(move |other| (palette[at], palette[other])))
    };
    let has_contrast = pairs().all(|(a, b)| a.distance(b) >= MIN_CONTRAST);
    let is_shaded = palette.len() > 1
        && pairs().all(|(a, b)| {
            let difference = (a - b).abs();
            difference.x < MAX_SHADES && difference.y.hypot(difference.z) < SAME_CHROMA
        });
    match is_flat && has_contrast && !is_shaded {
        true => palette,
        false => Vec::new(),
    }
}

/// Whether a shape consists of strokes of an even width.
fn has_even_strokes(coverage: &ScalarField, depths: &[f32]) -> bool {
    let (width, height) = (coverage.width, coverage.height);
    let depth = |x: usize, y: usize| depths[y * width + x];
    let mut middles = Vec::new();
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let here = depth(x, y);
            let is_middle = here > 0.0
                && [(1, 0), (0, 1)]
                    .iter()
                    .any(|(dx, dy)| depth(x + dx, y + dy) <= here && depth(x - dx, y - dy) < here);
            if is_middle {
                middles.push(here);
            }
        }
    }
    middles.sort_by(f32::total_cmp);
    let part = |part: f32| middles.get((part * middles.len() as f32) as usize).copied();
    let (Some(median), Some(wide)) = (part(0.5), part(0.9)) else {
        return false;
    };
    wide <= MAX_STROKE_WIDENING * median
        && 2.0 * wide <= MAX_STROKE_WIDTH * width.max(height) as f32
}

/// Whether an object is a surface of revolution about an upright axis: a ball, or something that stands
/// on a flat end and has no detail from the left to the right.
fn is_turned(coverage: &ScalarField, colors: &[Vec3]) -> bool {
    let Some(silhouette) = Silhouette::of(coverage) else {
        return false;
    };
    silhouette.is_symmetric()
        && (silhouette.is_circle()
            || (silhouette.stands()
                && detailed_rows(&silhouette, coverage, colors) <= MAX_DETAILED_ROWS))
}

/// Returns the part of the rows whose colors have a detail: where they differ from a parabola, and from
/// what all rows have at the same part of their width, such as a highlight. Returns 1 if there is no light
/// that differs from the left to the right.
fn detailed_rows(silhouette: &Silhouette, coverage: &ScalarField, colors: &[Vec3]) -> f32 {
    let mut light = 0.0;
    let residuals: Vec<[Vec3; SAMPLES]> = (silhouette.rows.iter())
        .map(|row| {
            let color = |part: f32| {
                let x = (row.middle() + part * row.width() / 2.0).round();
                let x = x.clamp(0.0, (coverage.width - 1) as f32) as usize;
                colors[row.y * coverage.width + x]
            };
            let colors = SAMPLE_PARTS.map(color);
            let residual = without_parabola(colors);
            let mean = colors.iter().sum::<Vec3>() / SAMPLES as f32;
            let squares = colors.iter().zip(residual);
            let squares = squares.map(|(color, rest)| (*color - rest).distance_squared(mean));
            light += (squares.sum::<f32>() / SAMPLES as f32).sqrt();
            residual
        })
        .collect();
    if light < MIN_ROW_LIGHT * silhouette.rows.len() as f32 {
        return 1.0;
    }
    let count = residuals.len() as f32;
    let mut means = [Vec3::ZERO; SAMPLES];
    for row in &residuals {
        for (mean, residual) in means.iter_mut().zip(row) {
            *mean += *residual / count;
        }
    }
    let detailed = residuals.iter().filter(|row| {
        let squares = row.iter().zip(means);
        let squares = squares.map(|(residual, mean)| residual.distance_squared(mean));
        (squares.sum::<f32>() / SAMPLES as f32).sqrt() > MAX_ROW_DETAIL
    });
    detailed.count() as f32 / count
}

/// The number of colors of a row that are compared.
const SAMPLES: usize = 25;

/// Where they are, in parts of half of the row's width. Not at the edge, where the colors are mixed with
/// the background's.
const SAMPLE_PARTS: [f32; SAMPLES] = {
    let mut parts = [0.0; SAMPLES];
    let mut at = 0;
    while at < SAMPLES {
        parts[at] = 0.85 * (2.0 * at as f32 / (SAMPLES - 1) as f32 - 1.0);
        at += 1;
    }
    parts
};

/// Returns the differences of a row's colors from the nearest parabola.
fn without_parabola(mut colors: [Vec3; SAMPLES]) -> [Vec3; SAMPLES] {
    let mean = SAMPLE_PARTS.map(|x| x * x).iter().sum::<f32>() / SAMPLES as f32;
    // Orthogonal, since the places are symmetric.
    let terms = [
        [1.0; SAMPLES],
        SAMPLE_PARTS,
        SAMPLE_PARTS.map(|x| x * x - mean),
    ];
    for term in terms {
        let product: Vec3 = colors.iter().zip(term).map(|(color, x)| *color * x).sum();
        let norm: f32 = term.iter().map(|x| x * x).sum();
        for (color, x) in colors.iter_mut().zip(term) {
            *color -= product / norm * x;
        }
    }
    colors
}
