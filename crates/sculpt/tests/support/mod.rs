//! Makes models and reads them back with the reader of the `gltf` crate.

#![allow(dead_code, unused_imports)]

mod samples;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use contract::Parameters;
use image::{DynamicImage, RgbImage};
use sculpt::{Cutout, CutoutError, CutoutRequest, Detail, ModelError, ModelRequest};
use serde_json::Value;

pub use samples::{SAMPLES, sample_path};

/// Decodes a sample.
pub fn sample(name: &str) -> DynamicImage {
    image::open(sample_path(name)).unwrap()
}

pub fn textured() -> Parameters {
    Parameters {
        generate_texture: Some(true),
        ..Parameters::default()
    }
}

/// Returns a GLB file of this JSON and this binary chunk.
pub fn glb(json: &Value, bin: Vec<u8>) -> Vec<u8> {
    let file = gltf::Glb {
        header: gltf::binary::Header {
            magic: *b"glTF",
            version: 2,
            length: 0,
        },
        json: json.to_string().into_bytes().into(),
        bin: Some(bin.into()),
    };
    file.to_vec().unwrap()
}

/// Returns the JSON of a GLB file.
pub fn json_of(glb: &[u8]) -> Value {
    serde_json::from_slice(&gltf::Glb::from_slice(glb).unwrap().json).unwrap()
}

/// Cuts the object out by transparency or by the background.
pub fn cut_out(image: &DynamicImage) -> Result<Cutout, CutoutError> {
    sculpt::cut_out(image, &CutoutRequest::default())
}

/// Makes a preview.
pub fn sculpt(image: &DynamicImage, parameters: &Parameters) -> Result<Vec<u8>, ModelError> {
    sculpt_at(image, parameters, Detail::Preview)
}

pub fn sculpt_at(
    image: &DynamicImage,
    parameters: &Parameters,
    detail: Detail,
) -> Result<Vec<u8>, ModelError> {
    let request = ModelRequest {
        image,
        cutout: &cut_out(image)?,
        parameters,
        detail,
        view: 0,
    };
    sculpt::sculpt(&request, &mut |_| ControlFlow::Continue(()))
}

/// Keeps a model in `target/models` for the tests with readers in JavaScript, which run after these.
pub fn keep(name: &str, glb: &[u8]) {
    let name = Path::new(name).with_extension("glb");
    keep_file(name.to_str().unwrap(), glb);
}

/// Keeps a file as [`keep`] does.
pub fn keep_file(name: &str, bytes: &[u8]) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("models");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// A side of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Front,
    Back,
}

pub struct Model {
    pub positions: Vec<[f32; 3]>,
    pub normals: Vec<[f32; 3]>,
    pub uvs: Vec<[f32; 2]>,
    pub triangles: Vec<[u32; 3]>,
    pub texture: Option<RgbImage>,
}

impl Model {
    /// Reads the first primitive. Panics if the file is not valid glTF.
    pub fn read(glb: &[u8]) -> Self {
        let (document, buffers, images) = gltf::import_slice(glb).unwrap();
        let mesh = document.meshes().next().unwrap();
        let primitive = mesh.primitives().next().unwrap();
        let reader = primitive.reader(|buffer| Some(&buffers[buffer.index()]));
        let indices: Vec<u32> = reader.read_indices().unwrap().into_u32().collect();
        let uvs = reader.read_tex_coords(0);
        Self {
            positions: reader.read_positions().unwrap().collect(),
            normals: reader.read_normals().unwrap().collect(),
            uvs: uvs.map(|uvs| uvs.into_f32().collect()).unwrap_or_default(),
            triangles: indices
                .chunks_exact(3)
                .map(|face| [face[0], face[1], face[2]])
                .collect(),
            texture: images
                .into_iter()
                .next()
                .map(|image| RgbImage::from_raw(image.width, image.height, image.pixels).unwrap()),
        }
    }

    pub fn bounds(&self) -> ([f32; 3], [f32; 3]) {
        let unbounded = ([f32::MAX; 3], [f32::MIN; 3]);
        self.positions
            .iter()
            .fold(unbounded, |(mut low, mut high), position| {
                for axis in 0..3 {
                    low[axis] = low[axis].min(position[axis]);
                    high[axis] = high[axis].max(position[axis]);
                }
                (low, high)
            })
    }

