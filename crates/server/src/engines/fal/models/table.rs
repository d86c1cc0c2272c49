//! The known models. Prices were read on 2026-11-27; those that no page of fal's confirms are `None`.

use api::Cents;
use serde_json::{Value, json};

use crate::engines::order::Order;

/// A model that is known to take an image and to make a GLB.
pub struct Model {
    pub id: &'static str,
    /// The field for the image's URL; a trailing `[]` means that it takes a list.
    pub image_field: &'static str,
    /// JSON pointers to the GLB's URL in the result. The first one that exists counts.
    pub glb: &'static [&'static str],
    /// Returns the other fields.
    pub input: fn(&Order) -> Value,
    /// Returns the list price, or `None` if it is unknown.
    pub price: fn(&Order) -> Option<Cents>,
}

pub const TRELLIS_2: Model = Model {
    id: "fal-ai/trellis-2",
    image_field: "image_url",
    glb: &["/model_glb/url"],
    input: |order| {
        json!({
            // The types declare texts, but callers send numbers, which were accepted.
            "resolution": if order.is_low_poly() { 512 } else { 1024 },
            "decimation_target": order.by_faces(20_000, 40_000, 500_000),
            "texture_size": texture_size(order, &[1024, 2048]),
        })
    },
    // By `resolution`.
    price: |order| Some(if order.is_low_poly() { 25 } else { 30 }),
};

pub const HUNYUAN_2: Model = Model {
    id: "fal-ai/hunyuan3d/v2",
    image_field: "input_image_url",
    glb: &["/model_mesh/url"],
    input: |order| {
        json!({
            "textured_mesh": order.is_textured,
            "octree_resolution": if order.is_low_poly() { 128 } else { 256 },
        })
    },
    price: |order| Some(if order.is_textured { 48 } else { 16 }),
};

pub const MESHY_6: Model = Model {
    id: "fal-ai/meshy/v6/image-to-3d",
    image_field: "image_url",
    glb: &["/model_glb/url"],
    input: |order| {
        json!({
            "topology": if order.has_quads() { "quad" } else { "triangle" },
            "should_remesh": true,
            "target_polycount": order.by_faces(5_000, 40_000, 100_000),
            "should_texture": order.is_textured,
        })
    },
    // Of the preview of this version, whose page has them.
    price: |order| Some(if order.is_textured { 300 } else { 200 }),
};

const HUNYUAN_3: Model = Model {
    id: "fal-ai/hunyuan3d-v3/image-to-3d",
    image_field: "input_image_url",
    glb: &["/model_glb/url"],
    input: |order| {
        let faces = faces_of_hunyuan_3(order);
        match order.is_low_poly() || order.has_quads() {
            true => json!({
                "generate_type": "LowPoly",
                "polygon_type": if order.has_quads() { "quadrilateral" } else { "triangle" },
                "face_count": faces,
            }),
            false => json!({
                "generate_type": if order.is_textured { "Normal" } else { "Geometry" },
                "face_count": faces,
            }),
        }
    },
    price: unknown,
};

const TRIPO_3: Model = Model {
    id: "tripo3d/h3.1/image-to-3d",
    image_field: "image_url",
    glb: &["/model_mesh/url"],
    // `quad` would make an FBX file.
    input: |order| {
        json!({
            "texture": order.is_textured,
            // Its default of `true` makes and bills a texture, whatever `texture` is.
            "pbr": order.is_textured,
            "face_limit": order.by_faces(10_000, 40_000, 500_000),
        })
    },
    price: unknown,
};

