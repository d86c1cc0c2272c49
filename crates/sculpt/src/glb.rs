//! Binary glTF: one scene with one mesh of one material, and all data inside.

use std::borrow::Cow;

use gltf::json::accessor::{ComponentType, GenericComponentType, Type};
use gltf::json::buffer::{Target, View};
use gltf::json::extras::RawValue;
use gltf::json::image::MimeType;
use gltf::json::material::{Material, PbrBaseColorFactor, PbrMetallicRoughness, StrengthFactor};
use gltf::json::mesh::{Mode, Primitive, Semantic};
use gltf::json::texture::{MagFilter, MinFilter, Sampler, WrappingMode};
use gltf::json::validation::{Checked::Valid, USize64};
use gltf::json::{
    Accessor, Buffer, Image, Index, Mesh as JsonMesh, Node, Root, Scene, Texture, Value, texture,
};
use serde_json::json;

use crate::mesh::Mesh;

/// In a mesh's `extras`: each two triangles, beginning with the first, are a quad. glTF itself has
/// nothing but triangles.
pub const QUADS: &str = r#"{"topology":"quads"}"#;

/// How rough the material is: neither a mirror nor chalk.
const ROUGHNESS: f32 = 0.8;
/// The colour of a model without a texture.
const PLAIN: [f32; 4] = [0.8, 0.8, 0.8, 1.0];

/// Writes a mesh, with a JPEG file as its texture where there is one.
///
/// # Errors
/// Why it cannot be written, in words.
pub fn write(mesh: &Mesh, jpeg: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let positions: Vec<_> = mesh
        .positions
        .iter()
        .map(|place| place.map(|x| x as f32))
        .collect();
    if !positions.iter().flatten().all(|x| x.is_finite()) {
        return Err("scaled_bbox: such a model is beyond what 32-bit numbers can hold".into());
    }
    let mut file = File::default();
    let mut attributes = vec![
        (Semantic::Positions, file.vectors(&positions, true)),
        (Semantic::Normals, file.vectors(&mesh.normals(), false)),
    ];
    let mut material = Material {
        pbr_metallic_roughness: PbrMetallicRoughness {
            base_color_factor: PbrBaseColorFactor(PLAIN),
            metallic_factor: StrengthFactor(0.0),
            roughness_factor: StrengthFactor(ROUGHNESS),
            ..Default::default()
        },
        ..Default::default()
    };
    if let Some(jpeg) = jpeg {
        attributes.push((Semantic::TexCoords(0), file.vectors(&mesh.uvs, false)));
        material.pbr_metallic_roughness.base_color_factor = PbrBaseColorFactor::default();
        material.pbr_metallic_roughness.base_color_texture = Some(file.texture(jpeg));
    }
    let triangles: Vec<u32> = mesh.triangles().flatten().collect();
    let indices = file.indices(&triangles);
    let primitive = Primitive {
        attributes: attributes
            .into_iter()
            .map(|(semantic, data)| (Valid(semantic), data))
            .collect(),
        indices: Some(indices),
        material: Some(file.root.push(material)),
        mode: Valid(Mode::Triangles),
        targets: None,
        extensions: None,
        extras: Default::default(),
    };
    let extras = match mesh.sides {
        4 => RawValue::from_string(QUADS.into()).ok(),
        _ => None,
    };
    file.finish(primitive, extras)
}

/// A file under way.
#[derive(Default)]
struct File {
    root: Root,
    data: Vec<u8>,
}

impl File {
    /// Vectors of two or three floats; `bounds` for positions, whose bounds a file must name.
    fn vectors<const N: usize>(&mut self, vectors: &[[f32; N]], bounds: bool) -> Index<Accessor> {
        let numbers = vectors.iter().flatten();
        let bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
        let view = self.view(&bytes, Some(Target::ArrayBuffer));
        let bound = |choose: fn(f32, f32) -> f32| -> Option<Value> {
            let bound = vectors.iter().copied().reduce(|mut bound, vector| {
                for (bound, number) in bound.iter_mut().zip(vector) {
                    *bound = choose(*bound, number);
                }
                bound
            });
            bounds.then(|| json!(bound.as_ref().map(|bound| bound.as_slice())))
        };
        let shape = if N == 2 { Type::Vec2 } else { Type::Vec3 };
        let (min, max) = (bound(f32::min), bound(f32::max));
        self.accessor(view, vectors.len(), ComponentType::F32, shape, min, max)
    }

