//! What becomes of a model that was made elsewhere.
#![allow(missing_docs)]

mod support;

use std::io::Cursor;

use contract::{Parameters, PreviewMesh, Topology};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use sculpt::{Format, NoGlb, adapt, check, convert, cut_out};
use serde_json::{Value, json};
use support::{glb, json_of, textured};

/// A box of 2 × 4 × 6, whose node is turned a quarter about z, doubled and moved, with a picture of
/// that format and edge as its texture.
fn model(format: ImageFormat, edge: u32) -> Vec<u8> {
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
    let mut picture = Cursor::new(Vec::new());
    let pixels = RgbImage::from_fn(edge, edge / 2, |x, y| Rgb([x as u8, y as u8, 7]));
    DynamicImage::from(pixels)
        .write_to(&mut picture, format)
        .unwrap();
    let picture = picture.into_inner();
    let (from, length) = (bin.len(), picture.len());
    bin.extend(picture);
    bin.resize(bin.len().next_multiple_of(4), 0);
    let webp = format == ImageFormat::WebP;
    let texture = match webp {
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
    if webp {
        json["extensionsUsed"] = json!(["EXT_texture_webp"]);
        json["extensionsRequired"] = json!(["EXT_texture_webp"]);
    }
    glb(&json, bin)
}

/// The corners of the box that the model fills, as another program reads it.
fn bounds(glb: &[u8]) -> [[f32; 3]; 2] {
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

fn near(bounds: [[f32; 3]; 2], expected: [[f32; 3]; 2]) {
    let pairs = bounds.iter().flatten().zip(expected.iter().flatten());
    for (came, expected) in pairs {
        assert!((came - expected).abs() < 1e-4, "{bounds:?} {expected:?}");
    }
}

#[test]
fn its_size_and_origin_are_what_was_asked_for() {
    let model = model(ImageFormat::Png, 64);
    // A quarter turn has made its 4 the width.
    near(bounds(&model), [[2.0, 20.0, 30.0], [10.0, 24.0, 42.0]]);
    let placed = |parameters: &Parameters, view| {
        let adapted = adapt(&model, parameters, view).unwrap();
        (bounds(&adapted.glb), adapted)
    };
    let (own, _) = placed(&textured(), 0);
    near(own, [[-4.0, -2.0, -6.0], [4.0, 2.0, 6.0]]);
    let (behind, _) = placed(&textured(), 2);
    near(behind, [[-4.0, -2.0, -6.0], [4.0, 2.0, 6.0]]);
    let asked = Parameters {
        scaled_bbox: Some([1.0, 2.0, 3.0]),
        pivot_point: Some([0.0, -0.5, 0.5]),
        ..textured()
    };
    let (asked_for, adapted) = placed(&asked, 0);
    near(asked_for, [[-0.5, 0.0, -3.0], [0.5, 2.0, 0.0]]);
    assert!(adapted.unsupported.is_empty());
    // A refinement does so with the preview's model once more.
    let again = Parameters {
        scaled_bbox: Some([4.0, 4.0, 4.0]),
        ..textured()
    };
    let again = adapt(&adapted.glb, &again, 0).unwrap();
    near(bounds(&again.glb), [[-2.0; 3], [2.0; 3]]);
}

#[test]
fn a_packed_model_is_placed_by_the_bounds_that_it_names() {
    let mut json = json_of(&model(ImageFormat::Png, 64));
    for accessor in [0, 2] {
        let accessor = json["accessors"][accessor].as_object_mut().unwrap();
        accessor.remove("bufferView");
    }
    json["meshes"][0]["primitives"][0]["extensions"] =
        json!({"KHR_draco_mesh_compression": {"bufferView": 1, "attributes": {"POSITION": 0}}});
    let asked = Parameters {
        scaled_bbox: Some([1.0, 1.0, 1.0]),
        ..textured()
    };
    let packed = glb(&json, vec![0; 100_000]);
    let adapted = adapt(&packed, &asked, 0).unwrap();
    let json = json_of(&adapted.glb);
    let width = json["nodes"][2]["matrix"][0].as_f64().unwrap();
    assert!((width - 0.125).abs() < 1e-9, "{width}");
    // What is compressed is found again where the view before it is gone.
    let views = json["bufferViews"].as_array().unwrap().len();
    let draco = &json["meshes"][0]["primitives"][0]["extensions"]["KHR_draco_mesh_compression"];
    assert_eq!((views, &draco["bufferView"]), (2, &json!(0)));
    // Where not even bounds are named, it is said.
    let mut json = json;
    json["accessors"][0].as_object_mut().unwrap().remove("min");
    let unknown = adapt(&glb(&json, vec![0; 100_000]), &asked, 0).unwrap();
    assert!(unknown.unsupported.contains(&"scaled_bbox"));
}

#[test]
fn its_textures_are_no_larger_than_was_asked_for() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let model = model(format, 300);
        let asked = Parameters {
            texture_resolution: Some(128),
            ..textured()
        };
        let adapted = adapt(&model, &asked, 0).unwrap();
        assert!(adapted.unsupported.is_empty());
        let (file, _, images) = gltf::import_slice(&adapted.glb).unwrap();
        assert_eq!((images[0].width, images[0].height), (128, 64), "{format:?}");
        assert_eq!(file.extensions_required().count(), 0);
        // What is small enough stays as it is.
        let kept = adapt(&model, &textured(), 0).unwrap();
        let mime = &json_of(&kept.glb)["images"][0]["mimeType"];
        assert_eq!(mime, format.to_mime_type());
        assert!(kept.unsupported.is_empty());
        let more = Parameters {
            texture_resolution: Some(512),
            ..textured()
        };
        let more = adapt(&model, &more, 0).unwrap();
        assert_eq!(more.unsupported, ["texture_resolution"]);
    }
}

