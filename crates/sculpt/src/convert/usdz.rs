//! USDZ: an archive with the model as a text file of [USD](https://openusd.org) and its texture.
//!
//! The [specification](https://openusd.org/release/spec_usdz.html) demands that the model comes first,
//! that nothing is compressed, and that each file starts at a multiple of 64 bytes.

use std::fmt::{Display, Write as _};

use glam::{Vec2, Vec3};
use zip::result::ZipResult;

use super::archive::Archive;
use super::model::{Material, Model};

const ALIGNMENT: u16 = 64;

/// Writes the archive.
pub fn write(model: &Model) -> ZipResult<Vec<u8>> {
    let texture = model.material.texture.as_ref();
    let path = texture.map(|texture| format!("textures/texture.{}", texture.extension));
    let mut archive = Archive::new();
    let layer = layer(model, path.as_deref());
    archive.add_aligned("model.usda", ALIGNMENT, layer.as_bytes())?;
    if let (Some(texture), Some(path)) = (texture, path) {
        archive.add_aligned(&path, ALIGNMENT, &texture.bytes)?;
    }
    archive.finish()
}

/// Returns the text of the model. `texture` is the path of the texture.
fn layer(model: &Model, texture: Option<&str>) -> String {
    let faces = model.faces();
    let counts = list(faces.iter().map(Vec::len));
    let indices = list(faces.iter().flatten());
    let triple = |vector: &Vec3| format!("({}, {}, {})", vector.x, vector.y, vector.z);
    let points = list(model.positions.iter().map(triple));
    let normals = list(model.normals.iter().map(triple));
    // v is 0 at the bottom of the texture in USD, and at the top in glTF.
    let uv = |Vec2 { x: u, y: v }: &Vec2| format!("({u}, {})", 1.0 - v);
    let uvs = list(model.uvs.iter().map(uv));
    let empty = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    let positions = model.positions.iter();
    let (low, high) = positions.fold(empty, |(low, high), point| {
        (low.min(*point), high.max(*point))
    });
    let extent = list([low, high].iter().map(triple));
    let material = shaders(&model.material, texture);
    format!(
        r#"#usda 1.0
(
    defaultPrim = "Model"
    metersPerUnit = 1
    upAxis = "Y"
)

def Xform "Model" (
    kind = "component"
)
{{
    def Mesh "Mesh" (
        prepend apiSchemas = ["MaterialBindingAPI"]
    )
    {{
        float3[] extent = [{extent}]
        int[] faceVertexCounts = [{counts}]
        int[] faceVertexIndices = [{indices}]
        rel material:binding = </Model/Material>
        normal3f[] normals = [{normals}] (
            interpolation = "vertex"
        )
        point3f[] points = [{points}]
        texCoord2f[] primvars:st = [{uvs}] (
            interpolation = "vertex"
        )
        uniform token subdivisionScheme = "none"
    }}

    def Material "Material"
    {{
        token outputs:surface.connect = </Model/Material/Surface.outputs:surface>
{material}
    }}
}}
"#
    )
}

/// Returns the shaders of the material: its texture, or else its color.
fn shaders(material: &Material, texture: Option<&str>) -> String {
    let [red, green, blue] = material.color;
    let color = match texture {
        Some(_) => "inputs:diffuseColor.connect = </Model/Material/Texture.outputs:rgb>".to_owned(),
        None => format!("inputs:diffuseColor = ({red}, {green}, {blue})"),
    };
    let mut shaders = format!(
        r#"
        def Shader "Surface"
        {{
            uniform token info:id = "UsdPreviewSurface"
            color3f {color}
            float inputs:metallic = 0
            float inputs:roughness = 0.8
            token outputs:surface
        }}"#
    );
    if let Some(path) = texture {
        let _ = write!(
            shaders,
            r#"

        def Shader "Texture"
        {{
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @{path}@
            float4 inputs:scale = ({red}, {green}, {blue}, 1)
            token inputs:sourceColorSpace = "sRGB"
            float2 inputs:st.connect = </Model/Material/Coordinates.outputs:result>
            token inputs:wrapS = "repeat"
            token inputs:wrapT = "repeat"
            float3 outputs:rgb
        }}

        def Shader "Coordinates"
        {{
            uniform token info:id = "UsdPrimvarReader_float2"
            string inputs:varname = "st"
            float2 outputs:result
        }}"#
        );
    }
    shaders
}

/// Joins the items of a list.
fn list<T: Display>(items: impl Iterator<Item = T>) -> String {
    let mut list = String::new();
    for item in items {
        let separator = if list.is_empty() { "" } else { ", " };
        // Writing to a `String` never fails.
        let _ = write!(list, "{separator}{item}");
    }
    list
}
