//! The simplification of imported models for `low_poly`.

use contract::Parameters;
use glam::Vec3;
use sculpt::import_glb;
use serde_json::{Value, json};

use super::support::{Model, glb, json_of, keep};
use super::textured_ring::{
    Ring, TextureError, assert_closed, bytes_of, low_poly, normal_agreement, outline_overlap,
    simplified, texture_error,
};

#[test]
fn keeps_shape_and_texture() {
    let original = Ring::new().glb();
    let before = Model::read(&original);
    before.assert_solid("before");
    let (imported, model) = simplified(&original);
    assert!(
        imported.unsupported.is_empty(),
        "{:?}",
        imported.unsupported
    );
    keep("imported-low-poly", &imported.glb);
    let faces = model.triangles.len();
    let TextureError { mean, max } = texture_error(&model);
    let overlap = outline_overlap(&before, &model);
    println!(
        "{} faces of {}, {} vertices of {}, {} bytes of {}; texture error {:.3} %, at most {:.3} %; \
         outline overlap {overlap:.4?}; normal agreement {:.4} of {:.4}",
        faces,
        before.triangles.len(),
        model.positions.len(),
        before.positions.len(),
        imported.glb.len(),
        original.len(),
        100.0 * mean,
        100.0 * max,
        normal_agreement(&model),
        normal_agreement(&before),
    );
    assert!((4_000..=5_500).contains(&faces), "{faces}");
    assert_closed(&model);
    assert!(mean < 0.0015 && max < 0.01, "{mean} {max}");
    assert!(overlap.iter().all(|part| *part > 0.99), "{overlap:?}");
    assert!(normal_agreement(&model) > 0.93);
    let (json, json_before) = (json_of(&imported.glb), json_of(&original));
    for name in ["materials", "textures"] {
        assert_eq!(json[name], json_before[name]);
    }
    assert_eq!(model.texture.unwrap(), before.texture.unwrap());
    assert!(imported.glb.len() < original.len() / 4);
}

#[test]
fn averages_the_normals_of_flat_shaded_models() {
    let (mut json, bin) = Ring::new().flat_shaded().file();
    // Without indices every three vertices are a face.
    let primitive = json["meshes"][0]["primitives"][0].as_object_mut().unwrap();
    primitive.remove("indices");
    let imported = import_glb(&glb(&json, bin), &low_poly(), 0).unwrap();
    assert!(imported.unsupported.is_empty());
    keep("imported-flat-shaded-low-poly", &imported.glb);
    let model = Model::read(&imported.glb);
    println!(
        "{} faces; {:?}, normal agreement {}",
        model.triangles.len(),
        texture_error(&model),
        normal_agreement(&model)
    );
    assert!(model.triangles.len() <= 5_500);
    assert!(texture_error(&model).max < 0.01);
    assert!(
        normal_agreement(&model) > 0.93,
        "{}",
        normal_agreement(&model)
    );
}

/// Returns the ring in primitives of this many faces, each with its own vertices and with the smallest
/// type of indices.
fn split(ring: &Ring, faces: usize) -> Vec<u8> {
    let (mut json, mut bin) = ring.file();
    let texture = json["bufferViews"][4].clone();
    let (mut views, mut accessors, mut primitives) = (vec![texture], Vec::new(), Vec::new());
    let mut accessor = |bytes: Vec<u8>, count: usize, kind: &str, component: u32| {
        let mut view = json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": bytes.len()});
        if component == 5121 && kind == "VEC3" {
            view["byteStride"] = 4.into();
        }
        accessors.push(
            json!({"bufferView": views.len(), "componentType": component,
            "normalized": kind != "SCALAR" && component != 5126, "count": count, "type": kind,
            "min": vec![-2; 3], "max": vec![2; 3]}),
        );
        views.push(view);
        bin.extend(bytes);
        bin.resize(bin.len().next_multiple_of(4), 0);
        accessors.len() - 1
    };
    for corners in ring.corners.chunks(3 * faces) {
        let first = *corners.iter().min().unwrap();
        let of = first as usize..=*corners.iter().max().unwrap() as usize;
        let count = of.clone().count();
        let corners = corners.iter().map(|at| at - first);
        let (corners, size) = match count < 256 {
            true => (corners.map(|at| at as u8).collect(), 5121),
            false => (
                corners.flat_map(|at| (at as u16).to_le_bytes()).collect(),
                5123,
            ),
        };
        let colors = ring.positions[of.clone()].iter();
        // Three bytes and one of padding.
        let colors = colors.flat_map(|point| color(*point).into_iter().chain([0]));
        let mut vectors = |numbers: Vec<u8>, kind| accessor(numbers, count, kind, 5126);
        let positions = vectors(bytes_of(&ring.positions[of.clone()]), "VEC3");
        let normals = vectors(bytes_of(&ring.normals[of.clone()]), "VEC3");
        let uvs = vectors(bytes_of(&ring.uvs[of]), "VEC2");
        let colors = accessor(colors.collect(), count, "VEC3", 5121);
        primitives.push(json!({
            "attributes": {
                "POSITION": positions, "NORMAL": normals, "TEXCOORD_0": uvs, "COLOR_0": colors,
            },
            "indices": accessor(corners, 3 * faces, "SCALAR", size),
            "material": 0,
        }));
    }
    // `min` and `max` have three numbers, as only positions have.
    for (at, accessor) in accessors.iter_mut().enumerate() {
        let fields = accessor.as_object_mut().unwrap();
        fields.retain(|name, _| at % 5 == 0 || (name != "min" && name != "max"));
    }
    json["meshes"][0]["primitives"] = primitives.into();
    json["accessors"] = accessors.into();
    json["bufferViews"] = views.into();
    json["images"][0]["bufferView"] = 0.into();
    json["buffers"][0]["byteLength"] = bin.len().into();
    glb(&json, bin)
}

