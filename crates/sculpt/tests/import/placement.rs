//! The size, origin and rotation of imported models.

use contract::Parameters;
use image::ImageFormat;
use sculpt::import_glb;
use serde_json::json;

use super::box_model::{assert_converts, assert_near, bounds, model, parts, push};
use super::support::{glb, json_of, textured};

#[test]
fn applies_scaled_bbox_and_pivot_point() {
    let model = model(ImageFormat::Png, 64);
    // Its node rotates it by a quarter turn about z: the edge of 4 is the width.
    assert_near(bounds(&model), [[2.0, 20.0, 30.0], [10.0, 24.0, 42.0]]);
    let placed = |parameters: &Parameters, view| {
        let imported = import_glb(&model, parameters, view).unwrap();
        (bounds(&imported.glb), imported)
    };
    let (unchanged, _) = placed(&textured(), 0);
    assert_near(unchanged, [[-4.0, -2.0, -6.0], [4.0, 2.0, 6.0]]);
    let (behind, _) = placed(&textured(), 2);
    assert_near(behind, [[-4.0, -2.0, -6.0], [4.0, 2.0, 6.0]]);
    let requested = Parameters {
        scaled_bbox: Some([1.0, 2.0, 3.0]),
        pivot_point: Some([0.0, -0.5, 0.5]),
        ..textured()
    };
    let (in_box, imported) = placed(&requested, 0);
    assert_near(in_box, [[-0.5, 0.0, -3.0], [0.5, 2.0, 0.0]]);
    assert!(imported.unsupported.is_empty());
    // A refinement imports the preview's model again.
    let again = Parameters {
        scaled_bbox: Some([4.0, 4.0, 4.0]),
        ..textured()
    };
    let again = import_glb(&imported.glb, &again, 0).unwrap();
    assert_near(bounds(&again.glb), [[-2.0; 3], [2.0; 3]]);
}

#[test]
fn places_compressed_models_by_their_declared_bounds() {
    let mut json = json_of(&model(ImageFormat::Png, 64));
    for accessor in [0, 2] {
        let accessor = json["accessors"][accessor].as_object_mut().unwrap();
        accessor.remove("bufferView");
    }
    json["meshes"][0]["primitives"][0]["extensions"] =
        json!({"KHR_draco_mesh_compression": {"bufferView": 1, "attributes": {"POSITION": 0}}});
    let requested = Parameters {
        scaled_bbox: Some([1.0, 1.0, 1.0]),
        ..textured()
    };
    let compressed = glb(&json, vec![0; 100_000]);
    let imported = import_glb(&compressed, &requested, 0).unwrap();
    let json = json_of(&imported.glb);
    let width = json["nodes"][2]["matrix"][0].as_f64().unwrap();
    assert!((width - 0.125).abs() < 1e-9, "{width}");
    // The reference to the compressed data follows it when views before it are left out.
    let views = json["bufferViews"].as_array().unwrap().len();
    let draco = &json["meshes"][0]["primitives"][0]["extensions"]["KHR_draco_mesh_compression"];
    assert_eq!((views, &draco["bufferView"]), (2, &json!(0)));
    // Without declared bounds nothing can be done.
    let mut json = json;
    json["accessors"][0].as_object_mut().unwrap().remove("min");
    let unknown = import_glb(&glb(&json, vec![0; 100_000]), &requested, 0).unwrap();
    assert!(unknown.unsupported.contains(&"scaled_bbox"));
}

/// Whether stored integers mean numbers from -1 to 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Integers {
    Normalized,
    Plain,
}

/// The box model with 16-bit integers as positions (`KHR_mesh_quantization`).
fn quantized(integers: Integers) -> Vec<u8> {
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
            "normalized": integers == Integers::Normalized, "min": [0, 0, 0], "max": [32767, 32767, 32767],
        }),
    );
    json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = 3.into();
    let unit = match integers {
        Integers::Normalized => 1.0,
        Integers::Plain => 32767.0,
    };
    json["nodes"][1]["scale"] = json!([4.0 / unit, 8.0 / unit, 12.0 / unit]);
    for name in ["extensionsUsed", "extensionsRequired"] {
        json[name] = json!(["KHR_mesh_quantization"]);
    }
    glb(&json, bin)
}

#[test]
fn places_and_converts_quantized_models() {
    for integers in [Integers::Normalized, Integers::Plain] {
        let model = quantized(integers);
        assert_near(bounds(&model), [[2.0, 20.0, 30.0], [10.0, 24.0, 42.0]]);
        let requested = Parameters {
            scaled_bbox: Some([1.0, 2.0, 3.0]),
            pivot_point: Some([0.0, -0.5, 0.5]),
            ..textured()
        };
        let imported = import_glb(&model, &requested, 0).unwrap();
        assert!(imported.unsupported.is_empty());
        assert_near(bounds(&imported.glb), [[-0.5, 0.0, -3.0], [0.5, 2.0, 0.0]]);
        assert_converts(&imported.glb);
        // If they are compressed too, the declared bounds count, which are stored in the same way.
        let (mut json, bin) = parts(&model);
        json["bufferViews"][3]["extensions"] = json!({"EXT_meshopt_compression": {}});
        let compressed = import_glb(&glb(&json, bin), &requested, 0).unwrap();
        let matrices = [&imported.glb, &compressed.glb].map(|glb| json_of(glb)["nodes"][2].clone());
        assert_eq!(matrices[0]["matrix"], matrices[1]["matrix"]);
    }
}
