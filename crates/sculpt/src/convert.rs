//! A model in binary glTF as other programs want it: OBJ, a zip of OBJ, MTL and texture, STL.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use gltf::mesh::Mode;
use gltf::{Gltf, Mesh, Semantic};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::glb::QUADS;
use crate::open::{data, open, vectors};

/// What a model is offered as beside GLB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Wavefront OBJ alone, with neither material nor texture.
    Obj,
    /// A zip of OBJ, MTL and the texture, where there is one.
    Zip,
    /// Binary STL for printing: in millimetres, where glTF has metres, and with z up.
    Stl,
}

/// Writes a binary glTF file as another format. Of several materials the first counts.
///
/// # Errors
/// The file cannot be read, in words.
pub fn convert(glb: &[u8], format: Format) -> Result<Vec<u8>, String> {
    let model = Model::read(glb)?;
    match format {
        Format::Obj => Ok(model.obj(None).into_bytes()),
        Format::Zip => model.zip().map_err(|error| error.to_string()),
        Format::Stl => Ok(model.stl()),
    }
}

/// Whether a binary glTF file can be written as the other formats. It is read for that, and nothing
/// is written.
pub fn can_convert(glb: &[u8]) -> bool {
    Model::read(glb).is_ok()
}

/// A matrix by its columns.
type Matrix = [[f32; 4]; 4];

/// A texture file, and what its name ends with.
struct Texture {
    bytes: Vec<u8>,
    extension: &'static str,
}

/// All meshes of a scene in one, where the scene puts them.
#[derive(Default)]
struct Model {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    uvs: Vec<[f32; 2]>,
    triangles: Vec<[u32; 3]>,
    /// Whether each two triangles are a quad.
    quads: bool,
    colour: [f32; 4],
    texture: Option<Texture>,
}

impl Model {
    fn read(glb: &[u8]) -> Result<Self, String> {
        let file = open(glb)?;
        let mut model = Self {
            colour: [0.8, 0.8, 0.8, 1.0],
            ..Self::default()
        };
        let mut places = Places::default();
        if let Some(material) = file.materials().next() {
            let look = material.pbr_metallic_roughness();
            model.colour = look.base_color_factor();
            if let Some(info) = look.base_color_texture() {
                model.texture = texture(&file, &info.texture());
                places = Places::of(&info);
            }
        }
        let scene = file.default_scene().or_else(|| file.scenes().next());
        let nodes = scene.iter().flat_map(|scene| scene.nodes());
        const HERE: Matrix = [
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ];
        let mut nodes: VecDeque<_> = nodes.map(|node| (node, HERE)).collect();
        let mut seen = BTreeSet::new();
        while let Some((node, outer)) = nodes.pop_front() {
            // A tree has each node once, a circle has no end.
            if !seen.insert(node.index()) {
                continue;
            }
            let here = times(outer, node.transform().matrix());
            if let Some(mesh) = node.mesh() {
                model.add(&file, &mesh, &places, here);
            }
            nodes.extend(node.children().map(|child| (child, here)));
        }
        let mut corners = model.triangles.iter().flatten();
        if corners.any(|at| *at as usize >= model.positions.len()) {
            return Err("a triangle has a corner that is not there".into());
        }
        match model.triangles.is_empty() {
            true => Err("the model has no triangles".into()),
            false => Ok(model),
        }
    }

    /// Adds the triangles of a mesh that is here.
    fn add(&mut self, file: &Gltf, mesh: &Mesh, places: &Places, here: Matrix) {
        let point = |[x, y, z]: [f32; 3], w: f32| {
            [0, 1, 2].map(|row| {
                here[0][row] * x + here[1][row] * y + here[2][row] * z + here[3][row] * w
            })
        };
        let extras = mesh.extras().as_ref();
        self.quads = extras.is_some_and(|extras| extras.get() == QUADS);
        for primitive in mesh
            .primitives()
            .filter(|part| part.mode() == Mode::Triangles)
        {
            let of = |semantic| primitive.get(&semantic);
            let Some(positions) = of(Semantic::Positions).and_then(|all| vectors(file, all)) else {
                continue;
            };
            let first = self.positions.len() as u32;
            let positions = positions.into_iter().map(|place| point(place, 1.0));
            self.positions.extend(positions);
            let count = self.positions.len();
            let normals = of(Semantic::Normals).and_then(|all| vectors(file, all));
            let normals = normals.into_iter().flatten();
            self.normals
                .extend(normals.map(|normal| point(normal, 0.0)));
            let uvs = of(Semantic::TexCoords(places.set)).and_then(|all| vectors(file, all));
            let uvs = uvs.into_iter().flatten();
            self.uvs.extend(uvs.map(|uv| places.moved(uv)));
            self.normals.resize(count, [0.0, 0.0, 1.0]);
            self.uvs.resize(count, [0.0; 2]);
            let reader = primitive.reader(|buffer| data(file, &buffer));
            let corners: Vec<u32> = match reader.read_indices() {
                Some(indices) => indices.into_u32().collect(),
                None => (0..count as u32 - first).collect(),
            };
            let triangles = corners.chunks_exact(3);
            self.triangles
                .extend(triangles.map(|face| [0, 1, 2].map(|at| first + face[at])));
        }
    }

