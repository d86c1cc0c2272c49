//! A model's form alone.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::container::Glb;

/// Takes all that colours the model out of it: materials, textures and their places on it, colours of
/// its vertices. It is a plain grey then.
pub fn materials(file: &mut Glb) {
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
            bare(&mut primitive["attributes"], &mut freed);
            for target in primitive.get_mut("targets").into_iter().flat_map(items) {
                bare(target, &mut freed);
            }
            if let Some(Value::Object(extensions)) = primitive.get_mut("extensions") {
                extensions.remove("KHR_materials_variants");
                if let Some(packed) = extensions.get_mut("KHR_draco_mesh_compression") {
                    // Other numbers than those of accessors.
                    bare(&mut packed["attributes"], &mut BTreeSet::new());
                }
            }
        }
    }
    forget(file, freed);
    file.push(
        "materials",
        json!({"pbrMetallicRoughness": {
            "baseColorFactor": [0.8, 0.8, 0.8, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8,
        }}),
    );
    if let Some(Value::Object(extensions)) = file.json.get_mut("extensions") {
        extensions.remove("KHR_materials_variants");
    }
    for name in ["extensionsUsed", "extensionsRequired"] {
        if let Some(Value::Array(names)) = file.json.get_mut(name) {
            names.retain(|name| !name.as_str().is_some_and(is_look));
            if names.is_empty() {
                file.json.remove(name);
            }
        }
    }
}

/// Leaves what is about the form of a primitive's attributes.
fn bare(attributes: &mut Value, freed: &mut BTreeSet<u64>) {
    let Value::Object(attributes) = attributes else {
        return;
    };
    attributes.retain(|name, accessor| {
        let look = ["COLOR_", "TANGENT", "TEXCOORD_"];
        let is_kept = !look.iter().any(|look| name.starts_with(look));
        freed.extend(accessor.as_u64().filter(|_| !is_kept));
        is_kept
    });
}

/// Takes the numbers out of the accessors that no primitive has any more, but for one. The accessors
/// stay: others are found by their place among them, and some readers want them to have numbers.
fn forget(file: &mut Glb, mut freed: BTreeSet<u64>) {
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
    let view = file.add(vec![0; 4], json!({}));
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

/// Whether an extension is about materials and textures.
fn is_look(extension: &str) -> bool {
    extension.starts_with("KHR_materials_")
        || extension.starts_with("KHR_texture_")
        || extension.starts_with("EXT_texture_")
}
