//! A model's form alone.

use serde_json::{Value, json};

use super::container::Glb;

/// Takes all that colours the model out of it: materials, textures, colours of its vertices. It is
/// a plain grey then.
pub fn materials(file: &mut Glb) {
    for name in ["materials", "textures", "images", "samplers"] {
        file.json.remove(name);
    }
    for mesh in file.list_mut("meshes") {
        let Some(Value::Array(primitives)) = mesh.get_mut("primitives") else {
            continue;
        };
        for primitive in primitives {
            primitive["material"] = 0.into();
            if let Some(Value::Object(extensions)) = primitive.get_mut("extensions") {
                extensions.remove("KHR_materials_variants");
            }
            if let Some(Value::Object(attributes)) = primitive.get_mut("attributes") {
                attributes.retain(|name, _| !name.starts_with("COLOR_"));
            }
        }
    }
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

/// Whether an extension is about materials and textures.
fn is_look(extension: &str) -> bool {
    extension.starts_with("KHR_materials_")
        || extension.starts_with("KHR_texture_")
        || extension.starts_with("EXT_texture_")
}
