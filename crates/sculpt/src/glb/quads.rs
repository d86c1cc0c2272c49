//! How a GLB file says that its triangles are quads: glTF itself only has triangles.

use serde_json::{Value, json};

/// A mesh's `extras` if every two triangles, from the first on, are a quad.
pub const QUADS_EXTRAS: &str = r#"{"topology":"quads"}"#;

/// Whether every two triangles of a mesh, from the first on, are a quad.
pub fn is_quads(mesh: &Value) -> bool {
    mesh["extras"] == json!({"topology": "quads"})
}

/// Has a mesh say no longer that its triangles are quads.
#[cfg(feature = "import")]
pub fn clear_quads(mesh: &mut Value) {
    if let Some(Value::Object(extras)) = mesh.get_mut("extras") {
        extras.remove("topology");
    }
}
