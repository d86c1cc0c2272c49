//! What becomes of a model that was made elsewhere.
#![allow(missing_docs)]

mod support;

use std::io::{Cursor, Read};

use contract::{Parameters, PreviewMesh, Topology};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use sculpt::{Format, GlbError, can_convert, check_glb, convert, import_glb, remove_background};
use serde_json::{Value, json};
use support::{glb, json_of, keep, sample, sculpt, textured};

/// A model with a picture of that format and edge as its texture.
fn model(format: ImageFormat, edge: u32) -> Vec<u8> {
    let pixels = RgbImage::from_fn(edge, edge / 2, |x, y| Rgb([x as u8, y as u8, 7]));
    wearing(&pixels.into(), format)
}

/// A box of 2 × 4 × 6, whose node is turned a quarter about z, doubled and moved, with this picture as
/// its texture.
fn wearing(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
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
    let picture = file(pixels, format);
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

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A file's JSON, and all that is not JSON in it.
fn parts(glb: &[u8]) -> (Value, Vec<u8>) {
    let bin = gltf::Glb::from_slice(glb).unwrap().bin.unwrap();
    (json_of(glb), bin.into_owned())
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().unwrap().push(item);
}

const FORMATS: [Format; 3] = [Format::Obj, Format::Zip, Format::Stl];

#[track_caller]
fn assert_converts(glb: &[u8]) {
    for format in FORMATS {
        convert(glb, format).unwrap();
    }
    assert!(can_convert(glb));
}

/// A file in the zip that is written from a model.
fn zipped(glb: &[u8], name: &str) -> Vec<u8> {
    let zip = convert(glb, Format::Zip).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
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
        let imported = import_glb(&model, parameters, view).unwrap();
        (bounds(&imported.glb), imported)
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
    let (asked_for, imported) = placed(&asked, 0);
    near(asked_for, [[-0.5, 0.0, -3.0], [0.5, 2.0, 0.0]]);
    assert!(imported.unsupported.is_empty());
    // A refinement does so with the preview's model once more.
    let again = Parameters {
        scaled_bbox: Some([4.0, 4.0, 4.0]),
        ..textured()
    };
    let again = import_glb(&imported.glb, &again, 0).unwrap();
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
    let imported = import_glb(&packed, &asked, 0).unwrap();
    let json = json_of(&imported.glb);
    let width = json["nodes"][2]["matrix"][0].as_f64().unwrap();
    assert!((width - 0.125).abs() < 1e-9, "{width}");
    // What is compressed is found again where the view before it is gone.
    let views = json["bufferViews"].as_array().unwrap().len();
    let draco = &json["meshes"][0]["primitives"][0]["extensions"]["KHR_draco_mesh_compression"];
    assert_eq!((views, &draco["bufferView"]), (2, &json!(0)));
    // Where not even bounds are named, it is said.
    let mut json = json;
    json["accessors"][0].as_object_mut().unwrap().remove("min");
    let unknown = import_glb(&glb(&json, vec![0; 100_000]), &asked, 0).unwrap();
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
        let imported = import_glb(&model, &asked, 0).unwrap();
        assert!(imported.unsupported.is_empty());
        let (file, _, images) = gltf::import_slice(&imported.glb).unwrap();
        assert_eq!((images[0].width, images[0].height), (128, 64), "{format:?}");
        assert_eq!(file.extensions_required().count(), 0);
        // What is small enough stays as it is, but for WebP.
        let kept = import_glb(&model, &textured(), 0).unwrap();
        let (file, _, images) = gltf::import_slice(&kept.glb).unwrap();
        assert_eq!(
            (images[0].width, images[0].height),
            (300, 150),
            "{format:?}"
        );
        assert_eq!(file.extensions_required().count(), 0);
        let mime = &json_of(&kept.glb)["images"][0]["mimeType"];
        let expected = match format {
            ImageFormat::WebP => ImageFormat::Jpeg,
            other => other,
        };
        assert_eq!(mime, expected.to_mime_type());
        assert!(kept.unsupported.is_empty());
        let more = Parameters {
            texture_resolution: Some(512),
            ..textured()
        };
        let more = import_glb(&model, &more, 0).unwrap();
        assert_eq!(more.unsupported, ["texture_resolution"]);
    }
}

