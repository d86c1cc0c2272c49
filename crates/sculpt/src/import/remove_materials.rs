//! Removes everything that colors a model.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::glb::Glb;

/// Removes materials, textures, texture coordinates and the colors of vertices. The model has one gray
/// material then.
pub fn remove_materials(file: &mut Glb) {
    for name in ["materials", "textures", "images", "samplers"] {
        file.json.remove(name);
    }
    let mut freed = BTreeSet::new();
    for mesh in file.list_mut("meshes") {
        let Some(Value::Array(primitives)) = mesh.get_mut("primitives") else {
            continue;
        };
        for primitive in primitives {
            primitive["material"] = 0.into();
            remove_appearance(&mut primitive["attributes"], &mut freed);
            for target in primitive.get_mut("targets").into_iter().flat_map(items) {
                remove_appearance(target, &mut freed);
            }
            if let Some(Value::Object(extensions)) = primitive.get_mut("extensions") {
                extensions.remove("KHR_materials_variants");
                if let Some(draco) = extensions.get_mut("KHR_draco_mesh_compression") {
                    // Its attributes are numbers of its own, and not accessors.
                    remove_appearance(&mut draco["attributes"], &mut BTreeSet::new());
                }
            }
        }
    }
    empty_accessors(file, freed);
    file.push(
        "materials",
        json!({"pbrMetallicRoughness": {
            "baseColorFactor": [0.8, 0.8, 0.8, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8,
        }}),
    );
    if let Some(Value::Object(extensions)) = file.json.get_mut("extensions") {
        extensions.remove("KHR_materials_variants");
    }
    file.remove_extensions(is_about_appearance);
}

/// Removes the attributes that color a primitive, and adds their accessors to `freed`.
fn remove_appearance(attributes: &mut Value, freed: &mut BTreeSet<u64>) {
    let Value::Object(attributes) = attributes else {
        return;
    };
    attributes.retain(|name, accessor| {
        let appearance = ["COLOR_", "TANGENT", "TEXCOORD_"];
        let is_kept = !appearance.iter().any(|prefix| name.starts_with(prefix));
        freed.extend(accessor.as_u64().filter(|_| !is_kept));
        is_kept
    });
}

/// Empties the accessors that no primitive refers to any more. They stay in the list, since others are
/// found by their index in it, with one number, since some readers reject accessors without data.
fn empty_accessors(file: &mut Glb, mut freed: BTreeSet<u64>) {
    for mesh in file.list("meshes") {
        for primitive in mesh["primitives"].as_array().into_iter().flatten() {
            let targets = primitive["targets"].as_array().into_iter().flatten();
            for attributes in [&primitive["attributes"]].into_iter().chain(targets) {
                for accessor in attributes.as_object().into_iter().flat_map(Map::values) {
                    accessor.as_u64().map(|index| freed.remove(&index));
                }
            }
        }
    }
    if freed.is_empty() {
        return;
    }
    let view = file.push_view(vec![0; 4], json!({}));
    for index in freed {
        if let Some(accessor) = file.list_mut("accessors").get_mut(index as usize) {
            *accessor =
                json!({"bufferView": view, "componentType": 5121, "count": 1, "type": "SCALAR"});
        }
    }
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

/// Whether an extension is only about materials and textures.
fn is_about_appearance(extension: &str) -> bool {
    extension.starts_with("KHR_materials_")
        || extension.starts_with("KHR_texture_")
        || extension.starts_with("EXT_texture_")
}
