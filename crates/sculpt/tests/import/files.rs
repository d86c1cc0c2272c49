//! How files are recognized.

use image::ImageFormat;
use sculpt::{GlbError, check_glb, import_glb};
use serde_json::json;

use super::box_model::model;
use super::support::{glb, textured};

#[test]
fn recognizes_files_by_their_bytes() {
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
    // Contradictory JSON does not panic.
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
