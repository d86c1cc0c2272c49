//! The textures of a model from a remote engine: their size and their format.

use std::collections::BTreeSet;
use std::io::Cursor;

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde_json::Value;

use crate::glb::{Glb, index};
use crate::images::{encode_jpeg, encode_png};

const WEBP: &str = "EXT_texture_webp";
const SOURCE: &str = "source";
/// The quality of JPEG textures, from 1 to 100.
const JPEG_QUALITY: u8 = 90;

/// Whether the model has textures or colors of its vertices.
pub fn has_colors(file: &Glb) -> bool {
    let is_colored = |primitive: &Value| primitive["attributes"].get("COLOR_0").is_some();
    let is_colored = |mesh: &Value| {
        let primitives = mesh["primitives"].as_array();
        primitives.is_some_and(|primitives| primitives.iter().any(is_colored))
    };
    !file.list("images").is_empty() || file.list("meshes").iter().any(is_colored)
}

/// Shrinks textures whose longer edge has more than `max_edge` pixels, and rewrites those in WebP,
/// which many programs do not read in a model, as PNG or JPEG. Returns `false` if some textures stay
/// as they are because they are outside of the file or in an unknown format.
pub fn limit(file: &mut Glb, max_edge: u32) -> bool {
    replace_webp_by_fallbacks(file);
    let colors = color_images(file);
    let mut is_limited = true;
    let mut rewritten = Vec::new();
    for (image, value) in file.list("images").iter().enumerate() {
        let view = index(value, "bufferView");
        let Some((view, bytes)) = view.and_then(|view| Some((view, file.view(view)?))) else {
            is_limited = false;
            continue;
        };
        let content = match colors.contains(&image) {
            true => Content::Color,
            false => Content::Data,
        };
        match fit(bytes, max_edge, content) {
            Some(Fitted::Unchanged) => {}
            Some(Fitted::Rewritten(texture)) => rewritten.push((image, view, texture)),
            None => is_limited = false,
        }
    }
    for (image, view, texture) in rewritten {
        file.replace_view(view, texture.bytes);
        file.list_mut("images")[image]["mimeType"] = texture.media_type.into();
    }
    remove_webp_references(file);
    is_limited
}

/// Returns the longest edge of all textures in pixels; 0 if none can be read.
pub fn longest_edge(file: &Glb) -> u32 {
    let edges = file.list("images").iter().filter_map(|image| {
        let bytes = file.view(index(image, "bufferView")?)?;
        let (width, height) = reader(bytes)?.into_dimensions().ok()?;
        Some(width.max(height))
    });
    edges.max().unwrap_or_default()
}

/// The meaning of a texture's numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Colors that are seen as they are.
    Color,
    /// Normals, roughness and the like.
    Data,
}

/// A texture that fits the limits.
enum Fitted {
    /// It did so before.
    Unchanged,
    /// It was shrunk or converted.
    Rewritten(TextureFile),
}

/// The file of a texture.
struct TextureFile {
    bytes: Vec<u8>,
    media_type: &'static str,
}

fn reader(bytes: &[u8]) -> Option<ImageReader<Cursor<&[u8]>>> {
    ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()
}

/// Returns the indices of the images with [`Content::Color`].
fn color_images(file: &Glb) -> BTreeSet<usize> {
    let materials = file.list("materials").iter();
    let textures = materials.flat_map(|material| {
        let base = &material["pbrMetallicRoughness"]["baseColorTexture"];
        [base, &material["emissiveTexture"]]
    });
    let textures = textures.filter_map(|info| file.referenced(info, "index", "textures"));
    textures
        .flat_map(|texture| [index(texture, SOURCE), webp_image(texture)])
        .flatten()
        .collect()
}

/// Shrinks a texture to `max_edge`, and converts it if it is in WebP; `None` if it cannot be read.
fn fit(bytes: &[u8], max_edge: u32, content: Content) -> Option<Fitted> {
    let (width, height) = reader(bytes)?.into_dimensions().ok()?;
    let format = reader(bytes)?.format()?;
    let is_small = width.max(height) <= max_edge;
    if is_small && format != ImageFormat::WebP {
        return Some(Fitted::Unchanged);
    }
    let mut image = reader(bytes)?.decode().ok()?;
    if !is_small {
        // sRGB values are averaged without conversion to linear light, as most programs do.
        image = image.resize(max_edge, max_edge, FilterType::Triangle);
    }
    let is_jpeg = match format {
        ImageFormat::Jpeg => true,
        // JPEG's blocks are not seen in colors, but in reflections if they are in normals.
        ImageFormat::WebP => content == Content::Color && is_opaque(&image),
        _ => false,
    };
    Some(Fitted::Rewritten(match is_jpeg {
        true => TextureFile {
            bytes: encode_jpeg(&image.to_rgb8(), JPEG_QUALITY).ok()?,
            media_type: "image/jpeg",
        },
        false => TextureFile {
            bytes: encode_png(&image).ok()?,
            media_type: "image/png",
        },
    }))
}

fn is_opaque(image: &DynamicImage) -> bool {
    !image.color().has_alpha() || image.to_rgba8().pixels().all(|pixel| pixel[3] == u8::MAX)
}

/// Returns the index of a texture's image in WebP.
fn webp_image(texture: &Value) -> Option<usize> {
    index(texture["extensions"].get(WEBP)?, SOURCE)
}

/// Replaces an image in WebP by the fallback that its texture has in another format.
fn replace_webp_by_fallbacks(file: &mut Glb) {
    let textures = file.list("textures").iter();
    let pairs =
        textures.filter_map(|texture| Some((webp_image(texture)?, index(texture, SOURCE)?)));
    for (webp, fallback) in pairs.collect::<Vec<_>>() {
        let images = file.list_mut("images");
        let fallback = images.get(fallback).cloned();
        if let Some(fallback) = fallback.filter(|image| image.get("bufferView").is_some())
            && let Some(webp) = images.get_mut(webp)
        {
            *webp = fallback;
        }
    }
}

/// Has textures refer to images that are no longer in WebP without the extension, and removes it from
/// the file if no texture needs it.
fn remove_webp_references(file: &mut Glb) {
    let images = file.list("images").iter();
    let is_webp: Vec<_> = images
        .map(|image| image["mimeType"] == "image/webp")
        .collect();
    let mut is_needed = false;
    for texture in file.list_mut("textures") {
        let Some(image) = webp_image(texture) else {
            continue;
        };
        if is_webp.get(image) != Some(&false) {
            is_needed = true;
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
    if !is_needed {
        file.remove_extensions(|name| name == WEBP);
    }
}
