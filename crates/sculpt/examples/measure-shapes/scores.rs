//! How near a model is to the true shape.

use glam::{DMat3, DVec3};

use crate::raster::{Frame, draw};
use crate::solid::Solid;

/// The numbers of one picture. All lengths are in parts of the longest edge of the true model.
#[derive(Clone, Copy, Default)]
pub struct Scores {
    /// The mean distance of both surfaces to each other: the mean of both directions.
    pub chamfer: f64,
    /// The harmonic mean of the parts of both surfaces within 2 % of the other, and within 5 %.
    pub f2: f64,
    pub f5: f64,
    /// The mean angle between the surfaces that are seen from the front, in degrees.
    pub normals: f64,
    /// The common part of both silhouettes from the side, of what either covers.
    pub side_iou: f64,
}

/// The points on each surface that are compared.
const SAMPLES: usize = 6000;
/// Those that decide about the shift in depth.
const SHIFT_SAMPLES: usize = 1200;
/// The edge of the pictures that are compared.
const PIXELS: usize = 256;

impl Scores {
    /// Compares a model with the true one. Both have their places in the picture already; the model
    /// is moved in depth to where it is nearest.
    pub fn of(model: &Solid, truth: &Solid) -> Self {
        let (low, high) = truth.bounds();
        let size = (high - low).max_element();
        let true_points = sample(truth, SAMPLES);
        let tree = Tree::new(true_points.clone());
        let points = sample(model, SAMPLES);
        let model_tree = Tree::new(points.clone());
        let mean_z = |points: &[DVec3]| {
            points.iter().map(|point| point.z).sum::<f64>() / points.len() as f64
        };
        let middle = mean_z(&true_points) - mean_z(&points);
        let step = SAMPLES / SHIFT_SAMPLES;
        let cost = |z: f64| {
            let shift = DVec3::new(0.0, 0.0, z);
            let there = points
                .iter()
                .step_by(step)
                .map(|point| tree.distance(*point + shift));
            let back = true_points
                .iter()
                .step_by(step)
                .map(|point| model_tree.distance(*point - shift));
            there.sum::<f64>() + back.sum::<f64>()
        };
        let mut best = (f64::INFINITY, middle);
        for (range, steps) in [(0.3, 12), (0.04, 8), (0.008, 4)] {
            let around = best.1;
            for at in -steps..=steps {
                let z = around + size * range * f64::from(at) / f64::from(steps);
                let cost = cost(z);
                if cost < best.0 {
                    best = (cost, z);
                }
            }
        }
        let shift = DVec3::new(0.0, 0.0, best.1);
        let there: Vec<f64> = points
            .iter()
            .map(|point| tree.distance(*point + shift) / size)
            .collect();
        let back: Vec<f64> = true_points
            .iter()
            .map(|point| model_tree.distance(*point - shift) / size)
            .collect();
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
        let within = |all: &[f64], limit: f64| {
            all.iter().filter(|distance| **distance < limit).count() as f64 / all.len() as f64
        };
        let f = |limit: f64| {
            let (precision, recall) = (within(&there, limit), within(&back, limit));
            2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE)
        };
        let model = model.clone().moved(1.0, shift);
        Self {
            chamfer: (mean(&there) + mean(&back)) / 2.0,
            f2: f(0.02),
            f5: f(0.05),
            normals: normal_error(&model, truth),
            side_iou: side_iou(&model, truth),
        }
    }
}

fn normal_error(model: &Solid, truth: &Solid) -> f64 {
    let frame = Frame::around(truth);
    let (model, truth) = (draw(model, frame, PIXELS), draw(truth, frame, PIXELS));
    let both = model
        .iter()
        .zip(&truth)
        .filter_map(|(a, b)| Some((a.as_ref()?, b.as_ref()?)));
    let angles: Vec<f64> = both
        .map(|(a, b)| a.normal.dot(b.normal).clamp(-1.0, 1.0).acos().to_degrees())
        .collect();
    angles.iter().sum::<f64>() / angles.len() as f64
}

fn side_iou(model: &Solid, truth: &Solid) -> f64 {
    let turn = DMat3::from_rotation_y(std::f64::consts::FRAC_PI_2);
    let (model, truth) = (model.clone().rotated(turn), truth.clone().rotated(turn));
    let (low, high) = truth.bounds();
    let (other_low, other_high) = model.bounds();
    let (low, high) = (low.min(other_low), high.max(other_high));
    let frame = Frame {
        x: (low.x + high.x) / 2.0,
        y: (low.y + high.y) / 2.0,
        edge: 1.05 * (high - low).truncate().max_element(),
    };
    let (model, truth) = (draw(&model, frame, PIXELS), draw(&truth, frame, PIXELS));
    let pairs = || {
        model
            .iter()
            .zip(&truth)
            .map(|(a, b)| (a.is_some(), b.is_some()))
    };
    let both = pairs().filter(|(a, b)| *a && *b).count();
    both as f64 / pairs().filter(|(a, b)| *a || *b).count() as f64
}

/// Returns points spread evenly over the surface, the same in each run.
fn sample(solid: &Solid, count: usize) -> Vec<DVec3> {
    let areas = solid.triangles.iter().map(|triangle| {
        let [a, b, c] = solid.corners(*triangle);
        (b - a).cross(c - a).length()
    });
    let mut sum = 0.0;
    let ends: Vec<f64> = areas
        .map(|area| {
            sum += area;
            sum
        })
        .collect();
    let mut seed = 1u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut points: Vec<DVec3> = (0..count)
        .map(|at| {
            let place = sum * (at as f64 + random()) / count as f64;
            let face = ends.partition_point(|end| *end < place).min(ends.len() - 1);
            let [a, b, c] = solid.corners(solid.triangles[face]);
            let (root, part) = (random().sqrt(), random());
            a * (1.0 - root) + b * (root * (1.0 - part)) + c * (root * part)
        })
        .collect();
    // In a random order, so that every part of them covers the surface.
    for at in (1..points.len()).rev() {
        points.swap(at, (random() * (at + 1) as f64) as usize);
    }
    points
}

/// A k-d tree: the middle of each range divides it along the axis of its depth.
struct Tree {
    points: Vec<DVec3>,
}

impl Tree {
    fn new(mut points: Vec<DVec3>) -> Self {
        fn sort(points: &mut [DVec3], axis: usize) {
            if points.len() > 1 {
                let middle = points.len() / 2;
                points.select_nth_unstable_by(middle, |a, b| a[axis].total_cmp(&b[axis]));
                let (before, after) = points.split_at_mut(middle);
                sort(before, (axis + 1) % 3);
                sort(&mut after[1..], (axis + 1) % 3);
            }
        }
        sort(&mut points, 0);
        Self { points }
    }

    /// Returns the distance of a point to the nearest one of the tree.
    fn distance(&self, point: DVec3) -> f64 {
        fn search(points: &[DVec3], axis: usize, point: DVec3, best: &mut f64) {
            let middle = points.len() / 2;
            let Some(here) = points.get(middle) else {
                return;
            };
            *best = best.min(here.distance_squared(point));
            let offset = point[axis] - here[axis];
            let (before, after) = (&points[..middle], &points[middle + 1..]);
            let (near, far) = if offset < 0.0 {
                (before, after)
            } else {
                (after, before)
            };
            search(near, (axis + 1) % 3, point, best);
            if offset * offset < *best {
                search(far, (axis + 1) % 3, point, best);
            }
        }
        let mut best = f64::INFINITY;
        search(&self.points, 0, point, &mut best);
        best.sqrt()
    }
}
