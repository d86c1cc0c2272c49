//! Binary glTF, as far as a model here needs it: one scene with one mesh, and all data inside.

use std::borrow::Cow;

use gltf::json::accessor::{ComponentType, GenericComponentType, Type};
use gltf::json::buffer::{Target, View};
use gltf::json::image::MimeType;
use gltf::json::material::Material;
use gltf::json::mesh::{Mode, Primitive, Semantic};
use gltf::json::validation::{Checked::Valid, USize64};
use gltf::json::{
    Accessor, Buffer, Image, Index, Mesh, Node, Root, Scene, Texture, Value, texture,
};
use serde_json::json;

/// A file under way.
#[derive(Default)]
pub struct Glb {
    root: Root,
    data: Vec<u8>,
}

impl Glb {
    /// Vectors of two or three floats; `bounds` for positions, whose bounds a file must name.
    pub fn vectors<const N: usize>(
        &mut self,
        vectors: &[[f32; N]],
        bounds: bool,
    ) -> Index<Accessor> {
        let bytes: Vec<u8> = vectors
            .iter()
            .flatten()
            .flat_map(|number| number.to_le_bytes())
            .collect();
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

    pub fn indices(&mut self, indices: &[u16]) -> Index<Accessor> {
        let bytes: Vec<u8> = indices
            .iter()
            .flat_map(|index| index.to_le_bytes())
            .collect();
        let view = self.view(&bytes, Some(Target::ElementArrayBuffer));
        let (count, kind) = (indices.len(), ComponentType::U16);
        self.accessor(view, count, kind, Type::Scalar, None, None)
    }

    /// A PNG file as a texture.
    pub fn png(&mut self, png: &[u8]) -> texture::Info {
        let buffer_view = Some(self.view(png, None));
        let source = self.root.push(Image {
            buffer_view,
            mime_type: Some(MimeType("image/png".into())),
            name: None,
            uri: None,
            extensions: None,
            extras: Default::default(),
        });
        let index = self.root.push(Texture {
            name: None,
            sampler: None,
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

    /// Triangles of one material.
    pub fn primitive(
        &mut self,
        attributes: Vec<(Semantic, Index<Accessor>)>,
        indices: Index<Accessor>,
        material: Material,
    ) -> Primitive {
        let attributes = attributes.into_iter();
        Primitive {
            attributes: attributes
                .map(|(semantic, data)| (Valid(semantic), data))
                .collect(),
            indices: Some(indices),
            material: Some(self.root.push(material)),
            mode: Valid(Mode::Triangles),
            targets: None,
            extensions: None,
            extras: Default::default(),
        }
    }

    /// The file's bytes.
    pub fn finish(mut self, primitives: Vec<Primitive>) -> Result<Vec<u8>, String> {
        let root = &mut self.root;
        root.asset.generator = Some(env!("CARGO_PKG_NAME").into());
        root.push(Buffer {
            byte_length: self.data.len().into(),
            name: None,
            uri: None,
            extensions: None,
            extras: Default::default(),
        });
        let mesh = root.push(Mesh {
            primitives,
            name: None,
            weights: None,
            extensions: None,
            extras: Default::default(),
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
