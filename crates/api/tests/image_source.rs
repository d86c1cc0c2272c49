//! Images that are accepted, and images that are rejected when a session is created.

mod support;

use std::io::Cursor;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use api::{Progress, Source};
use image::codecs::gif::GifEncoder;
use image::{Frame, ImageFormat, Rgb, RgbImage, RgbaImage};
use serde_json::json;
use support::*;

#[test]
fn rejects_unusable_images_with_the_reason() {
    const FORMS: &str = "an https:, http: or base64 data: URL of an image";
    let api = TestApi::new();
    let png = png();
    for (image_url, message) in [
        (
            data_uri("image/png", &png[..png.len() / 2]),
            "image_url: the PNG file cannot be decoded: unexpected end of file"
                .to_owned(),
        ),
        (
            data_uri("image/png", b"hello, world"),
            "image_url: unrecognized image format (first bytes: 68 65 6c 6c …). Supported: PNG, \
             JPEG, WebP, GIF, BMP, TIFF, SVG, AVIF"
                .into(),
        ),
        (
            data_uri("image/png", b""),
            "image_url: the data: URL contains no image".into(),
        ),
        (
            data_uri("image/heic", b"\0\0\0\x1cftypheic\0\0\0\0heicmif1"),
            "image_url: this server does not read HEIC. Convert it to JPEG.".into(),
        ),
        (
            "data:image/png;base64,iVBOR*w0KGgo".into(),
            "image_url: invalid base64 in data: URL (check the padding)".into(),
        ),
        (
            "data:image/png,abc".into(),
            "Invalid image_url \"data:image/png,abc\": expected data:image/<type>;base64,<image>"
                .into(),
        ),
        (
            "data:image/png;base64".into(),
            "Invalid image_url \"data:image/png;base64\": expected data:image/<type>;base64,<image>"
                .into(),
        ),
        (
            "ftp://example.com/a.png".into(),
            format!("Invalid image_url \"ftp://example.com/a.png\": expected {FORMS}"),
        ),
        (
            String::new(),
            format!("Invalid image_url \"\": expected {FORMS}"),
        ),
    ] {
        let response = api.post(SESSIONS, &json!({"image_url": image_url}));
        assert_eq!(error_message(&response, 400), message);
    }
    assert_eq!(data(&api.get(SESSIONS))["results"], json!([]));
}

#[test]
fn accepts_image_jpg_as_jpeg() {
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(2, 2);
    picture
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let image_url = data_uri("image/jpg", jpeg.get_ref());
    TestApi::new().create(json!({"image_url": image_url}));
}

/// Returns the width, the height and one pixel of the image that an engine receives.
#[track_caller]
fn decoded(media_type: &str, file: &[u8], pixel: [u32; 2]) -> (u32, u32, [u8; 4]) {
    let mut api = TestApi::without_engine(&Default::default());
    api.create(json!({"image_url": data_uri(media_type, file)}));
    api.now += 1000;
    let seen = Mutex::new(None);
    let engine = Stub(|source: &Source, _: &mut Progress| {
        let is_unchanged = source.file == file;
        let picture = source.image.decode()?.to_rgba8();
        let [x, y] = pixel;
        let result = (picture.width(), picture.height(), picture.get_pixel(x, y).0);
        *seen.lock().unwrap() = is_unchanged.then_some(result);
        Ok(())
    });
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    seen.into_inner().unwrap().unwrap()
}

fn written(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn applies_the_exif_orientation() {
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let jpeg = written(&RgbImage::new(40, 20), ImageFormat::Jpeg);
    let mut turned = vec![0xff, 0xd8, 0xff, 0xe1, 0, exif.len() as u8 + 2];
    turned.extend(exif);
    turned.extend(&jpeg[2..]);
    assert_eq!(
        decoded("image/jpeg", &jpeg, [0, 0]),
        (40, 20, [0, 0, 0, 255])
    );
    assert_eq!(
        decoded("image/jpeg", &turned, [0, 0]),
        (20, 40, [0, 0, 0, 255])
    );
}

#[test]
fn decodes_16_bits_per_channel() {
    let deep = image::ImageBuffer::from_pixel(3, 2, Rgb([0xffff_u16, 0x8000, 0]));
    let mut file = Cursor::new(Vec::new());
    deep.write_to(&mut file, ImageFormat::Png).unwrap();
    let seen = decoded("image/png", file.get_ref(), [2, 1]);
    assert_eq!(seen, (3, 2, [255, 128, 0, 255]));
}

#[test]
fn decodes_a_palette() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(vec![10, 20, 30, 40, 50, 60]);
    encoder.set_trns(vec![255, 0]);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0b0001_0000]).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        decoded("image/png", &file, [0, 0]),
        (2, 1, [10, 20, 30, 255])
    );
    assert_eq!(decoded("image/png", &file, [1, 0]), (2, 1, [40, 50, 60, 0]));
}