#[test]
fn without_a_texture_its_form_alone_is_left() {
    let whole = model(ImageFormat::WebP, 300);
    let adapted = adapt(&whole, &Parameters::default(), 0).unwrap();
    let json = json_of(&adapted.glb);
    assert_eq!(json["images"], Value::Null);
    assert_eq!(json["extensionsRequired"], Value::Null);
    let attributes = &json["meshes"][0]["primitives"][0]["attributes"];
    let names: Vec<_> = attributes.as_object().unwrap().keys().collect();
    assert_eq!(names, ["POSITION"]);
    let views = json["bufferViews"].as_array().unwrap().iter();
    let sizes: Vec<_> = views.map(|view| view["byteLength"].clone()).collect();
    assert_eq!(sizes, [96, 24, 4]);
    assert!(adapted.glb.len() < whole.len());
    gltf::import_slice(&adapted.glb).unwrap();
}

#[test]
fn what_cannot_be_done_is_named() {
    let asked = Parameters {
        topology: Some(Topology::Quads),
        ..textured()
    };
    let bare = adapt(&model(ImageFormat::Png, 8), &Parameters::default(), 0).unwrap();
    let adapted = adapt(&bare.glb, &asked, 0).unwrap();
    assert_eq!(adapted.unsupported, ["generate_texture", "topology"]);
    // A `turbo` model always has a texture.
    let turbo = Parameters {
        preview_mesh: Some(PreviewMesh::Turbo),
        ..Default::default()
    };
    let kept = adapt(&model(ImageFormat::Png, 8), &turbo, 0).unwrap();
    assert!(json_of(&kept.glb)["images"].is_array());
}

#[test]
fn bytes_are_judged_and_not_names() {
    let model = model(ImageFormat::Png, 8);
    assert_eq!(check(&model), Ok(()));
    for length in [0, 1, 3, 4, 11, 12, 100, model.len() - 1] {
        assert_eq!(check(&model[..length]), Err(NoGlb::Short), "{length}");
        assert!(adapt(&model[..length], &textured(), 0).is_err());
    }
    let longer = [&model[..], b"more"].concat();
    assert!(matches!(check(&longer), Err(NoGlb::Other(_))));
    for (bytes, words) in [
        (&b"PK\x03\x04"[..], "ZIP"),
        (b"Kaydara FBX Binary", "FBX"),
        (b"# made by\nmtllib a.mtl\n", "OBJ"),
        (b"{\"asset\":{}}", "JSON"),
        (b"<?xml version", "XML"),
        (b"glTF\x01\0\0\0\x14\0\0\0", "glTF 1"),
        (b"\x89PNG", "unknown"),
    ] {
        match check(bytes) {
            Err(NoGlb::Other(said)) => assert!(said.contains(words), "{said}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    // Nor does a header that lies break anything.
    for broken in [
        glb(
            &json!({"scenes": [{"nodes": [0]}], "nodes": [{"children": [0]}]}),
            vec![],
        ),
        glb(
            &json!({"scenes": 1, "nodes": "x", "meshes": [1], "images": [{"bufferView": 99}]}),
            vec![],
        ),
        glb(&json!([]), vec![]),
    ] {
        let _ = adapt(&broken, &textured(), 0);
    }
}

#[test]
fn an_object_is_cut_out_of_its_background() {
    let picture = RgbImage::from_fn(2000, 1000, |x, y| {
        match (500..1500).contains(&x) && (200..800).contains(&y) {
            true => Rgb([200, 20, 20]),
            false => Rgb([250, 250, 250]),
        }
    });
    let cut = cut_out(&picture.into(), 1024).unwrap();
    assert_eq!(cut.dimensions(), (1024, 512));
    let alpha = |x, y| cut.get_pixel(x, y)[3];
    assert!(alpha(5, 5) < 5 && alpha(512, 256) > 250);
}