    pub fn size(&self) -> [f32; 3] {
        let (low, high) = self.bounds();
        [0, 1, 2].map(|axis| high[axis] - low[axis])
    }

    /// Returns the vertices in front or behind that are at least this far from the plane between both.
    pub fn vertices(&self, side: Side, depth: f32) -> Vec<usize> {
        let sign = if side == Side::Front { 1.0 } else { -1.0 };
        let rim = self.rim();
        let far = |at: &usize| sign * (self.positions[*at][2] - rim) >= depth;
        (0..self.positions.len()).filter(far).collect()
    }

    /// Returns the depth of the plane between front and back: that of the leftmost vertex.
    fn rim(&self) -> f32 {
        let by_x = |a: &&[f32; 3], b: &&[f32; 3]| a[0].total_cmp(&b[0]);
        self.positions.iter().min_by(by_x).unwrap()[2]
    }

    pub fn corners(&self, triangle: [u32; 3]) -> [[f32; 3]; 3] {
        triangle.map(|at| self.positions[at as usize])
    }

    /// Asserts that the surface is closed once equal positions are merged: two faces at each edge, in
    /// opposite directions. And that the faces are directed outwards: the volume is positive.
    pub fn assert_solid(&self, name: &str) {
        let mut numbers = HashMap::new();
        let merged: Vec<usize> = (self.positions.iter())
            .map(|position| {
                let next = numbers.len();
                *numbers.entry(position.map(f32::to_bits)).or_insert(next)
            })
            .collect();
        let mut edges: HashMap<(usize, usize), (u32, u32)> = HashMap::new();
        let mut volume = 0.0;
        for triangle in &self.triangles {
            let corners = triangle.map(|at| merged[at as usize]);
            for (a, b) in [(0, 1), (1, 2), (2, 0)].map(|(a, b)| (corners[a], corners[b])) {
                assert_ne!(a, b, "{name}: a face without an area");
                let (up, down) = edges.entry((a.min(b), a.max(b))).or_default();
                *(if a < b { up } else { down }) += 1;
            }
            let [a, b, c] = self.corners(*triangle).map(|point| point.map(f64::from));
            volume += a[0] * (b[1] * c[2] - b[2] * c[1])
                + a[1] * (b[2] * c[0] - b[0] * c[2])
                + a[2] * (b[0] * c[1] - b[1] * c[0]);
        }
        let odd = edges.values().filter(|uses| **uses != (1, 1)).count();
        assert_eq!(
            odd,
            0,
            "{name}: edges without exactly two faces, of {}",
            edges.len()
        );
        assert!(volume > 0.0, "{name}: the faces are directed inwards");
    }

    /// Returns the depths of the surface in front and of the one behind, `(front, back)`, at the middle
    /// of each pixel that shows the model. The rows are from the top; the model's bounding box fills
    /// the grid.
    pub fn depths(&self, width: usize, height: usize) -> Vec<Option<(f32, f32)>> {
        let (low, high) = self.bounds();
        let mut depths: Vec<Option<(f32, f32)>> = vec![None; width * height];
        for triangle in &self.triangles {
            let [a, b, c] = self.corners(*triangle).map(|[x, y, z]| {
                [
                    (x - low[0]) / (high[0] - low[0]) * width as f32,
                    (high[1] - y) / (high[1] - low[1]) * height as f32,
                    z,
                ]
            });
            let doubled = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            if doubled == 0.0 {
                continue;
            }
            let range = |axis: usize, length: usize| {
                let values = [a[axis], b[axis], c[axis]];
                let low = values.into_iter().fold(f32::MAX, f32::min).max(0.0) as usize;
                let high = values.into_iter().fold(f32::MIN, f32::max).ceil() as usize;
                low..high.min(length)
            };
            for y in range(1, height) {
                for x in range(0, width) {
                    let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                    let weight = |p: [f32; 3], q: [f32; 3]| {
                        ((q[0] - p[0]) * (py - p[1]) - (q[1] - p[1]) * (px - p[0])) / doubled
                    };
                    let weights = [weight(b, c), weight(c, a), weight(a, b)];
                    if weights.iter().all(|weight| *weight >= 0.0) {
                        let z = a[2] * weights[0] + b[2] * weights[1] + c[2] * weights[2];
                        let (front, back) = depths[y * width + x].get_or_insert((z, z));
                        *front = front.max(z);
                        *back = back.min(z);
                    }
                }
            }
        }
        depths
    }
}