#[test]
fn decodes_cmyk() {
    use jpeg_encoder::{ColorType, Encoder};
    // Cyan alone. Adobe stores CMYK inverted.
    let ink = [255, 0, 0, 0].repeat(64);
    for colors in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut file = Vec::new();
        let encoder = Encoder::new(&mut file, 95);
        encoder.encode(&ink, 8, 8, colors).unwrap();
        let (width, height, [red, green, blue, _]) = decoded("image/jpeg", &file, [4, 4]);
        assert_eq!((width, height), (8, 8));
        assert!(
            red < 10 && green > 245 && blue > 245,
            "{colors:?}: {red} {green} {blue}"
        );
    }
}

#[test]
fn uses_the_first_frame_of_an_animation() {
    let frame = |color| Frame::new(RgbaImage::from_pixel(4, 4, image::Rgba(color)));
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    encoder
        .encode_frames([frame([255, 0, 0, 255]), frame([0, 255, 0, 255])])
        .unwrap();
    drop(encoder);
    assert_eq!(
        decoded("image/gif", &file, [1, 1]),
        (4, 4, [255, 0, 0, 255])
    );
}

/// Returns small files whose headers declare a huge image.
fn decompression_bombs() -> Vec<(&'static str, Vec<u8>)> {
    let small = RgbImage::new(8, 8);
    let of = |format| written(&small, format);
    let put = |mut file: Vec<u8>, at: usize, bytes: &[u8]| {
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 50_000, 50_000);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().unwrap();
    writer.write_chunk(png::chunk::IDAT, &[0x78, 0x9c]).unwrap();
    drop(writer);
    let jpeg = of(ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|bytes| bytes == [0xff, 0xc0])
        .unwrap();
    let tiff = of(ImageFormat::Tiff);
    let side = 50_000_u32.to_le_bytes();
    // The entry of a tag: tag, type SHORT or LONG, count, value.
    let entry = |tag: u8| {
        let mut starts = tiff.windows(8);
        let long = [tag, 1, 4, 0, 1, 0, 0, 0];
        let short = [tag, 1, 3, 0, 1, 0, 0, 0];
        starts
            .position(|bytes| bytes == long || bytes == short)
            .unwrap()
    };
    // ImageWidth, ImageLength, RowsPerStrip.
    let tiff = [0x00, 0x01, 0x16]
        .into_iter()
        .fold(tiff.clone(), |file, tag| put(file, entry(tag) + 8, &side));
    vec![
        ("image/png", png),
        ("image/jpeg", put(jpeg, frame + 5, &[0xff; 4])),
        (
            "image/bmp",
            put(put(of(ImageFormat::Bmp), 18, &side), 22, &side),
        ),
        ("image/gif", put(of(ImageFormat::Gif), 6, &[0xff; 4])),
        // VP8L: 14 bits for each side minus one, after the signature.
        (
            "image/webp",
            put(of(ImageFormat::WebP), 21, &[0xfe, 0xbf, 0xff, 0x0f]),
        ),
        ("image/tiff", tiff),
    ]
}

#[test]
fn rejects_too_many_pixels_before_decoding() {
    let api = TestApi::new();
    for (media_type, file) in decompression_bombs() {
        let body = json!({"image_url": data_uri(media_type, &file)});
        let start = Instant::now();
        let message = error_message(&api.post(SESSIONS, &body), 400);
        assert!(start.elapsed() < Duration::from_secs(10), "{media_type}");
        let end = " pixels, more than the limit of 64000000";
        assert!(
            message.starts_with("image_url: the image has "),
            "{message}"
        );
        assert!(message.ends_with(end), "{message}");
    }
}

/// Images that make a decoder panic, with the message with which they are rejected.
const PANICKING: [(&str, &[u8], &str); 2] = [
    (
        "image/tiff",
        include_bytes!("../../../tests/fixtures/tiled-planar.tif"),
        "this server does not read this kind of TIFF file. Save it as PNG or JPEG.",
    ),
    (
        "image/webp",
        include_bytes!("../../../tests/fixtures/zero-width-frame.webp"),
        "the WebP file cannot be decoded: a frame has a wrong size",
    ),
];

