//! The conversion of imported models to other formats.

use image::ImageFormat;
use sculpt::{ConvertError, Format, can_convert, convert, import_glb};
use serde_json::json;

use super::box_model::{FORMATS, assert_converts, model, parts, push};
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