    fn indices(&mut self, indices: &[u32]) -> Index<Accessor> {
        let bytes: Vec<u8> = indices
            .iter()
            .flat_map(|index| index.to_le_bytes())
            .collect();
        let view = self.view(&bytes, Some(Target::ElementArrayBuffer));
        let (count, kind) = (indices.len(), ComponentType::U32);
        self.accessor(view, count, kind, Type::Scalar, None, None)
    }

    fn texture(&mut self, jpeg: &[u8]) -> texture::Info {
        let buffer_view = Some(self.view(jpeg, None));
        let source = self.root.push(Image {
            buffer_view,
            mime_type: Some(MimeType("image/jpeg".into())),
            name: None,
            uri: None,
            extensions: None,
            extras: Default::default(),
        });
        let sampler = self.root.push(Sampler {
            mag_filter: Some(Valid(MagFilter::Linear)),
            min_filter: Some(Valid(MinFilter::LinearMipmapLinear)),
            wrap_s: Valid(WrappingMode::ClampToEdge),
            wrap_t: Valid(WrappingMode::ClampToEdge),
            ..Default::default()
        });
        let index = self.root.push(Texture {
            name: None,
            sampler: Some(sampler),
            source,
            extensions: None,
            extras: Default::default(),
        });
        texture::Info {
            index,
            tex_coord: 0,
            extensions: None,
            extras: Default::default(),
        }
    }

    fn finish(
        mut self,
        primitive: Primitive,
        extras: Option<Box<RawValue>>,
    ) -> Result<Vec<u8>, String> {
        let root = &mut self.root;
        root.asset.generator = Some(env!("CARGO_PKG_NAME").into());
        root.push(Buffer {
            byte_length: self.data.len().into(),
            name: None,
            uri: None,
            extensions: None,
            extras: Default::default(),
        });
        let mesh = root.push(JsonMesh {
            primitives: vec![primitive],
            name: None,
            weights: None,
            extensions: None,
            extras,
        });
        let node = root.push(Node {
            mesh: Some(mesh),
            ..Default::default()
        });
        root.scene = Some(root.push(Scene {
            nodes: vec![node],
            name: None,
            extensions: None,
            extras: Default::default(),
        }));
        let json = root.to_vec().map_err(|error| error.to_string())?;
        let file = gltf::Glb {
            header: gltf::binary::Header {
                magic: *b"glTF",
                version: 2,
                // The writer counts the bytes itself.
                length: 0,
            },
            json: Cow::Owned(json),
            bin: Some(Cow::Owned(self.data)),
        };
        file.to_vec().map_err(|error| error.to_string())
    }

    fn view(&mut self, bytes: &[u8], target: Option<Target>) -> Index<View> {
        // Numbers must begin at multiples of their size.
        self.data.resize(self.data.len().next_multiple_of(4), 0);
        let view = View {
            // The one buffer, which `finish` adds.
            buffer: Index::new(0),
            byte_length: bytes.len().into(),
            byte_offset: Some(self.data.len().into()),
            byte_stride: None,
            name: None,
            target: target.map(Valid),
            extensions: None,
            extras: Default::default(),
        };
        self.data.extend_from_slice(bytes);
        self.root.push(view)
    }

    fn accessor(
        &mut self,
        view: Index<View>,
        count: usize,
        component: ComponentType,
        shape: Type,
        min: Option<Value>,
        max: Option<Value>,
    ) -> Index<Accessor> {
        self.root.push(Accessor {
            buffer_view: Some(view),
            byte_offset: Some(USize64(0)),
            count: count.into(),
            component_type: Valid(GenericComponentType(component)),
            type_: Valid(shape),
            min,
            max,
            name: None,
            normalized: false,
            sparse: None,
            extensions: None,
            extras: Default::default(),
        })
    }
}