    fn obj(&self, material: Option<&str>) -> String {
        let mut obj = String::new();
        let mut line = |arguments: std::fmt::Arguments| {
            // A text never refuses to be written to.
            let _ = obj.write_fmt(arguments);
            obj.push('\n');
        };
        if let Some(material) = material {
            line(format_args!("mtllib {material}.mtl\nusemtl {material}"));
        }
        for [x, y, z] in &self.positions {
            line(format_args!("v {x} {y} {z}"));
        }
        for [u, v] in &self.uvs {
            // Its pictures begin at the bottom.
            line(format_args!("vt {u} {}", 1.0 - v));
        }
        for [x, y, z] in &self.normals {
            line(format_args!("vn {x} {y} {z}"));
        }
        let mut face = |corners: &[u32]| {
            let corners = corners.iter().map(|at| {
                let at = at + 1;
                format!(" {at}/{at}/{at}")
            });
            line(format_args!("f{}", corners.collect::<String>()));
        };
        if self.quads {
            for pair in self.triangles.chunks_exact(2) {
                let ([a, b, c], [_, _, d]) = (pair[0], pair[1]);
                face(&[a, b, c, d]);
            }
        } else {
            for triangle in &self.triangles {
                face(triangle);
            }
        }
        obj
    }

    fn zip(&self) -> zip::result::ZipResult<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let text = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        // A picture is compressed already.
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file("model.obj", text)?;
        zip.write_all(self.obj(Some("model")).as_bytes())?;
        let [red, green, blue, _] = self.colour;
        let mut mtl = format!("newmtl model\nKd {red} {green} {blue}\nKs 0 0 0\nillum 1\n");
        if let Some(Texture { bytes, extension }) = &self.texture {
            let name = format!("texture.{extension}");
            mtl.push_str(&format!("map_Kd {name}\n"));
            zip.start_file(name, stored)?;
            zip.write_all(bytes)?;
        }
        zip.start_file("model.mtl", text)?;
        zip.write_all(mtl.as_bytes())?;
        Ok(zip.finish()?.into_inner())
    }

    fn stl(&self) -> Vec<u8> {
        const MILLIMETRES: f32 = 1000.0;
        let mut stl = vec![0; 80];
        stl.extend((self.triangles.len() as u32).to_le_bytes());
        for triangle in &self.triangles {
            let corners = triangle.map(|at| {
                let [x, y, z] = self.positions[at as usize].map(|x| x * MILLIMETRES);
                // It stands on the printer's plate, which lies in x and y.
                [x, -z, y]
            });
            // No normal of its own: programs take it from the corners' order.
            let numbers = [[0.0; 3]].into_iter().chain(corners).flatten();
            stl.extend(numbers.flat_map(f32::to_le_bytes));
            stl.extend([0; 2]);
        }
        stl
    }
}

/// Where the texture is found: which of the vertices' places on it count, and how
/// `KHR_texture_transform` moves them, which the other formats cannot say.
struct Places {
    set: u32,
    offset: [f32; 2],
    rotation: f32,
    scale: [f32; 2],
}

impl Default for Places {
    fn default() -> Self {
        Self {
            set: 0,
            offset: [0.0; 2],
            rotation: 0.0,
            scale: [1.0; 2],
        }
    }
}

impl Places {
    fn of(info: &gltf::texture::Info) -> Self {
        let set = info.tex_coord();
        let Some(moved) = info.texture_transform() else {
            return Self {
                set,
                ..Self::default()
            };
        };
        Self {
            set: moved.tex_coord().unwrap_or(set),
            offset: moved.offset(),
            rotation: moved.rotation(),
            scale: moved.scale(),
        }
    }

    fn moved(&self, [u, v]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.rotation.sin_cos();
        let (u, v) = (u * self.scale[0], v * self.scale[1]);
        let [right, down] = self.offset;
        [cos * u + sin * v + right, cos * v - sin * u + down]
    }
}

/// A texture that lies inside of the file.
fn texture(file: &Gltf, texture: &gltf::Texture) -> Option<Texture> {
    let gltf::image::Source::View { view, mime_type } = texture.source()?.source() else {
        return None;
    };
    let bytes = data(file, &view.buffer())?.get(view.offset()..view.offset() + view.length())?;
    Some(Texture {
        bytes: bytes.to_vec(),
        extension: if mime_type == "image/png" {
            "png"
        } else {
            "jpg"
        },
    })
}

/// The product of two matrices.
fn times(a: Matrix, b: Matrix) -> Matrix {
    b.map(|column| [0, 1, 2, 3].map(|row| (0..4).map(|at| a[at][row] * column[at]).sum()))
}
