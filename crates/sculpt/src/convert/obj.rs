//! Wavefront OBJ, alone or in a ZIP archive with its material and texture.

use std::fmt::Write as _;

use glam::{Vec2, Vec3};
use zip::result::ZipResult;

use super::archive::Archive;
use super::model::{Model, Texture};

/// Writes the mesh, which has the material of this name, if any.
pub fn write(model: &Model, material: Option<&str>) -> String {
    let mut obj = String::new();
    let mut line = |arguments: std::fmt::Arguments| {
        // Writing to a `String` never fails.
        let _ = obj.write_fmt(arguments);
        obj.push('\n');
    };
    if let Some(material) = material {
        line(format_args!("mtllib {material}.mtl\nusemtl {material}"));
    }
    for Vec3 { x, y, z } in &model.positions {
        line(format_args!("v {x} {y} {z}"));
    }
    for Vec2 { x: u, y: v } in &model.uvs {
        // v is 0 at the bottom of the texture in OBJ, and at the top in glTF.
        line(format_args!("vt {u} {}", 1.0 - v));
    }
    for Vec3 { x, y, z } in &model.normals {
        line(format_args!("vn {x} {y} {z}"));
    }
    for face in model.faces() {
        let vertices = face.iter().map(|at| {
            let at = at + 1;
            format!(" {at}/{at}/{at}")
        });
        line(format_args!("f{}", vertices.collect::<String>()));
    }
    obj
}

/// Writes `model.obj`, `model.mtl` and the texture, if there is one.
pub fn write_zip(model: &Model) -> ZipResult<Vec<u8>> {
    let mut archive = Archive::new();
    archive.add_text("model.obj", &write(model, Some("model")))?;
    let [red, green, blue] = model.material.color;
    let mut mtl = format!("newmtl model\nKd {red} {green} {blue}\nKs 0 0 0\nillum 1\n");
    if let Some(Texture {
        bytes, extension, ..
    }) = &model.material.texture
    {
        let name = format!("texture.{extension}");
        mtl.push_str(&format!("map_Kd {name}\n"));
        archive.add_stored(&name, bytes)?;
    }
    archive.add_text("model.mtl", &mtl)?;
    archive.finish()
}
