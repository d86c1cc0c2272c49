//! 3MF, for printing in color: the [core specification][core] with the [materials extension][materials],
//! which puts a texture on the triangles.
//!
//! [core]: https://github.com/3MFConsortium/spec_core/blob/master/3MF%20Core%20Specification.md
//! [materials]: https://github.com/3MFConsortium/spec_materials/blob/master/3MF%20Materials%20Extension.md

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::Hash;

use glam::{Vec2, Vec3};
use zip::result::ZipResult;

use super::archive::Archive;
use super::model::{Material, Model, Texture};

const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
const PACKAGE: &str = "http://schemas.microsoft.com/3dmanufacturing/2013/01";

/// The values without repetition, in the order of their first appearance.
struct Distinct<T> {
    values: Vec<T>,
    positions: HashMap<T, usize>,
}

impl<T: Copy + Eq + Hash> Distinct<T> {
    fn new() -> Self {
        Self {
            values: Vec::new(),
            positions: HashMap::new(),
        }
    }

    /// Adds a value unless it is there, and returns its position.
    fn position(&mut self, value: T) -> usize {
        *self.positions.entry(value).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }
}

/// Writes the archive.
pub fn write(model: &Model) -> ZipResult<Vec<u8>> {
    let texture = model.material.texture.as_ref();
    let path = texture.map(|texture| format!("3D/Textures/texture.{}", texture.extension));
    let mut types = [
        (
            "rels",
            "application/vnd.openxmlformats-package.relationships+xml",
        ),
        (
            "model",
            "application/vnd.ms-package.3dmanufacturing-3dmodel+xml",
        ),
    ]
    .to_vec();
    types.extend(texture.map(|texture| (texture.extension, texture.media_type)));
    let types = types.iter().map(|(extension, media_type)| {
        format!("<Default Extension=\"{extension}\" ContentType=\"{media_type}\"/>")
    });
    let types = types.collect::<String>();
    let mut archive = Archive::new();
    let types = xml(&format!("<Types xmlns=\"{TYPES}\">{types}</Types>"));
    archive.add_text("[Content_Types].xml", &types)?;
    archive.add_text("_rels/.rels", &relationship("3dmodel", "3D/3dmodel.model"))?;
    archive.add_text("3D/3dmodel.model", &model_part(model, path.as_deref()))?;
    if let (Some(texture), Some(path)) = (texture, path) {
        let relationship = relationship("3dtexture", &path);
        archive.add_text("3D/_rels/3dmodel.model.rels", &relationship)?;
        archive.add_stored(&path, &texture.bytes)?;
    }
    archive.finish()
}

fn xml(element: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{element}\n")
}

fn relationship(kind: &str, target: &str) -> String {
    xml(&format!(
        "<Relationships xmlns=\"{RELATIONSHIPS}\"><Relationship Id=\"r1\" Target=\"/{target}\" \
         Type=\"{PACKAGE}/{kind}\"/></Relationships>"
    ))
}

/// Returns the part with the mesh. `texture` is the path of the texture.
fn model_part(model: &Model, texture: Option<&str>) -> String {
    // Vertices at the same place are one, or the surface would be open where the texture has a seam.
    let mut vertices = Distinct::new();
    let mut uvs = Distinct::new();
    // -0 is the same place as 0.
    let bits = |number: f32| (number + 0.0).to_bits();
    let corners: Vec<_> = (model.printed_positions().zip(&model.uvs))
        .map(|(Vec3 { x, y, z }, Vec2 { x: u, y: v })| {
            let vertex = vertices.position([x, y, z].map(bits));
            // v is 0 at the bottom of the texture in 3MF, and at the top in glTF.
            (vertex, uvs.position([*u, 1.0 - v].map(bits)))
        })
        .collect();
    let mut triangles = String::new();
    for triangle in &model.triangles {
        let [(a, p1), (b, p2), (c, p3)] = triangle.map(|at| corners[at as usize]);
        // The specification demands three different vertices.
        if a == b || b == c || c == a {
            continue;
        }
        let _ = match texture {
            Some(_) => writeln!(
                triangles,
                "<triangle v1=\"{a}\" v2=\"{b}\" v3=\"{c}\" pid=\"1\" p1=\"{p1}\" p2=\"{p2}\" \
                 p3=\"{p3}\"/>"
            ),
            None => writeln!(triangles, "<triangle v1=\"{a}\" v2=\"{b}\" v3=\"{c}\"/>"),
        };
    }
    let mut places = String::new();
    for vertex in &vertices.values {
        let [x, y, z] = vertex.map(f32::from_bits);
        let _ = writeln!(places, "<vertex x=\"{x}\" y=\"{y}\" z=\"{z}\"/>");
    }
    let colors = match (texture, &model.material.texture) {
        (Some(path), Some(texture)) => texture_group(path, texture, &uvs.values),
        _ => base_material(&model.material),
    };
    // `type="surface"` would be right for an open surface, but slicers ignore all but `model`, and
    // close the surface themselves.
    xml(&format!(
        "<model unit=\"millimeter\" xml:lang=\"en\" \
         xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\" \
         xmlns:m=\"http://schemas.microsoft.com/3dmanufacturing/material/2015/02\">\n\
         <resources>\n{colors}<object id=\"2\" type=\"model\" pid=\"1\" pindex=\"0\">\n\
         <mesh>\n<vertices>\n{places}</vertices>\n<triangles>\n{triangles}</triangles>\n</mesh>\n\
         </object>\n</resources>\n<build><item objectid=\"2\"/></build>\n</model>"
    ))
}

/// Returns the resource with the texture and all texture coordinates.
fn texture_group(path: &str, texture: &Texture, uvs: &[[u32; 2]]) -> String {
    let mut group = format!(
        "<m:texture2d id=\"3\" path=\"/{path}\" contenttype=\"{}\" tilestyleu=\"wrap\" \
         tilestylev=\"wrap\"/>\n<m:texture2dgroup id=\"1\" texid=\"3\">\n",
        texture.media_type
    );
    for uv in uvs {
        let [u, v] = uv.map(f32::from_bits);
        let _ = writeln!(group, "<m:tex2coord u=\"{u}\" v=\"{v}\"/>");
    }
    group.push_str("</m:texture2dgroup>\n");
    group
}

/// Returns the resource with the material's color.
fn base_material(material: &Material) -> String {
    let [red, green, blue] = material.color.map(srgb);
    format!(
        "<basematerials id=\"1\"><base name=\"model\" \
         displaycolor=\"#{red:02X}{green:02X}{blue:02X}FF\"/></basematerials>\n"
    )
}

/// Returns a linear channel in sRGB, from 0 to 255.
fn srgb(linear: f32) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let encoded = match linear <= 0.003_130_8 {
        true => 12.92 * linear,
        false => 1.055 * linear.powf(1.0 / 2.4) - 0.055,
    };
    (encoded * 255.0).round() as u8
}
