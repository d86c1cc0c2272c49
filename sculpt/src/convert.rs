//! A model in binary glTF as other programs want it: OBJ, a zip of OBJ, MTL and texture, STL.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use gltf::{Gltf, Node, mesh::Mode};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::glb::QUADS;

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
        let file = Gltf::from_slice(glb).map_err(|error| error.to_string())?;
        let mut model = Self {
            colour: [0.8, 0.8, 0.8, 1.0],
            ..Self::default()
        };
        if let Some(material) = file.materials().next() {
            let look = material.pbr_metallic_roughness();
            model.colour = look.base_color_factor();
            model.texture = look
                .base_color_texture()
                .and_then(|info| texture(&file, &info.texture()));
        }
        let scene = file.default_scene().or_else(|| file.scenes().next());
        let nodes = scene.iter().flat_map(|scene| scene.nodes());
        const HERE: [[f32; 4]; 4] = [
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ];
        for node in nodes {
            model.add(&file, &node, HERE);
        }
        match model.triangles.is_empty() {
            true => Err("the model has no triangles".into()),
            false => Ok(model),
        }
    }

    /// Adds a node and those below it. `outer` is where the node above it is.
    fn add(&mut self, file: &Gltf, node: &Node, outer: [[f32; 4]; 4]) {
        let here = times(outer, node.transform().matrix());
        let point = |[x, y, z]: [f32; 3], w: f32| {
            [0, 1, 2].map(|row| {
                here[0][row] * x + here[1][row] * y + here[2][row] * z + here[3][row] * w
            })
        };
        if let Some(mesh) = node.mesh() {
            let extras = mesh.extras().as_ref();
            self.quads = extras.is_some_and(|extras| extras.get() == QUADS);
            for primitive in mesh
                .primitives()
                .filter(|part| part.mode() == Mode::Triangles)
            {
                let reader = primitive.reader(|_| file.blob.as_deref());
                let Some(positions) = reader.read_positions() else {
                    continue;
                };
                let first = self.positions.len() as u32;
                self.positions
                    .extend(positions.map(|place| point(place, 1.0)));
                let count = self.positions.len();
                if let Some(normals) = reader.read_normals() {
                    self.normals
                        .extend(normals.map(|normal| point(normal, 0.0)));
                }
                if let Some(uvs) = reader.read_tex_coords(0) {
                    self.uvs.extend(uvs.into_f32());
                }
                self.normals.resize(count, [0.0, 0.0, 1.0]);
                self.uvs.resize(count, [0.0; 2]);
                let corners: Vec<u32> = match reader.read_indices() {
                    Some(indices) => indices.into_u32().collect(),
                    None => (0..count as u32 - first).collect(),
                };
                let triangles = corners.chunks_exact(3);
                self.triangles
                    .extend(triangles.map(|face| [0, 1, 2].map(|at| first + face[at])));
            }
        }
        for child in node.children() {
            self.add(file, &child, here);
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

/// A texture that lies inside of the file.
fn texture(file: &Gltf, texture: &gltf::Texture) -> Option<Texture> {
    let gltf::image::Source::View { view, mime_type } = texture.source().source() else {
        return None;
    };
    let bytes = file
        .blob
        .as_ref()?
        .get(view.offset()..view.offset() + view.length())?;
    Some(Texture {
        bytes: bytes.to_vec(),
        extension: if mime_type == "image/png" {
            "png"
        } else {
            "jpg"
        },
    })
}

/// The product of two matrices, each by its columns.
fn times(a: [[f32; 4]; 4], b: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    b.map(|column| [0, 1, 2, 3].map(|row| (0..4).map(|at| a[at][row] * column[at]).sum()))
}
