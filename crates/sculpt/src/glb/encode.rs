//! Writes a mesh as a GLB file: one scene with one mesh of one material, and all data inside.

use glam::Vec3;
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

use super::container::assemble;
use super::quads::QUADS_EXTRAS;
use crate::mesh::Mesh;

/// The material's roughness, from 0 (a mirror) to 1 (chalk).
const ROUGHNESS: f32 = 0.8;
/// The linear RGBA color of a model without a texture: a grey that shows on a white ground as well as
/// on a black one.
const UNTEXTURED_COLOR: [f32; 4] = [0.4, 0.4, 0.4, 1.0];

/// Why a mesh cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A coordinate is not a finite number in 32 bits.
    #[error(
        "scaled_bbox: the model's coordinates exceed the range of 32-bit floats (about 3.4e38): \
         expected a smaller scaled_bbox or pivot_point"
    )]
    OutOfRange,
    /// The file's JSON or container cannot be written.
    #[error("The model cannot be written as a GLB file")]
    Write {
        /// The writer's message.
        detail: String,
    },
}

impl EncodeError {
    fn write(error: impl ToString) -> Self {
        Self::Write {
            detail: error.to_string(),
        }
    }
}

/// Writes a mesh, with a JPEG file as its texture if there is one.
///
/// # Errors
/// Fails if a coordinate is beyond the range of 32-bit floats.
pub fn encode(mesh: &Mesh, jpeg: Option<&[u8]>) -> Result<Vec<u8>, EncodeError> {
    let positions: Vec<Vec3> = mesh.positions.iter().map(|point| point.as_vec3()).collect();
    if !positions.iter().all(|point| point.is_finite()) {
        return Err(EncodeError::OutOfRange);
    }
    let mut file = File::default();
    let mut attributes = vec![
        (Semantic::Positions, file.positions(&positions)),
        (Semantic::Normals, file.vectors(&mesh.normals())),
    ];
    let mut material = Material {
        pbr_metallic_roughness: PbrMetallicRoughness {
            base_color_factor: PbrBaseColorFactor(UNTEXTURED_COLOR),
            metallic_factor: StrengthFactor(0.0),
            roughness_factor: StrengthFactor(ROUGHNESS),
            ..Default::default()
        },
        ..Default::default()
    };
    if let Some(jpeg) = jpeg {
        attributes.push((Semantic::TexCoords(0), file.vectors(&mesh.uvs)));
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
    let extras = match mesh.vertices_per_face {
        4 => RawValue::from_string(QUADS_EXTRAS.into()).ok(),
        _ => None,
    };
    file.finish(primitive, extras)
}

/// A file that is being written.
#[derive(Default)]
struct File {
    root: Root,
    bin: Vec<u8>,
}

impl File {
    /// Adds positions with their bounds, which glTF requires.
    fn positions(&mut self, positions: &[Vec3]) -> Index<Accessor> {
        let accessor = self.vectors(positions);
        let bound = |choose: fn(Vec3, Vec3) -> Vec3| -> Option<Value> {
            let bound = positions.iter().copied().reduce(choose);
            Some(json!(bound.map(|bound| bound.to_array())))
        };
        let (min, max) = (bound(Vec3::min), bound(Vec3::max));
        if let Some(accessor) = self.root.accessors.get_mut(accessor.value()) {
            (accessor.min, accessor.max) = (min, max);
        }
        accessor
    }

    /// Adds vectors of `N` floats, where `N` is 2 or 3.
    fn vectors<const N: usize, V: Copy + Into<[f32; N]>>(
        &mut self,
        vectors: &[V],
    ) -> Index<Accessor> {
        let numbers = vectors
            .iter()
            .flat_map(|vector| -> [f32; N] { (*vector).into() });
        let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
        let view = self.view(&bytes, Some(Target::ArrayBuffer));
        let kind = if N == 2 { Type::Vec2 } else { Type::Vec3 };
        self.accessor(view, vectors.len(), ComponentType::F32, kind)
    }

    /// Adds indices, with 16 bits each if they fit. glTF reserves the largest number of a type.
    fn indices(&mut self, indices: &[u32]) -> Index<Accessor> {
        let short: Result<Vec<u16>, _> = indices.iter().map(|at| u16::try_from(*at)).collect();
        let short = short.ok().filter(|indices| !indices.contains(&u16::MAX));
        let (bytes, component): (Vec<u8>, _) = match short {
            Some(short) => {
                let bytes = short.into_iter().flat_map(u16::to_le_bytes);
                (bytes.collect(), ComponentType::U16)
            }
            None => {
                let bytes = indices.iter().flat_map(|index| index.to_le_bytes());
                (bytes.collect(), ComponentType::U32)
            }
        };
        let view = self.view(&bytes, Some(Target::ElementArrayBuffer));
        self.accessor(view, indices.len(), component, Type::Scalar)
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
    ) -> Result<Vec<u8>, EncodeError> {
        let root = &mut self.root;
        root.asset.generator = Some(env!("CARGO_PKG_NAME").into());
        root.push(Buffer {
            byte_length: self.bin.len().into(),
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
        let json = root.to_vec().map_err(EncodeError::write)?;
        assemble(json, self.bin).map_err(EncodeError::write)
    }

    fn view(&mut self, bytes: &[u8], target: Option<Target>) -> Index<View> {
        // glTF requires that numbers begin at multiples of their size, 4 bytes here.
        self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        let view = View {
            // The only buffer, which `finish` adds.
            buffer: Index::new(0),
            byte_length: bytes.len().into(),
            byte_offset: Some(self.bin.len().into()),
            byte_stride: None,
            name: None,
            target: target.map(Valid),
            extensions: None,
            extras: Default::default(),
        };
        self.bin.extend_from_slice(bytes);
        self.root.push(view)
    }

    fn accessor(
        &mut self,
        view: Index<View>,
        count: usize,
        component: ComponentType,
        kind: Type,
    ) -> Index<Accessor> {
        self.root.push(Accessor {
            buffer_view: Some(view),
            byte_offset: Some(USize64(0)),
            count: count.into(),
            component_type: Valid(GenericComponentType(component)),
            type_: Valid(kind),
            min: None,
            max: None,
            name: None,
            normalized: false,
            sparse: None,
            extensions: None,
            extras: Default::default(),
        })
    }
}
