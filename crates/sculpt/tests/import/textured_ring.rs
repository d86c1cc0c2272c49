//! A model as a remote engine might make it: a bumpy ring of many faces with a texture, and measures of
//! how well a simplified one keeps its shape.

use std::collections::HashMap;
use std::f32::consts::TAU;

use contract::{Parameters, Resolution};
use glam::Vec3;
use image::{ImageFormat, Rgb, RgbImage};
use sculpt::{ImportedGlb, import_glb};
use serde_json::{Value, json};

use super::support::{Model, glb, textured};

/// Squares around the ring, and around its cross-section.
const AROUND: usize = 240;
const ACROSS: usize = 100;
/// The edge of a texture chart, in squares.
const CHART: usize = 20;
/// The charts around the ring, and around its cross-section.
const CHARTS: [usize; 2] = [AROUND / CHART, ACROSS / CHART];
/// The part of a chart's edge in the texture that the chart fills; the rest is padding.
const FILLED: f32 = 0.9;

/// Returns a point on a bumpy ring, by two angles in full turns.
fn ring_point(around: f32, across: f32) -> Vec3 {
    let (a, b) = (TAU * around, TAU * across);
    let bump = 0.06 * (9.0 * a).sin() * (3.0 * b).cos() + 0.02 * (23.0 * a + 7.0 * b).sin();
    let radius = 0.4 + bump;
    let out = 1.0 + radius * b.cos();
    Vec3::new(out * a.cos(), radius * b.sin(), -out * a.sin())
}

/// Returns the texture coordinates of a point of a chart: the charts are side by side with padding, as
/// programs that unwrap models lay them out.
fn unwrap(chart: [usize; 2], around: f32, across: f32) -> [f32; 2] {
    let inside = |turns: f32, count: usize, chart: usize| {
        let own = turns * count as f32 - chart as f32;
        (chart as f32 + 0.05 + FILLED * own) / count as f32
    };
    [
        inside(around, CHARTS[0], chart[0]),
        1.0 - inside(across, CHARTS[1], chart[1]),
    ]
}

/// Returns the point on the ring that the texture has at these coordinates.
fn rewrap([u, v]: [f32; 2]) -> Vec3 {
    let turns = |place: f32, count: usize| {
        let chart = (place * count as f32).floor();
        let own = (place * count as f32 - chart - 0.05) / FILLED;
        (chart + own) / count as f32
    };
    ring_point(turns(u, CHARTS[0]), turns(1.0 - v, CHARTS[1]))
}

/// A ring of 48,000 triangles with a texture in 60 charts.
pub struct Ring {
    pub positions: Vec<Vec3>,
    pub normals: Vec<Vec3>,
    pub uvs: Vec<[f32; 2]>,
    pub corners: Vec<u32>,
}

impl Ring {
    pub fn new() -> Self {
        let mut ring = Self {
            positions: Vec::new(),
            normals: Vec::new(),
            uvs: Vec::new(),
            corners: Vec::new(),
        };
        for chart in 0..CHARTS[0] * CHARTS[1] {
            let chart = [chart % CHARTS[0], chart / CHARTS[0]];
            let first = ring.positions.len();
            for at in 0..(CHART + 1) * (CHART + 1) {
                let [x, y] = [
                    chart[0] * CHART + at % (CHART + 1),
                    chart[1] * CHART + at / (CHART + 1),
                ];
                let turns =
                    |x: usize, y: usize| [x as f32 / AROUND as f32, y as f32 / ACROSS as f32];
                let [around, across] = turns(x, y);
                ring.uvs.push(unwrap(chart, around, across));
                // The last point is the first one exactly, so that the ring is closed.
                let [around, across] = turns(x % AROUND, y % ACROSS);
                ring.positions.push(ring_point(around, across));
                ring.normals.push(normal(around, across));
            }
            for at in 0..CHART * CHART {
                let corner = first + at / CHART * (CHART + 1) + at % CHART;
                let [a, b] = [corner, corner + 1];
                let [c, d] = [a + CHART + 1, b + CHART + 1];
                ring.corners.extend([a, b, d, a, d, c].map(|at| at as u32));
            }
        }
        ring
    }

