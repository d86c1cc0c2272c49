//! Triangle meshes of any origin, and what can be measured on one alone.

use std::error::Error;
use std::path::Path;

use glam::{DMat3, DVec2, DVec3, Vec2};
use image::RgbImage;

/// A triangle mesh: x to the right, y up, z towards the viewer.
#[derive(Clone, Default)]
pub struct Solid {
    pub points: Vec<DVec3>,
    /// Empty without a texture.
    pub uvs: Vec<Vec2>,
    /// The directions of the surface at the points; empty if its faces are flat.
    pub normals: Vec<DVec3>,
    pub triangles: Vec<[u32; 3]>,
    pub texture: Option<RgbImage>,
}

impl Solid {
    /// Reads a binary PLY file of float positions and triangles with 16-bit or 32-bit indices.
    pub fn read_ply(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path)?;
        let end = b"end_header\n";
        let start = bytes.windows(end.len()).position(|part| part == end);
        let start = start.ok_or("a PLY file without an end of its header")? + end.len();
        let header = String::from_utf8_lossy(&bytes[..start]).into_owned();
        let count = |name: &str| -> Result<usize, Box<dyn Error>> {
            let line = header.lines().find_map(|line| line.strip_prefix(name));
            Ok(line.ok_or("a PLY file without a count")?.trim().parse()?)
        };
        let (vertices, faces) = (count("element vertex ")?, count("element face ")?);
        let width = if header.contains("list uchar uint ") {
            4
        } else {
            2
        };
        let number = |at: usize| {
            let mut wide = [0; 4];
            wide[..width].copy_from_slice(&bytes[at..at + width]);
            u32::from_le_bytes(wide)
        };
        let float = |at: usize| {
            f64::from(f32::from_le_bytes(
                [0, 1, 2, 3].map(|byte| bytes[at + byte]),
            ))
        };
        let point =
            |at: usize| DVec3::from([0, 1, 2].map(|axis| float(start + 12 * at + 4 * axis)));
        let first = start + 12 * vertices + 1;
        let triangle = |at: usize| {
            [0, 1, 2].map(|corner| number(first + at * (1 + 3 * width) + corner * width))
        };
        Ok(Self {
            points: (0..vertices).map(point).collect(),
            triangles: (0..faces).map(triangle).collect(),
            ..Self::default()
        })
    }

    /// Reads the first primitive of a GLB file.
    pub fn read_glb(glb: &[u8]) -> Result<Self, Box<dyn Error>> {
        let (document, buffers, images) = gltf::import_slice(glb)?;
        let mesh = document.meshes().next().ok_or("no mesh")?;
        let primitive = mesh.primitives().next().ok_or("no primitive")?;
        let reader = primitive.reader(|buffer| Some(&buffers[buffer.index()]));
        let positions = reader.read_positions().ok_or("no positions")?;
        let normals = reader.read_normals().into_iter().flatten();
        let uvs = reader.read_tex_coords(0).map(|uvs| uvs.into_f32());
        let indices: Vec<u32> = reader
            .read_indices()
            .ok_or("no indices")?
            .into_u32()
            .collect();
        let image = images.into_iter().next();
        Ok(Self {
            points: positions.map(|at| DVec3::from(at.map(f64::from))).collect(),
            uvs: uvs.into_iter().flatten().map(Vec2::from).collect(),
            normals: normals.map(|at| DVec3::from(at.map(f64::from))).collect(),
            triangles: indices.as_chunks().0.to_vec(),
            texture: image.and_then(|it| RgbImage::from_raw(it.width, it.height, it.pixels)),
        })
    }

    pub fn rotated(mut self, rotation: DMat3) -> Self {
        for vector in self.points.iter_mut().chain(&mut self.normals) {
            *vector = rotation * *vector;
        }
        self
    }

    /// Scales the mesh about the origin and then moves it.
    pub fn moved(mut self, scale: f64, by: DVec3) -> Self {
        for point in &mut self.points {
            *point = *point * scale + by;
        }
        self
    }

    pub fn bounds(&self) -> (DVec3, DVec3) {
        let empty = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        let points = self.triangles.iter().flatten();
        points.fold(empty, |(low, high), at| {
            let point = self.points[*at as usize];
            (low.min(point), high.max(point))
        })
    }

    pub fn corners(&self, triangle: [u32; 3]) -> [DVec3; 3] {
        triangle.map(|at| self.points[at as usize])
    }

    /// Returns the center of mass of the enclosed volume.
    fn center_of_mass(&self) -> DVec3 {
        let (mut sum, mut volume) = (DVec3::ZERO, 0.0);
        for triangle in &self.triangles {
            let [a, b, c] = self.corners(*triangle);
            let part = a.dot(b.cross(c)) / 6.0;
            volume += part;
            sum += (a + b + c) / 4.0 * part;
        }
        sum / volume
    }

    /// Whether the center of mass is over the hull of the points within 1 % of the height from the
    /// lowest: the object then stands on a table.
    pub fn stands(&self) -> bool {
        let (low, high) = self.bounds();
        let contact = low.y + 0.01 * (high.y - low.y);
        let used = self
            .triangles
            .iter()
            .flatten()
            .map(|at| self.points[*at as usize]);
        let points = used.filter(|point| point.y <= contact);
        let center = self.center_of_mass();
        is_in_hull(
            DVec2::new(center.x, center.z),
            points.map(|point| DVec2::new(point.x, point.z)).collect(),
        )
    }

    /// Returns the part of the surface's area on which the texture is stretched more than `limit`
    /// times as much in one direction as in the other.
    pub fn stretched_part(&self, limit: f64) -> f64 {
        let size = self.texture.as_ref().map(|texture| texture.dimensions());
        let Some((width, height)) = size else {
            return 0.0;
        };
        let size = DVec2::new(width.into(), height.into());
        let (mut stretched, mut all) = (0.0, 0.0);
        for triangle in &self.triangles {
            let [a, b, c] = self.corners(*triangle);
            let [ua, ub, uc] = triangle.map(|at| self.uvs[at as usize].as_dvec2() * size);
            let (e, f) = (b - a, c - a);
            let area = e.cross(f).length() / 2.0;
            all += area;
            // The derivatives of the position by the texture's coordinates.
            let (p, q) = (ub - ua, uc - ua);
            let determinant = p.perp_dot(q);
            let (du, dv) = ((e * q.y - f * p.y), (f * p.x - e * q.x));
            // The squares of the singular values are the eigenvalues of the first fundamental form.
            let (g11, g12, g22) = (du.dot(du), du.dot(dv), dv.dot(dv));
            let (mean, product) = ((g11 + g22) / 2.0, g11 * g22 - g12 * g12);
            let spread = (mean * mean - product).max(0.0).sqrt();
            let ratio = (mean + spread) / (mean - spread).max(f64::MIN_POSITIVE);
            if determinant == 0.0 || ratio > limit * limit {
                stretched += area;
            }
        }
        stretched / all
    }
}

/// Whether a point is inside of the convex hull of others.
fn is_in_hull(point: DVec2, mut others: Vec<DVec2>) -> bool {
    others.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let half = |points: &mut dyn Iterator<Item = DVec2>| {
        let mut chain: Vec<DVec2> = Vec::new();
        for next in points {
            while let [.., before, last] = chain[..]
                && (last - before).perp_dot(next - last) <= 0.0
            {
                chain.pop();
            }
            chain.push(next);
        }
        chain
    };
    let lower = half(&mut others.iter().copied());
    let upper = half(&mut others.iter().rev().copied());
    let hull: Vec<DVec2> = [lower, upper]
        .iter()
        .flat_map(|chain| &chain[..chain.len().max(1) - 1])
        .copied()
        .collect();
    hull.len() >= 3
        && (0..hull.len()).all(|at| {
            let (a, b) = (hull[at], hull[(at + 1) % hull.len()]);
            (b - a).perp_dot(point - a) >= 0.0
        })
}
