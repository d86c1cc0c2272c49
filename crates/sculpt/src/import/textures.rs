//! The pictures inside of a model.

use std::collections::BTreeSet;
use std::io::Cursor;

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde_json::Value;

use super::container::{Glb, number};

const WEBP: &str = "EXT_texture_webp";
const SOURCE: &str = "source";

/// Whether anything colours the model.
pub fn has_look(file: &Glb) -> bool {
    let coloured = |primitive: &Value| primitive["attributes"].get("COLOR_0").is_some();
    let coloured = |mesh: &Value| {
        let primitives = mesh["primitives"].as_array();
        primitives.is_some_and(|primitives| primitives.iter().any(coloured))
    };
    !file.list("images").is_empty() || file.list("meshes").iter().any(coloured)
}

/// Makes all textures whose longer edge is longer than this as long as this, and those in WebP, which
/// many programs do not read in a model, PNG or JPEG. False where some cannot be: they lie outside of
/// the file, or in a format that is not known here.
pub fn limit(file: &mut Glb, edge: u32) -> bool {
    use_fallbacks(file);
    let colours = colours(file);
    let mut all = true;
    let mut changed = Vec::new();
    for (index, image) in file.list("images").iter().enumerate() {
        let view = number(image, "bufferView");
        let Some((view, bytes)) = view.and_then(|view| Some((view, file.view(view)?))) else {
            all = false;
            continue;
        };
        match fitting(bytes, edge, colours.contains(&index)) {
            Some(None) => {}
            Some(Some((bytes, media_type))) => changed.push((index, view, bytes, media_type)),
            None => all = false,
        }
    }
    for (index, view, bytes, media_type) in changed {
        file.replaced.insert(view, bytes);
        file.list_mut("images")[index]["mimeType"] = media_type.into();
    }
    without_webp(file);
    all
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

/// The images that are seen as they are. The numbers of others are directions and the like.
fn colours(file: &Glb) -> BTreeSet<usize> {
    let materials = file.list("materials").iter();
    let textures = materials.flat_map(|material| {
        let base = &material["pbrMetallicRoughness"]["baseColorTexture"];
        [base, &material["emissiveTexture"]]
    });
    let textures = textures.filter_map(|info| file.list("textures").get(number(info, "index")?));
    textures
        .flat_map(|texture| [number(texture, SOURCE), webp(texture)])
        .flatten()
        .collect()
}

/// The picture's file as it may stay, with the longer edge as long as this at most: nothing where it
/// is so anyway, `None` where it cannot be read.
fn fitting(bytes: &[u8], edge: u32, is_colour: bool) -> Option<Option<(Vec<u8>, &'static str)>> {
    let (width, height) = reader(bytes)?.into_dimensions().ok()?;
    let format = reader(bytes)?.format()?;
    let is_small = width.max(height) <= edge;
    if is_small && format != ImageFormat::WebP {
        return Some(None);
    }
    let mut picture = reader(bytes)?.decode().ok()?;
    if !is_small {
        // Colours are taken as they are, as other programs do; normals need no more than that.
        picture = picture.resize(edge, edge, FilterType::Triangle);
    }
    let is_jpeg = match format {
        ImageFormat::Jpeg => true,
        // Blocks in a colour are not seen, those in a direction are, by the light.
        ImageFormat::WebP => is_colour && is_opaque(&picture),
        _ => false,
    };
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

fn is_opaque(picture: &DynamicImage) -> bool {
    !picture.color().has_alpha() || picture.to_rgba8().pixels().all(|pixel| pixel[3] == u8::MAX)
}

/// The image that a texture has in WebP.
fn webp(texture: &Value) -> Option<usize> {
    number(texture["extensions"].get(WEBP)?, SOURCE)
}

/// Where a texture has the same picture in another format, too, that one takes the place of the WebP.
fn use_fallbacks(file: &mut Glb) {
    let textures = file.list("textures").iter();
    let pairs = textures.filter_map(|texture| Some((webp(texture)?, number(texture, SOURCE)?)));
    for (webp, other) in pairs.collect::<Vec<_>>() {
        let images = file.list_mut("images");
        let other = images.get(other).cloned();
        if let Some(other) = other.filter(|image| image.get("bufferView").is_some())
            && let Some(webp) = images.get_mut(webp)
        {
            *webp = other;
        }
    }
}

/// An image that is no WebP file is referred to as any other.
fn without_webp(file: &mut Glb) {
    let images = file.list("images").iter();
    let is_webp: Vec<_> = images
        .map(|image| image["mimeType"] == "image/webp")
        .collect();
    let mut is_over = true;
    for texture in file.list_mut("textures") {
        let Some(image) = webp(texture) else {
            continue;
        };
        if is_webp.get(image) != Some(&false) {
            is_over = false;
            continue;
        }
        texture[SOURCE] = image.into();
        if let Some(Value::Object(extensions)) = texture.get_mut("extensions") {
            extensions.remove(WEBP);
            if extensions.is_empty()
                && let Value::Object(texture) = texture
            {
                texture.remove("extensions");
            }
        }
    }
    if !is_over {
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
