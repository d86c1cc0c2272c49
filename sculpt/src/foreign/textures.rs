//! The pictures inside of a model.

use std::io::Cursor;

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde_json::Value;

use super::container::{Glb, number};

const WEBP: &str = "EXT_texture_webp";

/// Whether anything colours the model.
pub fn has_look(file: &Glb) -> bool {
    let coloured = |primitive: &Value| primitive["attributes"].get("COLOR_0").is_some();
    let coloured = |mesh: &Value| {
        let primitives = mesh["primitives"].as_array();
        primitives.is_some_and(|primitives| primitives.iter().any(coloured))
    };
    !file.list("images").is_empty() || file.list("meshes").iter().any(coloured)
}

/// Makes all textures whose longer edge is longer than this as long as this. False where some
/// cannot be: they lie outside of the file, or in a format that is not known here.
pub fn limit(file: &mut Glb, edge: u32) -> Result<bool, String> {
    let mut all = true;
    let mut changed = Vec::new();
    for (index, image) in file.list("images").iter().enumerate() {
        let view = number(image, "bufferView");
        let Some((view, bytes)) = view.and_then(|view| Some((view, file.view(view)?))) else {
            all = false;
            continue;
        };
        match smaller(bytes, edge) {
            Some(None) => {}
            Some(Some((bytes, media_type))) => changed.push((index, view, bytes, media_type)),
            None => all = false,
        }
    }
    for (index, view, bytes, media_type) in changed {
        file.replaced.insert(view, bytes);
        let was_webp = file.list("images")[index]["mimeType"] == "image/webp";
        file.list_mut("images")[index]["mimeType"] = media_type.into();
        if was_webp {
            without_webp(file, index);
        }
    }
    Ok(all)
}

/// The longest edge of all textures.
pub fn longest(file: &Glb) -> u32 {
    let views = file.list("images").iter().filter_map(|image| {
        let bytes = file.view(number(image, "bufferView")?)?;
        let (width, height) = reader(bytes)?.into_dimensions().ok()?;
        Some(width.max(height))
    });
    views.max().unwrap_or_default()
}

fn reader(bytes: &[u8]) -> Option<ImageReader<Cursor<&[u8]>>> {
    ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()
}

/// The picture's file with the longer edge as long as this: nothing where it is no longer anyway,
/// `None` where it cannot be read.
fn smaller(bytes: &[u8], edge: u32) -> Option<Option<(Vec<u8>, &'static str)>> {
    let (width, height) = reader(bytes)?.into_dimensions().ok()?;
    if width.max(height) <= edge {
        return Some(None);
    }
    let is_jpeg = reader(bytes)?.format()? == ImageFormat::Jpeg;
    let picture = reader(bytes)?.decode().ok()?;
    // Colours are taken as they are, as other programs do; normals need no more than that.
    let picture = picture.resize(edge, edge, FilterType::Triangle);
    let mut file = Cursor::new(Vec::new());
    if is_jpeg {
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 90);
        let picture = DynamicImage::from(picture.to_rgb8());
        picture.write_with_encoder(encoder).ok()?;
        return Some(Some((file.into_inner(), "image/jpeg")));
    }
    picture.write_to(&mut file, ImageFormat::Png).ok()?;
    Some(Some((file.into_inner(), "image/png")))
}

/// An image that is no WebP file any more is referred to as any other.
fn without_webp(file: &mut Glb, image: usize) {
    for texture in file.list_mut("textures") {
        let source = texture["extensions"][WEBP]["source"].as_u64();
        if source != Some(image as u64) {
            continue;
        }
        texture["source"] = image.into();
        if let Some(Value::Object(extensions)) = texture.get_mut("extensions") {
            extensions.remove(WEBP);
            if extensions.is_empty()
                && let Value::Object(texture) = texture
            {
                texture.remove("extensions");
            }
        }
    }
    let still = |texture: &Value| texture["extensions"].get(WEBP).is_some();
    if file.list("textures").iter().any(still) {
        return;
    }
    for name in ["extensionsUsed", "extensionsRequired"] {
        if let Some(Value::Array(names)) = file.json.get_mut(name) {
            names.retain(|name| name != WEBP);
            if names.is_empty() {
                file.json.remove(name);
            }
        }
    }
}
