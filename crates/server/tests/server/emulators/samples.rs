//! The images that the tests send and the models that the emulators return.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use api::image::{self, ImageFormat, Rgba, RgbaImage};
use base64_simd::STANDARD;
use serde_json::Value;

/// Returns a PNG of a red disc on a plain background, 96 × 64 pixels.
pub fn disc_png() -> Vec<u8> {
    disc([200, 30, 30])
}

/// Returns a PNG whose colour encodes `number` (1 to 4095); see [`image_number`].
pub fn numbered_png(number: u32) -> Vec<u8> {
    let digit = |shift: u32| 8 * ((number >> shift) & 15) as u8;
    disc([digit(8), digit(4), digit(0)])
}

/// Returns the number of an image of [`numbered_png`] that was received as base64 or as a `data:`
/// URL, even after it was encoded again; 0 if `value` holds no image.
pub fn image_number(value: &Value) -> u32 {
    let text = value.as_str().unwrap_or_default();
    let base64 = text.rsplit(',').next().unwrap_or_default();
    number_of_image_file(&STANDARD.decode_to_vec(base64).unwrap_or_default())
}

/// Returns the number of an image of [`numbered_png`] from its file, as [`image_number`] does.
pub fn number_of_image_file(file: &[u8]) -> u32 {
    let Ok(image) = image::load_from_memory(file) else {
        return 0;
    };
    let image = image.to_rgb8();
    let middle = image.get_pixel(image.width() / 2, image.height() / 2);
    // Lossy compression changes each channel by less than 4.
    let digits = middle.0.iter().map(|value| (u32::from(*value) + 4) / 8);
    digits.fold(0, |number, digit| (number << 4) | digit)
}

fn disc(colour: [u8; 3]) -> Vec<u8> {
    let [red, green, blue] = colour;
    let image = RgbaImage::from_fn(96, 64, |x, y| {
        let (x, y) = (f64::from(x) - 48.0, f64::from(y) - 32.0);
        match x * x + y * y < 400.0 {
            true => Rgba([red, green, blue, 255]),
            false => Rgba([240, 240, 240, 255]),
        }
    });
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Returns a GLB like those of the services: 20,000 faces and a texture of 1024 × 1024 pixels.
pub fn textured_glb() -> Vec<u8> {
    static GLB: LazyLock<Vec<u8>> = LazyLock::new(|| sculpt_glb(true));
    GLB.clone()
}

/// Returns the model of [`textured_glb`] without its texture.
pub fn untextured_glb() -> Vec<u8> {
    static GLB: LazyLock<Vec<u8>> = LazyLock::new(|| sculpt_glb(false));
    GLB.clone()
}

fn sculpt_glb(generate_texture: bool) -> Vec<u8> {
    let image = RgbaImage::from_fn(1024, 1024, |x, y| {
        let (across, up) = (f64::from(x) - 511.5, f64::from(y) - 511.5);
        let is_inside = across * across + up * up < 512.0 * 512.0;
        Rgba([x as u8, y as u8, 128, if is_inside { 255 } else { 0 }])
    });
    let image = image.into();
    let request = sculpt::ModelRequest {
        image: &image,
        cutout: &sculpt::cut_out(&image, &sculpt::CutoutRequest::default()).unwrap(),
        parameters: &api::Parameters {
            generate_texture: Some(generate_texture),
            texture_resolution: Some(1024),
            ..Default::default()
        },
        detail: api::Detail::Preview,
        view: 0,
    };
    sculpt::sculpt(&request, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Returns a GLB with `extras` in its `asset`.
pub fn with_extras(glb: &[u8], extras: Value) -> Vec<u8> {
    let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    let mut json = gltf_json(glb);
    json["asset"]["extras"] = extras;
    let mut text = json.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(4), b' ');
    let rest = &glb[20 + length..];
    let size = (20 + text.len() + rest.len()) as u32;
    let mut file = glb[..8].to_vec();
    file.extend(size.to_le_bytes());
    file.extend((text.len() as u32).to_le_bytes());
    file.extend(b"JSON");
    file.extend(text);
    file.extend(rest);
    file
}

/// Returns the JSON of a GLB.
pub fn gltf_json(glb: &[u8]) -> Value {
    let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    serde_json::from_slice(&glb[20..20 + length]).unwrap()
}
