//! Reads a GLB file for its conversion: all meshes as one, with the first material.

use glam::{DMat4, DVec2, DVec3, Vec2, Vec3};
use serde_json::Value;

use super::error::ConvertError;
#[cfg(feature = "import")]
use crate::glb::GlbError;
use crate::glb::{
    Glb, default_scene, index, indices, is_quads, mesh_instances, numbers, root_nodes, vectors,
};

/// Extensions without which triangles cannot be read, or are not all there.
const UNSUPPORTED_EXTENSIONS: [&str; 4] = [
    "EXT_mesh_gpu_instancing",
    "EXT_meshopt_compression",
    "KHR_draco_mesh_compression",
    "KHR_meshopt_compression",
];

/// Fails if the JSON of a GLB file is not valid glTF, for example if it refers to something that does
/// not exist. Only files of remote engines may be so; without the feature `import` there are none,
/// and the wasm of the API is smaller without this.
#[cfg(feature = "import")]
fn validate(glb: &[u8]) -> Result<(), GlbError> {
    let file = gltf::Glb::from_slice(glb).map_err(GlbError::invalid)?;
    let mut root = gltf::json::Root::from_slice(&file.json).map_err(GlbError::invalid)?;
    // The validation also rejects unknown extensions that concern materials only.
    root.extensions_required.clear();
    gltf::Document::from_json(root).map_err(GlbError::invalid)?;
    Ok(())
}

/// A texture file.
pub struct Texture {
    pub bytes: Vec<u8>,
    /// The extension of its file name.
    pub extension: &'static str,
    pub media_type: &'static str,
}

/// All meshes of a scene as one, where the scene puts them.
#[derive(Default)]
pub struct Model {
    pub positions: Vec<Vec3>,
    pub normals: Vec<Vec3>,
    /// The texture coordinates, with (0, 0) at the texture's upper left corner.
    pub uvs: Vec<Vec2>,
    pub triangles: Vec<[u32; 3]>,
    /// Whether every two triangles, from the first on, are a quad.
    has_quads: bool,
    pub material: Material,
}

impl Model {
    /// Reads a GLB file.
    ///
    /// # Errors
    /// Fails if the file is not a valid GLB file, has no triangles that can be read, or requires an
    /// extension that packs them.
    pub fn read(glb: &[u8]) -> Result<Self, ConvertError> {
        let file = Glb::read(glb)?;
        let required = file.list("extensionsRequired").iter();
        let mut required = required.filter_map(Value::as_str);
        if let Some(name) = required.find(|name| UNSUPPORTED_EXTENSIONS.contains(name)) {
            return Err(ConvertError::UnsupportedExtension(name.to_owned()));
        }
        #[cfg(feature = "import")]
        validate(glb)?;
        let mut model = Self {
            material: Material::read(&file),
            ..Self::default()
        };
        let scene = default_scene(&file);
        let nodes = scene.map_or_else(Vec::new, |scene| root_nodes(&file, scene));
        for (mesh, matrix) in mesh_instances(&file, nodes, DMat4::IDENTITY) {
            model.has_quads = is_quads(mesh);
            let primitives = mesh["primitives"].as_array().into_iter().flatten();
            for primitive in primitives {
                model.add_primitive(&file, primitive, matrix);
            }
        }
        let mut vertices = model.triangles.iter().flatten();
        if vertices.any(|vertex| *vertex as usize >= model.positions.len()) {
            return Err(ConvertError::MissingVertex);
        }
        match model.triangles.is_empty() {
            true => Err(ConvertError::NoTriangles),
            false => Ok(model),
        }
    }

    /// Adds the triangles of a primitive, moved by its node's matrix. Adds nothing if it has other
    /// faces, or if its positions cannot be read. Without indices that can be read, every three
    /// positions are a triangle.
    fn add_primitive(&mut self, file: &Glb, primitive: &Value, matrix: DMat4) {
        const TRIANGLES: u32 = 4;
        if primitive.get("mode").is_some_and(|mode| *mode != TRIANGLES) {
            return;
        }
        let attributes = &primitive["attributes"];
        let accessor = |name: &str| file.referenced(attributes, name, "accessors");
        let positions = accessor("POSITION").and_then(|all| vectors::<3>(file, all));
        let Some(positions) = positions.filter(|positions| !positions.is_empty()) else {
            return;
        };
        let first = self.positions.len();
        let count = first + positions.len();
        let corners = file
            .referenced(primitive, "indices", "accessors")
            .and_then(|all| indices(file, all))
            .unwrap_or_else(|| (0..positions.len() as u32).collect());
        let positions = positions.into_iter().map(DVec3::from);
        let positions = positions.map(|point| matrix.transform_point3(point).as_vec3());
        self.positions.extend(positions);
        let normals = accessor("NORMAL").and_then(|all| vectors::<3>(file, all));
        let normals = normals.into_iter().flatten().map(DVec3::from);
        let normals = normals.map(|normal| matrix.transform_vector3(normal).as_vec3());
        self.normals.extend(normals);
        let uvs = accessor(&format!("TEXCOORD_{}", self.material.uv.set));
        let uvs = uvs.and_then(|all| vectors::<2>(file, all));
        let uvs = uvs.into_iter().flatten();
        let uvs = uvs.map(|uv| self.material.uv.apply(DVec2::from(uv).as_vec2()));
        self.uvs.extend(uvs);
        self.normals.resize(count, Vec3::Z);
        self.uvs.resize(count, Vec2::ZERO);
        // An index beyond 32 bits is one that does not exist, and reported as such.
        let vertex = |corner: u32| corner.saturating_add(first as u32);
        let triangles = corners.chunks_exact(3);
        let triangles = triangles.map(|face| [face[0], face[1], face[2]].map(vertex));
        self.triangles.extend(triangles);
    }