    /// Gives each face vertices of its own with the face's normal: flat shading.
    pub fn flat_shaded(self) -> Self {
        let all = self.corners.iter().map(|at| *at as usize);
        let positions: Vec<_> = all.clone().map(|at| self.positions[at]).collect();
        let normals = positions
            .chunks_exact(3)
            .flat_map(|face| [area_vector([face[0], face[1], face[2]]).normalize_or_zero(); 3]);
        Self {
            normals: normals.collect(),
            uvs: all.map(|at| self.uvs[at]).collect(),
            corners: (0..self.corners.len() as u32).collect(),
            positions,
        }
    }

    /// Returns the JSON and the binary chunk of its GLB file.
    pub fn file(&self) -> (Value, Vec<u8>) {
        let (views, bin) = self.bytes();
        let vertices = self.positions.len();
        let mut png = std::io::Cursor::new(Vec::new());
        let pixels = RgbImage::from_fn(256, 256, |x, y| Rgb([x as u8, y as u8, 7]));
        pixels.write_to(&mut png, ImageFormat::Png).unwrap();
        let (png, mut bin, mut views) = (png.into_inner(), bin, views);
        views.push(json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": png.len()}));
        bin.extend(png);
        bin.resize(bin.len().next_multiple_of(4), 0);
        let vectors = |view: usize, kind: &str| json!({"bufferView": view, "componentType": 5126, "count": vertices, "type": kind});
        let mut accessors = [
            vectors(0, "VEC3"),
            vectors(1, "VEC3"),
            vectors(2, "VEC2"),
            json!({"bufferView": 3, "componentType": 5125, "count": self.corners.len(), "type": "SCALAR"}),
        ];
        (accessors[0]["min"], accessors[0]["max"]) = (json!([-2, -2, -2]), json!([2, 2, 2]));
        let json = json!({
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [{
                "attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0,
            }]}],
            "materials": [{"name": "skin", "pbrMetallicRoughness": {
                "baseColorTexture": {"index": 0}, "metallicFactor": 0.25}}],
            "textures": [{"source": 0}],
            "images": [{"bufferView": 4, "mimeType": "image/png"}],
            "accessors": accessors,
            "bufferViews": views,
            "buffers": [{"byteLength": bin.len()}],
        });
        (json, bin)
    }

    fn bytes(&self) -> (Vec<Value>, Vec<u8>) {
        let mut bin = Vec::new();
        let mut views = Vec::new();
        let mut add = |bytes: Vec<u8>| {
            views.push(json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": bytes.len()}));
            bin.extend(bytes);
        };
        add(bytes_of(&self.positions));
        add(bytes_of(&self.normals));
        add(bytes_of(&self.uvs));
        add(self
            .corners
            .iter()
            .flat_map(|at| at.to_le_bytes())
            .collect());
        (views, bin)
    }

    pub fn glb(&self) -> Vec<u8> {
        let (json, bin) = self.file();
        glb(&json, bin)
    }
}

/// Returns the bytes of vectors of floats.
pub fn bytes_of<const N: usize, V: Copy + Into<[f32; N]>>(vectors: &[V]) -> Vec<u8> {
    let numbers = vectors.iter().flat_map(|it| -> [f32; N] { (*it).into() });
    numbers.flat_map(f32::to_le_bytes).collect()
}

fn normal(around: f32, across: f32) -> Vec3 {
    let step = 1e-3;
    let [a, b] = [-step, step].map(|step| ring_point(around + step, across));
    let [c, d] = [-step, step].map(|step| ring_point(around, across + step));
    (b - a).cross(d - c).normalize_or_zero()
}

/// Returns a face's direction, with twice its area as the length.
fn area_vector([a, b, c]: [Vec3; 3]) -> Vec3 {
    (b - a).cross(c - a)
}

/// Returns the positions of a triangle's corners.
fn corners(model: &Model, triangle: [u32; 3]) -> [Vec3; 3] {
    model.corners(triangle).map(Vec3::from)
}

pub fn low_poly() -> Parameters {
    Parameters {
        resolution: Some(Resolution::LowPoly),
        ..textured()
    }
}

pub fn simplified(glb: &[u8]) -> (ImportedGlb, Model) {
    let imported = import_glb(glb, &low_poly(), 0).unwrap();
    let model = Model::read(&imported.glb);
    (imported, model)
}

/// How far a texture is from where it belongs, in parts of the ring's width.
#[derive(Debug)]
pub struct TextureError {
    pub mean: f32,
    pub max: f32,
}