#[test]
fn a_texture_in_webp_becomes_one_that_all_programs_read() {
    let opaque = DynamicImage::from(RgbaImage::from_fn(40, 30, |x, y| {
        Rgba([90, 3 * x as u8, 5 * y as u8, 255])
    }));
    let mut clear = opaque.to_rgba8();
    clear.put_pixel(7, 7, Rgba([0, 200, 0, 254]));
    for (picture, use_, media_type, name) in [
        (
            opaque.clone(),
            "baseColorTexture",
            "image/jpeg",
            "texture.jpg",
        ),
        (clear.into(), "baseColorTexture", "image/png", "texture.png"),
        (opaque, "normalTexture", "image/png", "texture.png"),
    ] {
        let (mut json, bin) = parts(&wearing(&picture, ImageFormat::WebP));
        if use_ == "normalTexture" {
            json["materials"] = json!([{"normalTexture": {"index": 0}}]);
        }
        let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
        assert!(imported.unsupported.is_empty());
        let (mut json, bin) = parts(&imported.glb);
        assert_eq!(json["images"][0]["mimeType"], media_type);
        assert_eq!(json["textures"], json!([{"source": 0}]));
        assert_eq!(json["extensionsUsed"], Value::Null);
        assert_eq!(json["extensionsRequired"], Value::Null);
        assert_converts(&imported.glb);
        // The zip's is the one that is seen.
        json["materials"] = json!([{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]);
        let read = image::load_from_memory(&zipped(&glb(&json, bin), name)).unwrap();
        let (read, picture) = (read.to_rgba8(), picture.to_rgba8());
        let pairs = read.iter().zip(picture.iter());
        let most = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        let exact = media_type == "image/png";
        assert!(most <= if exact { 0 } else { 12 }, "{use_}: {most}");
    }
}

#[test]
fn where_a_texture_is_there_in_png_too_its_webp_goes() {
    let (mut json, mut bin) = parts(&model(ImageFormat::WebP, 300));
    let other = file(&RgbImage::new(16, 16).into(), ImageFormat::Png);
    json["textures"][0]["source"] = 1.into();
    push(
        &mut json["images"],
        json!({"bufferView": 3, "mimeType": "image/png"}),
    );
    push(
        &mut json["bufferViews"],
        json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": other.len()}),
    );
    bin.extend(&other);
    json["buffers"][0]["byteLength"] = bin.len().into();
    let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
    let json = json_of(&imported.glb);
    assert_eq!(json["extensionsUsed"], Value::Null);
    assert_eq!(json["extensionsRequired"], Value::Null);
    assert_eq!(json["textures"][0]["extensions"], Value::Null);
    // Nothing of it takes room any more.
    assert_eq!(json["bufferViews"].as_array().unwrap().len(), 3);
    assert!(zipped(&imported.glb, "texture.png") == other);
    assert_converts(&imported.glb);
}

#[test]
fn a_webp_that_cannot_be_read_keeps_its_extension() {
    let (json, mut bin) = parts(&model(ImageFormat::WebP, 300));
    let from = json["bufferViews"][2]["byteOffset"].as_u64().unwrap() as usize;
    bin[from..].fill(0);
    let asked = Parameters {
        texture_resolution: Some(128),
        ..textured()
    };
    let imported = import_glb(&glb(&json, bin), &asked, 0).unwrap();
    assert_eq!(imported.unsupported, ["texture_resolution"]);
    let json = json_of(&imported.glb);
    assert_eq!(json["extensionsRequired"], json!(["EXT_texture_webp"]));
    assert_converts(&imported.glb);
}

#[test]
fn a_whole_model_in_webp_becomes_a_valid_one() {
    let (mut json, mut bin) = parts(&sculpt(&sample("cat.webp"), &textured()).unwrap());
    let picture = file(&sample("cat.webp").thumbnail(512, 512), ImageFormat::WebP);
    let view = json["images"][0]["bufferView"].as_u64().unwrap() as usize;
    json["images"][0]["mimeType"] = "image/webp".into();
    json["textures"][0] = json!({"extensions": {"EXT_texture_webp": {"source": 0}}, "sampler": 0});
    for name in ["extensionsUsed", "extensionsRequired"] {
        json[name] = json!(["EXT_texture_webp"]);
    }
    json["bufferViews"][view]["byteOffset"] = bin.len().into();
    json["bufferViews"][view]["byteLength"] = picture.len().into();
    bin.extend(picture);
    bin.resize(bin.len().next_multiple_of(4), 0);
    json["buffers"][0]["byteLength"] = bin.len().into();
    let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
    gltf::import_slice(&imported.glb).unwrap();
    assert_converts(&imported.glb);
    keep("foreign-webp", &imported.glb);
}

#[test]
fn what_a_file_requires_for_its_look_hinders_no_other_format() {
    let (mut json, bin) = parts(&model(ImageFormat::Png, 8));
    json["extensionsRequired"] = json!([
        "KHR_materials_unlit",
        "KHR_texture_basisu",
        "KHR_texture_transform",
        "VENDOR_anything",
    ]);
    json["extensionsUsed"] = json["extensionsRequired"].clone();
    push(
        &mut json["textures"],
        json!({"extensions": {"KHR_texture_basisu": {"source": 0}}}),
    );
    json["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["extensions"] = json!({
        "KHR_texture_transform": {
            "offset": [0.5, 0.25], "rotation": std::f64::consts::FRAC_PI_2, "scale": [0.5, 2.0],
        },
    });
    let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
    assert_converts(&imported.glb);
    // The other formats have the places where the texture's own ones are moved to.
    let obj = String::from_utf8(convert(&imported.glb, Format::Obj).unwrap()).unwrap();
    let lines = obj.lines().filter_map(|line| line.strip_prefix("vt "));
    let places: Vec<[f32; 2]> = lines
        .map(|line| {
            let (u, v) = line.split_once(' ').unwrap();
            [u.parse().unwrap(), v.parse().unwrap()]
        })
        .collect();
    // From (0, 2) and (4, 0), with v upwards as OBJ has it.
    for (at, expected) in [(1, [4.5, 0.75]), (5, [0.5, 2.75])] {
        let place = places[at];
        let away = [0, 1].map(|axis| f32::abs(place[axis] - expected[axis]));
        assert!(away.iter().all(|away| *away < 1e-4), "{at}: {place:?}");
    }
}