/// The known models.
pub const MODELS: &[Model] = &[
    TRELLIS_2,
    HUNYUAN_2,
    MESHY_6,
    HUNYUAN_3,
    TRIPO_3,
    Model {
        id: "fal-ai/hunyuan3d/v2/mini",
        price: unknown,
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan3d/v2/turbo",
        price: unknown,
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan3d/v2/mini/turbo",
        price: unknown,
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan-3d/v3.1/pro/image-to-3d",
        input: |order| {
            json!({
                "generate_type": if order.is_textured { "Normal" } else { "Geometry" },
                "face_count": faces_of_hunyuan_3(order),
            })
        },
        ..HUNYUAN_3
    },
    Model {
        id: "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d",
        // `model_glb` may be an OBJ file.
        glb: &["/model_urls/glb/url", "/model_glb/url"],
        input: |order| json!({ "enable_geometry": !order.is_textured }),
        ..HUNYUAN_3
    },
    Model {
        id: "fal-ai/trellis",
        image_field: "image_url",
        glb: &["/model_mesh/url"],
        input: |order| json!({ "texture_size": texture_size(order, &[512, 1024, 2048]) }),
        price: |_| Some(2),
    },
    Model {
        id: "tripo3d/tripo/v2.5/image-to-3d",
        image_field: "image_url",
        glb: &["/pbr_model/url", "/model_mesh/url", "/base_model/url"],
        input: |order| {
            json!({
                "texture": if order.is_textured { "standard" } else { "no" },
                // As for the newer versions.
                "pbr": order.is_textured,
                "face_limit": order.by_faces(10_000, 40_000, 500_000),
            })
        },
        price: unknown,
    },
    Model {
        id: "tripo3d/p1/image-to-3d",
        input: |order| {
            json!({
                "texture": order.is_textured,
                "pbr": order.is_textured,
                // It takes 48 to 20,000.
                "face_limit": order.by_faces(5_000, 20_000, 20_000),
            })
        },
        ..TRIPO_3
    },
    Model {
        id: "tripo3d/p2/image-to-3d",
        input: |order| {
            json!({
                "texture": order.is_textured,
                "pbr": order.is_textured,
                // It takes up to 50,000.
                "face_limit": order.by_faces(5_000, 40_000, 50_000),
            })
        },
        ..TRIPO_3
    },
    Model {
        id: "fal-ai/hyper3d/rodin",
        image_field: "input_image_urls[]",
        glb: &["/model_mesh/url"],
        input: |order| {
            json!({
                "geometry_file_format": "glb",
                "quality": order.by_faces("low", "medium", "high"),
            })
        },
        price: unknown,
    },
    Model {
        id: "fal-ai/hyper3d/rodin/v2.5",
        image_field: "image_urls[]",
        glb: &["/model_mesh/url"],
        input: |order| {
            json!({
                // A GLB has each quad as two triangles.
                "quality_mesh_option": match order.has_quads() {
                    true => order.by_faces("4K Quad", "18K Quad", "200K Quad"),
                    false => order.by_faces("20K Triangle", "20K Triangle", "500K Triangle"),
                },
                "material": if order.is_textured { "PBR" } else { "None" },
            })
        },
        price: |_| Some(40),
    },
    Model {
        id: "fal-ai/triposr",
        image_field: "image_url",
        glb: &["/model_mesh/url"],
        input: |_| json!({ "output_format": "glb" }),
        price: unknown,
    },
    Model {
        id: "fal-ai/pixal3d",
        image_field: "image_url",
        glb: &["/model_glb/url"],
        input: |_| json!({}),
        price: unknown,
    },
];

fn unknown(_: &Order) -> Option<Cents> {
    None
}

/// Returns a `face_count` of at least 40,000, the smallest one.
fn faces_of_hunyuan_3(order: &Order) -> u32 {
    order.by_faces(40_000, 50_000, 500_000)
}

/// Returns the smallest of a model's texture sizes that is large enough. The server shrinks larger
/// textures itself.
fn texture_size(order: &Order, sizes: &[u32]) -> u32 {
    let requested = order.parameters.texture_resolution.unwrap_or(2048);
    let size = sizes.iter().copied().find(|size| *size >= requested);
    size.unwrap_or(2048)
}