/// Compares the texture with the ring that it was made for.
pub fn texture_error(model: &Model) -> TextureError {
    const WIDTH: f32 = 3.0;
    let (mut sum, mut max, mut count) = (0.0, 0.0f32, 0.0);
    for triangle in &model.triangles {
        let corners = corners(model, *triangle);
        let uvs = triangle.map(|at| model.uvs[at as usize]);
        for weights in [
            [1.0, 0.0, 0.0],
            [0.4, 0.3, 0.3],
            [0.1, 0.8, 0.1],
            [0.1, 0.1, 0.8],
        ] {
            let mixed = |values: [f32; 3]| (0..3).map(|at| weights[at] * values[at]).sum::<f32>();
            let point = Vec3::from([0, 1, 2].map(|axis| mixed(corners.map(|it| it[axis]))));
            let uv = [0, 1].map(|axis| mixed(uvs.map(|uv| uv[axis])));
            let error = point.distance(rewrap(uv)) / WIDTH;
            (sum, max, count) = (sum + error, max.max(error), count + 1.0);
        }
    }
    TextureError {
        mean: sum / count,
        max,
    }
}

/// Returns the intersection over union of two models' outlines, seen along each axis.
pub fn outline_overlap(a: &Model, b: &Model) -> [f32; 3] {
    [0, 1, 2].map(|axis| {
        let (a, b) = (outline(a, axis), outline(b, axis));
        let count = |both: fn(bool, bool) -> bool| {
            let pairs = a.iter().zip(&b);
            pairs.filter(|(a, b)| both(**a, **b)).count() as f32
        };
        count(|a, b| a && b) / count(|a, b| a || b)
    })
}

fn outline(model: &Model, axis: usize) -> Vec<bool> {
    const EDGE: usize = 256;
    let (low, high) = ([-1.6; 3], [1.6; 3]);
    let [x, y] = [(axis + 1) % 3, (axis + 2) % 3];
    let mut covered = vec![false; EDGE * EDGE];
    let scaled = |place: [f32; 3]| {
        [x, y].map(|axis| EDGE as f32 * (place[axis] - low[axis]) / (high[axis] - low[axis]))
    };
    for triangle in &model.triangles {
        let corners = model.corners(*triangle).map(scaled);
        let bound = |axis: usize, choose: fn(f32, f32) -> f32| {
            let numbers = corners.map(|corner| corner[axis]);
            numbers.into_iter().reduce(choose).unwrap().max(0.0) as usize
        };
        for row in bound(1, f32::min)..=bound(1, f32::max).min(EDGE - 1) {
            for column in bound(0, f32::min)..=bound(0, f32::max).min(EDGE - 1) {
                let point = [column as f32 + 0.5, row as f32 + 0.5];
                let side = |from: usize| {
                    let (a, b) = (corners[from], corners[(from + 1) % 3]);
                    (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
                };
                let sides = [side(0), side(1), side(2)];
                covered[row * EDGE + column] |=
                    sides.iter().all(|side| *side >= 0.0) || sides.iter().all(|side| *side <= 0.0);
            }
        }
    }
    covered
}

/// Asserts that equal positions merged, each edge is used as often in one direction as in the other:
/// more than once each where two sides of the model touch.
pub fn assert_closed(model: &Model) {
    let mut edges: HashMap<_, i32> = HashMap::new();
    for triangle in &model.triangles {
        let corners = model
            .corners(*triangle)
            .map(|place| place.map(f32::to_bits));
        for (a, b) in [(0, 1), (1, 2), (2, 0)].map(|(a, b)| (corners[a], corners[b])) {
            *edges.entry((a.min(b), a.max(b))).or_default() += if a < b { 1 } else { -1 };
        }
    }
    let open = edges.values().filter(|sum| **sum != 0).count();
    assert_eq!(
        open,
        0,
        "edges with a face on one side only, of {}",
        edges.len()
    );
}

/// Returns the mean cosine between the normals and the directions of their faces, weighted by area.
pub fn normal_agreement(model: &Model) -> f32 {
    let (mut sum, mut area) = (0.0, 0.0);
    for triangle in &model.triangles {
        let face = area_vector(corners(model, *triangle));
        for at in triangle {
            let normal = Vec3::from(model.normals[*at as usize]);
            assert!((normal.length() - 1.0).abs() < 1e-3, "{normal:?}");
            sum += normal.dot(face);
            area += face.length();
        }
    }
    sum / area
}
