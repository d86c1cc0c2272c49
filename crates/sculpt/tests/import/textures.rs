//! The textures of imported models.

use contract::Parameters;
use image::{DynamicImage, ImageFormat, RgbImage, Rgba, RgbaImage};
use sculpt::import_glb;
use serde_json::{Value, json};

use super::box_model::{assert_converts, encode, model, parts, push, with_texture, zipped};
use super::support::{glb, json_of, keep, sample, sculpt, textured};

#[test]
fn shrinks_textures_to_texture_resolution() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let model = model(format, 300);
        let requested = Parameters {
            texture_resolution: Some(128),
            ..textured()
        };
        let imported = import_glb(&model, &requested, 0).unwrap();
        assert!(imported.unsupported.is_empty());
        let (file, _, images) = gltf::import_slice(&imported.glb).unwrap();
        assert_eq!((images[0].width, images[0].height), (128, 64), "{format:?}");
        assert_eq!(file.extensions_required().count(), 0);
        // A texture that is small enough is only rewritten if it is in WebP.
        let kept = import_glb(&model, &textured(), 0).unwrap();
        let (file, _, images) = gltf::import_slice(&kept.glb).unwrap();
        assert_eq!(
            (images[0].width, images[0].height),
            (300, 150),
            "{format:?}"
        );
        assert_eq!(file.extensions_required().count(), 0);
        let mime = &json_of(&kept.glb)["images"][0]["mimeType"];
        let expected = match format {
            ImageFormat::WebP => ImageFormat::Jpeg,
            other => other,
        };
        assert_eq!(mime, expected.to_mime_type());
        assert!(kept.unsupported.is_empty());
        let more = Parameters {
            texture_resolution: Some(512),
            ..textured()
        };
        let more = import_glb(&model, &more, 0).unwrap();
        assert_eq!(more.unsupported, ["texture_resolution"]);
    }
}

#[test]
fn converts_webp_textures_to_png_or_jpeg() {
    let opaque = DynamicImage::from(RgbaImage::from_fn(40, 30, |x, y| {
        Rgba([90, 3 * x as u8, 5 * y as u8, 255])
    }));
    let mut clear = opaque.to_rgba8();
    clear.put_pixel(7, 7, Rgba([0, 200, 0, 254]));
    for (image, slot, media_type, name) in [
        (
            opaque.clone(),
            "baseColorTexture",
            "image/jpeg",
            "texture.jpg",
        ),
        (clear.into(), "baseColorTexture", "image/png", "texture.png"),
        (opaque, "normalTexture", "image/png", "texture.png"),
    ] {
        let (mut json, bin) = parts(&with_texture(&image, ImageFormat::WebP));
        if slot == "normalTexture" {
            json["materials"] = json!([{"normalTexture": {"index": 0}}]);
        }
        let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
        assert!(imported.unsupported.is_empty());
        let (mut json, bin) = parts(&imported.glb);
        assert_eq!(json["images"][0]["mimeType"], media_type);
        assert_eq!(json["textures"], json!([{"source": 0}]));
        assert_eq!(json["extensionsUsed"], Value::Null);
        assert_eq!(json["extensionsRequired"], Value::Null);
        assert_converts(&imported.glb);
        // The ZIP archive has the base color texture.
        json["materials"] = json!([{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]);
        let read = image::load_from_memory(&zipped(&glb(&json, bin), name)).unwrap();
        let (read, image) = (read.to_rgba8(), image.to_rgba8());
        let pairs = read.iter().zip(image.iter());
        let most = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        let is_exact = media_type == "image/png";
        assert!(most <= if is_exact { 0 } else { 12 }, "{slot}: {most}");
    }
}

#[test]
fn replaces_webp_by_its_png_fallback() {
    let (mut json, mut bin) = parts(&model(ImageFormat::WebP, 300));
    let fallback = encode(&RgbImage::new(16, 16).into(), ImageFormat::Png);
    json["textures"][0]["source"] = 1.into();
    push(
        &mut json["images"],
        json!({"bufferView": 3, "mimeType": "image/png"}),
    );
    push(
        &mut json["bufferViews"],
        json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": fallback.len()}),
    );
    bin.extend(&fallback);
    json["buffers"][0]["byteLength"] = bin.len().into();
    let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
    let json = json_of(&imported.glb);
    assert_eq!(json["extensionsUsed"], Value::Null);
    assert_eq!(json["extensionsRequired"], Value::Null);
    assert_eq!(json["textures"][0]["extensions"], Value::Null);
    // The bytes of the WebP file are gone.
    assert_eq!(json["bufferViews"].as_array().unwrap().len(), 3);
    assert!(zipped(&imported.glb, "texture.png") == fallback);
    assert_converts(&imported.glb);
}

#[test]
fn keeps_the_extension_of_unreadable_webp() {
    let (json, mut bin) = parts(&model(ImageFormat::WebP, 300));
    let from = json["bufferViews"][2]["byteOffset"].as_u64().unwrap() as usize;
    bin[from..].fill(0);
    let requested = Parameters {
        texture_resolution: Some(128),
        ..textured()
    };
    let imported = import_glb(&glb(&json, bin), &requested, 0).unwrap();
    assert_eq!(imported.unsupported, ["texture_resolution"]);
    let json = json_of(&imported.glb);
    assert_eq!(json["extensionsRequired"], json!(["EXT_texture_webp"]));
    assert_converts(&imported.glb);
}

#[test]
fn imports_a_sculpted_model_with_webp() {
    let (mut json, mut bin) = parts(&sculpt(&sample("cat.webp"), &textured()).unwrap());
    let image = encode(&sample("cat.webp").thumbnail(512, 512), ImageFormat::WebP);
    let view = json["images"][0]["bufferView"].as_u64().unwrap() as usize;
    json["images"][0]["mimeType"] = "image/webp".into();
    json["textures"][0] = json!({"extensions": {"EXT_texture_webp": {"source": 0}}, "sampler": 0});
    for name in ["extensionsUsed", "extensionsRequired"] {
        json[name] = json!(["EXT_texture_webp"]);
    }
    json["bufferViews"][view]["byteOffset"] = bin.len().into();
    json["bufferViews"][view]["byteLength"] = image.len().into();
    bin.extend(image);
    bin.resize(bin.len().next_multiple_of(4), 0);
    json["buffers"][0]["byteLength"] = bin.len().into();
    let imported = import_glb(&glb(&json, bin), &textured(), 0).unwrap();
    gltf::import_slice(&imported.glb).unwrap();
    assert_converts(&imported.glb);
    keep("imported-webp", &imported.glb);
}