#[test]
fn rejects_images_that_make_the_decoder_panic() {
    let api = TestApi::new();
    for (media_type, file, message) in PANICKING {
        let body = json!({"image_url": data_uri(media_type, file)});
        assert_eq!(
            error_message(&api.post(SESSIONS, &body), 400),
            format!("image_url: {message}")
        );
    }
    assert_eq!(data(&api.get(SESSIONS))["results"], json!([]));
}

/// Returns a lossless WebP file of 36 bytes with an image of one color.
fn small_webp(side: u32) -> Vec<u8> {
    // 14 bits for each edge minus one, no alpha; then codes with one symbol each.
    let size = (side - 1) | (side - 1) << 14;
    let mut file = b"RIFF\x1c\0\0\0WEBPVP8L\x10\0\0\0\x2f".to_vec();
    file.extend(size.to_le_bytes());
    file.extend([0x88, 0x88, 0x08]);
    file.resize(36, 0);
    file
}

#[test]
fn rejects_images_that_need_too_much_memory_to_decode() {
    let config = |mib: u64| api::Config {
        max_decode_bytes: mib << 20,
        ..Default::default()
    };
    let body = |side| json!({"image_url": data_uri("image/webp", &small_webp(side))});
    TestApi::without_engine(&config(10)).create(body(1000));
    let response = TestApi::without_engine(&config(10)).post(SESSIONS, &body(2000));
    assert_eq!(
        error_message(&response, 400),
        "image_url: decoding the image needs about 36 MiB of memory, more than the limit of 10 MiB"
    );
    let response = TestApi::without_engine(&Default::default()).post(SESSIONS, &body(8000));
    let message = error_message(&response, 400);
    assert!(
        message.ends_with("more than the limit of 512 MiB"),
        "{message}"
    );
}

#[test]
fn decodes_photos_of_48_megapixels() {
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 10);
    let pixels = vec![0; 8000 * 6000];
    encoder
        .encode(&pixels, 8000, 6000, jpeg_encoder::ColorType::Luma)
        .unwrap();
    let body = json!({"image_url": data_uri("image/jpeg", &jpeg)});
    TestApi::without_engine(&Default::default()).create(body);
}

#[test]
fn rejected_images_have_a_code() {
    let large = decompression_bombs().remove(0).1;
    let heic = include_bytes!("../../../tests/fixtures/pictures/photo.heic");
    for (image_url, code) in [
        (data_uri("image/png", &png()[..60]), "unsupported_image"),
        (data_uri("image/png", b"hello"), "unsupported_image"),
        (data_uri("image/png", b""), "unsupported_image"),
        (data_uri("image/heic", heic), "unsupported_image"),
        (data_uri("image/tiff", PANICKING[0].1), "unsupported_image"),
        (data_uri("image/png", &large), "image_too_large"),
        (data_uri("image/webp", &small_webp(8000)), "image_too_large"),
    ] {
        let response = TestApi::without_engine(&Default::default())
            .post(SESSIONS, &json!({"image_url": image_url}));
        let message = error_message(&response, 400);
        assert_eq!(json(&response)["code"], code, "{message}");
    }
}

#[test]
fn other_errors_have_no_code() {
    let mask = data_uri("image/png", b"hello");
    for body in [
        json!({"image_url": "data:image/png;base64,*"}),
        json!({"image_url": "ftp://example.com/a.png"}),
        json!({"image_url": data_uri("image/png", &png()), "creativity": "high"}),
        json!({"image_url": data_uri("image/png", &png()), "mask_url": mask}),
    ] {
        let response = TestApi::new().post(SESSIONS, &body);
        error_message(&response, 400);
        assert_eq!(json(&response).get("code"), None);
    }
}

/// A queue that is full for requests, and free for jobs.
struct FullQueue;

impl api::DecodeQueue for FullQueue {
    fn run(
        &self,
        _: u64,
        patience: api::Patience,
        decode: &mut dyn FnMut(),
    ) -> Result<(), api::DecodeBusy> {
        match patience {
            api::Patience::Request => Err(api::DecodeBusy {
                retry_after_seconds: 7,
            }),
            api::Patience::Job => {
                decode();
                Ok(())
            }
        }
    }
}

#[test]
fn rejects_requests_for_the_moment_while_too_many_images_are_decoded() {
    let api = TestApi::with(&api::Config {
        decode_queue: Some(std::sync::Arc::new(FullQueue)),
        ..Default::default()
    });
    let response = api.post(SESSIONS, &with_image(json!({})));
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(
        error_message(&response, 503),
        "Too many images are being decoded. Try again in 7 s."
    );
}
