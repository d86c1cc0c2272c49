//! A model as a remote engine might make it: a box with a texture.

use std::io::{Cursor, Read};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use sculpt::{Format, can_convert, convert};
use serde_json::{Value, json};

use super::support::{glb, json_of};

/// Returns the box with a texture of this format and width, and half that height.
pub fn model(format: ImageFormat, edge: u32) -> Vec<u8> {
    let pixels = RgbImage::from_fn(edge, edge / 2, |x, y| Rgb([x as u8, y as u8, 7]));
    with_texture(&pixels.into(), format)
}

/// Returns a box of 2 × 4 × 6, which its node rotates by a quarter turn about z, doubles and moves, with
/// this texture.
pub fn with_texture(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bin = Vec::new();
    let corner = |at: u32| [at & 1, at >> 1 & 1, at >> 2 & 1].map(|bit| bit as f32);
    for at in 0..8 {
        let [x, y, z] = corner(at);
        for number in [2.0 * x, 4.0 * y, 6.0 * z] {
            bin.extend(f32::to_le_bytes(number));
        }
    }
    let triangles: [u16; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 3, 7];
    bin.extend(triangles.iter().flat_map(|at| at.to_le_bytes()));
    let texture_file = encode(pixels, format);
    let (from, length) = (bin.len(), texture_file.len());
    bin.extend(texture_file);
    bin.resize(bin.len().next_multiple_of(4), 0);
    let is_webp = format == ImageFormat::WebP;
    let texture = match is_webp {
        true => json!({"extensions": {"EXT_texture_webp": {"source": 0}}}),
        false => json!({"source": 0}),
    };
    let mut json = json!({
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1], "translation": [10, 20, 30]},
            {"mesh": 0, "scale": [2, 2, 2], "rotation": [0, 0, 0.5f64.sqrt(), 0.5f64.sqrt()]},
        ],
        "meshes": [{"primitives": [
            {"attributes": {"POSITION": 0, "TEXCOORD_0": 2, "COLOR_0": 0}, "indices": 1, "material": 0},
        ]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [texture],
        "images": [{"bufferView": 2, "mimeType": format.to_mime_type()}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3",
             "min": [0, 0, 0], "max": [2, 4, 6]},
            {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"},
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC2"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 96},
            {"buffer": 0, "byteOffset": 96, "byteLength": 24},
            {"buffer": 0, "byteOffset": from, "byteLength": length},
        ],
        "buffers": [{"byteLength": bin.len()}],
    });
    if is_webp {
        json["extensionsUsed"] = json!(["EXT_texture_webp"]);
        json["extensionsRequired"] = json!(["EXT_texture_webp"]);
    }
    glb(&json, bin)
}

pub fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// Returns the JSON and the binary chunk of a GLB file.
pub fn parts(glb: &[u8]) -> (Value, Vec<u8>) {
    let bin = gltf::Glb::from_slice(glb).unwrap().bin.unwrap();
    (json_of(glb), bin.into_owned())
}

pub fn push(list: &mut Value, item: Value) {
    list.as_array_mut().unwrap().push(item);
}

pub const FORMATS: [Format; 5] = [
    Format::Obj,
    Format::Zip,
    Format::Stl,
    Format::ThreeMf,
    Format::Usdz,
];

#[track_caller]
pub fn assert_converts(glb: &[u8]) {
    for format in FORMATS {
        convert(glb, format).unwrap();
    }
    assert!(can_convert(glb));
}

/// Returns a file of the ZIP archive that a model is converted to.
pub fn zipped(glb: &[u8], name: &str) -> Vec<u8> {
    let zip = convert(glb, Format::Zip).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Returns the lowest and the highest corner of the bounding box, as OBJ has it.
pub fn bounds(glb: &[u8]) -> [[f32; 3]; 2] {
    let obj = String::from_utf8(convert(glb, Format::Obj).unwrap()).unwrap();
    let mut bounds = [[f32::INFINITY; 3], [f32::NEG_INFINITY; 3]];
    for line in obj.lines().filter_map(|line| line.strip_prefix("v ")) {
        for (axis, number) in line.split(' ').enumerate() {
            let number: f32 = number.parse().unwrap();
            bounds[0][axis] = bounds[0][axis].min(number);
            bounds[1][axis] = bounds[1][axis].max(number);
        }
    }
    bounds
}

pub fn assert_near(bounds: [[f32; 3]; 2], expected: [[f32; 3]; 2]) {
    let pairs = bounds.iter().flatten().zip(expected.iter().flatten());
    for (actual, expected) in pairs {
        assert!((actual - expected).abs() < 1e-4, "{bounds:?} {expected:?}");
    }
}
