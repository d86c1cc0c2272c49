//! The conversion of imported models to other formats.

use image::ImageFormat;
use sculpt::{ConvertError, Format, can_convert, convert, import_glb};
use serde_json::json;

use super::box_model::{FORMATS, assert_converts, assert_near, bounds, model, parts, push};
use super::support::{glb, textured};

#[test]
fn converts_models_that_require_appearance_extensions() {
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
    // Other formats have no texture transform: it is applied to the texture coordinates.
    let obj = String::from_utf8(convert(&imported.glb, Format::Obj).unwrap()).unwrap();
    let lines = obj.lines().filter_map(|line| line.strip_prefix("vt "));
    let uvs: Vec<[f32; 2]> = lines
        .map(|line| {
            let (u, v) = line.split_once(' ').unwrap();
            [u.parse().unwrap(), v.parse().unwrap()]
        })
        .collect();
    // From (0, 2) and (4, 0), with v upwards as in OBJ.
    for (at, expected) in [(1, [4.5, 0.75]), (5, [0.5, 2.75])] {
        let uv = uvs[at];
        let away = [0, 1].map(|axis| f32::abs(uv[axis] - expected[axis]));
        assert!(away.iter().all(|away| *away < 1e-4), "{at}: {uv:?}");
    }
}

#[test]
fn rejects_conversion_of_packed_triangles() {
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
            let error = convert(&packed, format).unwrap_err();
            assert_eq!(error, ConvertError::UnsupportedExtension(name.to_owned()));
            assert_eq!(
                error.to_string(),
                format!(
                    "the model requires the extension {name}, which this conversion does not \
                     support"
                )
            );
        }
        assert!(!can_convert(&packed));
        let imported = import_glb(&packed, &textured(), 0).unwrap();
        assert!(!can_convert(&imported.glb));
    }
}

#[test]
fn rejects_conversion_of_contradictory_files() {
    const NO_TRIANGLES: &str = "the model has no readable triangles";
    let (json, bin) = parts(&model(ImageFormat::Png, 8));
    let length = bin.len();
    for (place, value, message) in [
        (
            "/accessors/0/count",
            json!(2),
            "a triangle of the model refers to a vertex that does not exist",
        ),
        ("/accessors/0/count", json!(0), NO_TRIANGLES),
        ("/accessors/0/type", json!("VEC2"), NO_TRIANGLES),
        ("/accessors/0/componentType", json!(5125), NO_TRIANGLES),
        (
            "/buffers/0",
            json!({"byteLength": length, "uri": "a.bin"}),
            NO_TRIANGLES,
        ),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(place).unwrap() = value;
        let broken = glb(&json, bin.clone());
        let error = convert(&broken, Format::Obj).unwrap_err();
        assert_eq!(error.to_string(), message, "{place}");
        assert!(!can_convert(&broken));
    }
    // Nodes in a circle are visited once.
    let mut json = json.clone();
    json["nodes"][1]["children"] = json!([0]);
    assert_converts(&glb(&json, bin));
}

/// The box model, whose sparse positions move one vertex from (2, 4, 6) to (20, 40, 60).
fn sparse(vertex: u16) -> Vec<u8> {
    let (mut json, mut bin) = parts(&model(ImageFormat::Png, 8));
    let from = bin.len();
    bin.extend(vertex.to_le_bytes());
    bin.extend([0; 2]);
    bin.extend([20.0f32, 40.0, 60.0].into_iter().flat_map(f32::to_le_bytes));
    for (offset, length) in [(from, 2), (from + 4, 12)] {
        push(
            &mut json["bufferViews"],
            json!({"buffer": 0, "byteOffset": offset, "byteLength": length}),
        );
    }
    json["buffers"][0]["byteLength"] = bin.len().into();
    json["accessors"][0]["sparse"] = json!({
        "count": 1,
        "indices": {"bufferView": 3, "componentType": 5123},
        "values": {"bufferView": 4},
    });
    glb(&json, bin)
}

#[test]
fn converts_sparse_positions() {
    let expected = [[-70.0, 20.0, 30.0], [10.0, 60.0, 150.0]];
    assert_near(bounds(&sparse(7)), expected);
}

#[test]
fn rejects_sparse_positions_beyond_the_vertices() {
    let error = convert(&sparse(8), Format::Obj).unwrap_err();
    assert_eq!(error, ConvertError::NoTriangles);
}

#[test]
fn converts_sparse_positions_without_a_buffer_view() {
    let (mut json, bin) = parts(&sparse(7));
    let position = json["accessors"][0].as_object_mut().unwrap();
    position.remove("bufferView");
    // All other vertices are at the origin, and the last is the largest corner.
    assert_converts(&glb(&json, bin));
}

#[test]
fn applies_sparse_replacements_of_indices() {
    let (mut json, mut bin) = parts(&model(ImageFormat::Png, 8));
    let indices = json["meshes"][0]["primitives"][0]["indices"]
        .as_u64()
        .unwrap() as usize;
    let component = json["accessors"][indices]["componentType"].clone();
    let size = if component == 5125 { 4 } else { 2 };
    let from = bin.len();
    bin.extend([0; 4]);
    // An index that no vertex has.
    bin.extend([0xff; 4]);
    for (offset, length) in [(from, 2), (from + 4, size)] {
        push(
            &mut json["bufferViews"],
            json!({"buffer": 0, "byteOffset": offset, "byteLength": length}),
        );
    }
    json["buffers"][0]["byteLength"] = bin.len().into();
    let views = json["bufferViews"].as_array().unwrap().len();
    json["accessors"][indices]["sparse"] = json!({
        "count": 1,
        "indices": {"bufferView": views - 2, "componentType": 5123},
        "values": {"bufferView": views - 1},
    });
    let error = convert(&glb(&json, bin), Format::Obj).unwrap_err();
    assert_eq!(error, ConvertError::MissingVertex);
}

#[test]
fn rejects_conversion_of_files_with_references_to_nothing() {
    let (json, bin) = parts(&model(ImageFormat::Png, 8));
    for place in ["/meshes/0/primitives/0/indices", "/scenes/0/nodes/0"] {
        let mut json = json.clone();
        *json.pointer_mut(place).unwrap() = json!(99);
        let broken = glb(&json, bin.clone());
        let error = convert(&broken, Format::Obj).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model file is not valid glTF",
            "{place}"
        );
        assert!(!can_convert(&broken));
    }
}