/// Reads all primitives of a file as one model, and asserts the colors of their vertices.
fn joined(glb: &[u8]) -> Model {
    let (document, buffers, _) = gltf::import_slice(glb).unwrap();
    let mut joined = Model::read(glb);
    (joined.positions, joined.triangles) = (Vec::new(), Vec::new());
    for primitive in document.meshes().flat_map(|mesh| mesh.primitives()) {
        let reader = primitive.reader(|buffer| Some(&buffers[buffer.index()]));
        let first = joined.positions.len();
        joined.positions.extend(reader.read_positions().unwrap());
        let corners: Vec<u32> = reader.read_indices().unwrap().into_u32().collect();
        let faces = corners.chunks_exact(3);
        let faces = faces.map(|face| [0, 1, 2].map(|at| first as u32 + face[at]));
        joined.triangles.extend(faces);
        let colors = reader.read_colors(0).unwrap().into_rgb_u8();
        for (actual, position) in colors.zip(&joined.positions[first..]) {
            assert_eq!(actual, color(Vec3::from(*position)));
        }
    }
    joined
}

#[test]
fn keeps_the_parts_of_a_model_joined() {
    let imported = import_glb(&split(&Ring::new(), 24_000), &low_poly(), 0).unwrap();
    assert!(imported.unsupported.is_empty());
    keep("imported-parts-low-poly", &imported.glb);
    let model = joined(&imported.glb);
    let faces = model.triangles.len();
    assert!((4_000..=5_500).contains(&faces), "{faces}");
    assert_closed(&model);
}

#[test]
fn reports_models_that_need_more_faces() {
    // The borders of this many parts alone need more than 10,000 faces.
    let imported = import_glb(&split(&Ring::new(), 200), &low_poly(), 0).unwrap();
    assert_eq!(imported.unsupported, ["resolution"]);
    keep("imported-many-parts-low-poly", &imported.glb);
    let model = joined(&imported.glb);
    let faces = model.triangles.len();
    assert!((10_000..24_000).contains(&faces), "{faces}");
    assert_closed(&model);
}

/// Returns a different color for each point, which survives the centering of the model.
fn color(point: Vec3) -> [u8; 3] {
    point.to_array().map(|x| (100.0 + 50.0 * x) as u8)
}

#[test]
fn leaves_no_seams_without_a_texture() {
    let untextured = Parameters {
        generate_texture: None,
        ..low_poly()
    };
    let imported = import_glb(&Ring::new().glb(), &untextured, 0).unwrap();
    keep("imported-untextured-low-poly", &imported.glb);
    let model = Model::read(&imported.glb);
    assert!(imported.unsupported.is_empty() && model.uvs.is_empty());
    assert_closed(&model);
    // A closed surface like a ring has half as many vertices as faces; seams would add vertices.
    assert!(model.positions.len() <= model.triangles.len() / 2);
    // A model that has few faces already stays as it is.
    let again = Model::read(&import_glb(&imported.glb, &untextured, 0).unwrap().glb);
    assert_eq!(
        (again.positions, again.triangles),
        (model.positions, model.triangles)
    );
}

/// Tests that an import leaves the ring's triangles as they are after `change`, and says so.
macro_rules! leaves_unchanged {
    ($($name:ident: |$json:ident, $bin:ident| $change:expr;)*) => {
        mod leaves_unchanged {
            use super::*;

            $(
                #[test]
                fn $name() {
                    #[allow(unused_mut)]
                    let (mut $json, mut $bin) = Ring::new().file();
                    $change;
                    assert_unchanged(&$json, $bin);
                }
            )*
        }
    };
}

fn assert_unchanged(json: &Value, bin: Vec<u8>) {
    let imported = import_glb(&glb(json, bin), &low_poly(), 0).unwrap();
    assert_eq!(imported.unsupported, ["resolution"]);
    let after = json_of(&imported.glb);
    assert_eq!(after["accessors"][3]["count"], 144_000);
    assert_eq!(after["meshes"], json["meshes"]);
}

leaves_unchanged! {
    draco_compression: |json, bin| {
        let draco = json!({"bufferView": 0, "attributes": {"POSITION": 0}});
        json["meshes"][0]["primitives"][0]["extensions"] =
            json!({"KHR_draco_mesh_compression": draco});
    };
    meshopt_compression: |json, bin| {
        json["bufferViews"][3]["extensions"] = json!({"EXT_meshopt_compression": {}});
    };
    sparse_accessors: |json, bin| json["accessors"][2]["sparse"] = json!({"count": 1});
    morph_targets: |json, bin| {
        json["meshes"][0]["primitives"][0]["targets"] = json!([{"POSITION": 0}]);
    };
    shared_accessors: |json, bin| {
        let primitive = json["meshes"][0]["primitives"][0].clone();
        json["meshes"][0]["primitives"] = json!([primitive, primitive]);
    };
    triangle_strips: |json, bin| json["meshes"][0]["primitives"][0]["mode"] = 5.into();
    quantized_positions: |json, bin| json["accessors"][0]["componentType"] = 5122.into();
    indices_beyond_the_vertices: |json, bin| {
        let at = json["bufferViews"][3]["byteOffset"].as_u64().unwrap() as usize;
        bin[at..at + 4].copy_from_slice(&26_460u32.to_le_bytes());
    };
}