/// A model whose places are 16-bit numbers, in parts of 1 or whole.
fn quantized(is_normalised: bool) -> Vec<u8> {
    let (mut json, mut bin) = parts(&model(ImageFormat::Png, 8));
    let from = bin.len();
    for at in 0..8 {
        for axis in [0, 1, 2, 8] {
            let number: i16 = if at >> axis & 1 == 1 { i16::MAX } else { 0 };
            bin.extend(number.to_le_bytes());
        }
    }
    push(
        &mut json["bufferViews"],
        json!({"buffer": 0, "byteOffset": from, "byteLength": 64, "byteStride": 8}),
    );
    json["buffers"][0]["byteLength"] = bin.len().into();
    push(
        &mut json["accessors"],
        json!({
            "bufferView": 3, "componentType": 5122, "count": 8, "type": "VEC3",
            "normalized": is_normalised, "min": [0, 0, 0], "max": [32767, 32767, 32767],
        }),
    );
    json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = 3.into();
    let one = if is_normalised { 1.0 } else { 32767.0 };
    json["nodes"][1]["scale"] = json!([4.0 / one, 8.0 / one, 12.0 / one]);
    for name in ["extensionsUsed", "extensionsRequired"] {
        json[name] = json!(["KHR_mesh_quantization"]);
    }
    glb(&json, bin)
}

#[test]
fn a_quantized_model_is_placed_and_converted_as_any() {
    for is_normalised in [true, false] {
        let model = quantized(is_normalised);
        near(bounds(&model), [[2.0, 20.0, 30.0], [10.0, 24.0, 42.0]]);
        let asked = Parameters {
            scaled_bbox: Some([1.0, 2.0, 3.0]),
            pivot_point: Some([0.0, -0.5, 0.5]),
            ..textured()
        };
        let imported = import_glb(&model, &asked, 0).unwrap();
        assert!(imported.unsupported.is_empty());
        near(bounds(&imported.glb), [[-0.5, 0.0, -3.0], [0.5, 2.0, 0.0]]);
        assert_converts(&imported.glb);
        // Where they are compressed as well, the bounds that the file names are in the same numbers.
        let (mut json, bin) = parts(&model);
        json["bufferViews"][3]["extensions"] = json!({"EXT_meshopt_compression": {}});
        let packed = import_glb(&glb(&json, bin), &asked, 0).unwrap();
        let matrices = [&imported.glb, &packed.glb].map(|glb| json_of(glb)["nodes"][2].clone());
        assert_eq!(matrices[0]["matrix"], matrices[1]["matrix"]);
    }
}

#[test]
fn what_has_its_triangles_packed_is_refused_by_name() {
    let (json, bin) = parts(&model(ImageFormat::Png, 8));
    for name in [
        "EXT_mesh_gpu_instancing",
        "EXT_meshopt_compression",
        "KHR_draco_mesh_compression",
        "KHR_meshopt_compression",
    ] {
        let mut json = json.clone();
        json["extensionsRequired"] = json!(["KHR_materials_unlit", name]);
        let packed = glb(&json, bin.clone());
        for format in FORMATS {
            let reason = convert(&packed, format).unwrap_err();
            assert!(reason.contains(name), "{reason}");
        }
        assert!(!can_convert(&packed));
        let imported = import_glb(&packed, &textured(), 0).unwrap();
        assert!(!can_convert(&imported.glb));
    }
}