    /// Returns the faces: triangles, or quads if the model has them.
    pub fn faces(&self) -> Vec<Vec<u32>> {
        match self.has_quads {
            true => (self.triangles.chunks_exact(2))
                .map(|pair| vec![pair[0][0], pair[0][1], pair[0][2], pair[1][2]])
                .collect(),
            false => self.triangles.iter().map(|face| face.to_vec()).collect(),
        }
    }

    /// Returns the positions for printing: in millimeters, where glTF has meters, and with z up, since
    /// the printer's plate is in x and y.
    pub fn printed_positions(&self) -> impl Iterator<Item = Vec3> {
        const MILLIMETERS: f32 = 1000.0;
        let positions = self.positions.iter().map(|point| *point * MILLIMETERS);
        positions.map(|point| Vec3::new(point.x, -point.z, point.y))
    }
}

/// The color and the texture of a model.
pub struct Material {
    /// Linear RGB.
    pub color: [f32; 3],
    pub texture: Option<Texture>,
    uv: UvTransform,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            color: [0.8; 3],
            texture: None,
            uv: UvTransform::default(),
        }
    }
}

impl Material {
    /// Reads the first material of a file; the default one if there is none.
    fn read(file: &Glb) -> Self {
        let Some(material) = file.list("materials").first() else {
            return Self::default();
        };
        let look = &material["pbrMetallicRoughness"];
        let [red, green, blue, _] = numbers(&look["baseColorFactor"], [1.0; 4]);
        let info = &look["baseColorTexture"];
        Self {
            color: [red, green, blue].map(|channel| channel as f32),
            texture: Texture::read(file, info),
            uv: UvTransform::read(info),
        }
    }
}

impl Texture {
    /// Reads the texture of a reference to it, if its file is inside the GLB file.
    fn read(file: &Glb, info: &Value) -> Option<Self> {
        let texture = file.referenced(info, "index", "textures")?;
        let image = file.referenced(texture, "source", "images")?;
        let bytes = file.view(index(image, "bufferView")?)?;
        let (extension, media_type) = match image["mimeType"] == "image/png" {
            true => ("png", "image/png"),
            false => ("jpg", "image/jpeg"),
        };
        Some(Self {
            bytes: bytes.to_vec(),
            extension,
            media_type,
        })
    }
}

/// Which texture coordinates count, and how `KHR_texture_transform` moves them, which other formats
/// cannot say.
struct UvTransform {
    /// The number of the vertices' texture coordinates: `TEXCOORD_0` and so on.
    set: usize,
    offset: Vec2,
    /// In radians.
    rotation: f32,
    scale: Vec2,
}

impl Default for UvTransform {
    fn default() -> Self {
        Self {
            set: 0,
            offset: Vec2::ZERO,
            rotation: 0.0,
            scale: Vec2::ONE,
        }
    }
}

impl UvTransform {
    fn read(info: &Value) -> Self {
        let transform = &info["extensions"]["KHR_texture_transform"];
        let set = index(transform, "texCoord").or_else(|| index(info, "texCoord"));
        Self {
            set: set.unwrap_or_default(),
            offset: DVec2::from(numbers(&transform["offset"], [0.0; 2])).as_vec2(),
            rotation: transform["rotation"].as_f64().unwrap_or_default() as f32,
            scale: DVec2::from(numbers(&transform["scale"], [1.0; 2])).as_vec2(),
        }
    }

    fn apply(&self, uv: Vec2) -> Vec2 {
        let (sin, cos) = self.rotation.sin_cos();
        let Vec2 { x: u, y: v } = uv * self.scale;
        Vec2::new(cos * u + sin * v, cos * v - sin * u) + self.offset
    }
}