#[test]
fn what_contradicts_itself_has_no_other_format() {
    let (json, bin) = parts(&model(ImageFormat::Png, 8));
    let length = bin.len();
    for (place, value, words) in [
        ("/accessors/0/count", json!(2), "corner"),
        ("/accessors/0/count", json!(0), "no triangles"),
        ("/accessors/0/type", json!("VEC2"), "no triangles"),
        ("/accessors/0/componentType", json!(5125), "no triangles"),
        (
            "/buffers/0",
            json!({"byteLength": length, "uri": "a.bin"}),
            "no triangles",
        ),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(place).unwrap() = value;
        let broken = glb(&json, bin.clone());
        let reason = convert(&broken, Format::Obj).unwrap_err();
        assert!(reason.contains(words), "{place}: {reason}");
        assert!(!can_convert(&broken));
    }
    // A circle is gone round once.
    let mut json = json.clone();
    json["nodes"][1]["children"] = json!([0]);
    assert_converts(&glb(&json, bin));
}

#[test]
fn without_a_texture_its_form_alone_is_left() {
    let whole = model(ImageFormat::WebP, 300);
    let imported = import_glb(&whole, &Parameters::default(), 0).unwrap();
    let json = json_of(&imported.glb);
    assert_eq!(json["images"], Value::Null);
    assert_eq!(json["extensionsRequired"], Value::Null);
    let attributes = &json["meshes"][0]["primitives"][0]["attributes"];
    let names: Vec<_> = attributes.as_object().unwrap().keys().collect();
    assert_eq!(names, ["POSITION"]);
    let views = json["bufferViews"].as_array().unwrap().iter();
    let sizes: Vec<_> = views.map(|view| view["byteLength"].clone()).collect();
    assert_eq!(sizes, [96, 24, 4]);
    assert!(imported.glb.len() < whole.len());
    gltf::import_slice(&imported.glb).unwrap();
}

#[test]
fn what_cannot_be_done_is_named() {
    let asked = Parameters {
        topology: Some(Topology::Quads),
        ..textured()
    };
    let bare = import_glb(&model(ImageFormat::Png, 8), &Parameters::default(), 0).unwrap();
    let imported = import_glb(&bare.glb, &asked, 0).unwrap();
    assert_eq!(imported.unsupported, ["generate_texture", "topology"]);
    // A `turbo` model always has a texture.
    let turbo = Parameters {
        preview_mesh: Some(PreviewMesh::Turbo),
        ..Default::default()
    };
    let kept = import_glb(&model(ImageFormat::Png, 8), &turbo, 0).unwrap();
    assert!(json_of(&kept.glb)["images"].is_array());
}

#[test]
fn bytes_are_judged_and_not_names() {
    let model = model(ImageFormat::Png, 8);
    assert_eq!(check_glb(&model), Ok(()));
    for length in [0, 1, 3, 4, 11, 12, 100, model.len() - 1] {
        assert_eq!(
            check_glb(&model[..length]),
            Err(GlbError::Truncated),
            "{length}"
        );
        assert!(import_glb(&model[..length], &textured(), 0).is_err());
    }
    let longer = [&model[..], b"more"].concat();
    assert_eq!(check_glb(&longer), Err(GlbError::TrailingBytes(4)));
    for (bytes, message) in [
        (
            &b"PK\x03\x04"[..],
            "the model file is a ZIP archive, not a GLB",
        ),
        (
            b"Kaydara FBX Binary",
            "the model file is an FBX file, not a GLB",
        ),
        (
            b"# made by\nmtllib a.mtl\n",
            "the model file is an OBJ file, not a GLB",
        ),
        (b"{\"asset\":{}}", "the model file is JSON, not a GLB"),
        (b"<?xml version", "the model file is HTML or XML, not a GLB"),
        (
            b"glTF\x01\0\0\0\x14\0\0\0",
            "the model file is glTF 1: expected glTF 2",
        ),
        (
            b"\x89PNG",
            "the model file is in an unknown format, not a GLB",
        ),
    ] {
        assert_eq!(check_glb(bytes).unwrap_err().to_string(), message);
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
        let _ = import_glb(&broken, &textured(), 0);
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
    let cut = remove_background(&picture.into(), 1024).unwrap();
    assert_eq!(cut.dimensions(), (1024, 512));
    let alpha = |x, y| cut.get_pixel(x, y)[3];
    assert!(alpha(5, 5) < 5 && alpha(512, 256) > 250);
}
