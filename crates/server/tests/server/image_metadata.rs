//! What a photo contains besides the picture, such as the place where it was taken, is not sent to an
//! engine.

use std::io::Cursor;

use api::image::{self, ImageFormat};
use base64_simd::STANDARD;
use flate2::Crc;
use serde_json::Value;

use crate::emulators::hosted::{Emulator, Engine, KEY, Scenario};
use crate::emulators::hunyuan::{Hunyuan, Scenario as HunyuanScenario};
use crate::support::gateway::Gateway;

const MAKER: &[u8] = b"CameraCanary\0";
/// Degrees, minutes and seconds, each as numerator and denominator.
const LATITUDE: [u32; 6] = [47, 1, 33, 1, 17_171_717, 1_000_000];
const XMP: &[u8] = b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">XmpCanary</x:xmpmeta>";
const COMMENT: &[u8] = b"CommentCanary";

/// Returns EXIF data, which is a TIFF file: the camera's maker and a GPS position.
fn exif() -> Vec<u8> {
    const ASCII: u16 = 2;
    const LONG: u16 = 4;
    const RATIONAL: u16 = 5;
    // The header takes 8 bytes, and a directory with two fields 30.
    let (gps, maker) = (38u32, 68u32);
    let latitude = maker + MAKER.len() as u32;
    let directories = [
        [
            (0x010f, ASCII, MAKER.len() as u32, maker),
            (0x8825, LONG, 1, gps),
        ],
        [(1, ASCII, 2, u32::from(b'N')), (2, RATIONAL, 3, latitude)],
    ];
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for directory in directories {
        file.extend((directory.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in directory {
            let (tag, kind): (u16, u16) = (tag, kind);
            file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        }
        // There is no next directory.
        file.extend([0; 4]);
    }
    file.extend(MAKER);
    file.extend(LATITUDE.iter().flat_map(|number| number.to_le_bytes()));
    file
}

/// Encodes a PNG in another format.
fn convert(png: &[u8], format: ImageFormat) -> Vec<u8> {
    let image = image::load_from_memory(png).unwrap();
    let mut file = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => image.to_rgb8().write_to(&mut file, format),
        _ => image.write_to(&mut file, format),
    }
    .unwrap();
    file.into_inner()
}

fn jpeg(png: &[u8]) -> Vec<u8> {
    let jpeg = convert(png, ImageFormat::Jpeg);
    let segment = |marker: u8, content: &[u8]| {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    };
    [
        &jpeg[..2],
        &segment(0xe1, &[b"Exif\0\0", &exif()[..]].concat()),
        &segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", XMP].concat()),
        &segment(0xfe, COMMENT),
        &jpeg[2..],
    ]
    .concat()
}

fn png(png: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8], content: &[u8]| {
        let named = [name, content].concat();
        let mut crc = Crc::new();
        crc.update(&named);
        let length = (content.len() as u32).to_be_bytes();
        [&length[..], &named, &crc.sum().to_be_bytes()].concat()
    };
    // The signature and the header chunk take 33 bytes.
    [
        &png[..33],
        &chunk(b"eXIf", &exif()),
        &chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", XMP].concat()),
        &chunk(b"tEXt", &[b"Comment\0", COMMENT].concat()),
        &png[33..],
    ]
    .concat()
}

fn webp(png: &[u8]) -> Vec<u8> {
    let simple = convert(png, ImageFormat::WebP);
    let chunk = |name: &[u8], content: &[u8]| {
        let padding = &[0][..content.len() % 2];
        let length = (content.len() as u32).to_le_bytes();
        [name, &length[..], content, padding].concat()
    };
    let image = image::load_from_memory(png).unwrap();
    let [width, height] = [image.width(), image.height()].map(|edge| (edge - 1).to_le_bytes());
    // The flags say that EXIF data and XMP follow.
    let header = [&[0x0c, 0, 0, 0], &width[..3], &height[..3]].concat();
    let chunks = [
        b"WEBP",
        &chunk(b"VP8X", &header)[..],
        &simple[12..],
        &chunk(b"EXIF", &exif()),
        &chunk(b"XMP ", XMP),
    ]
    .concat();
    chunk(b"RIFF", &chunks)
}

/// Panics if an image in base64, with or without the start of a `data:` URL, contains metadata.
fn assert_without_metadata(base64: &Value) {
    let text = base64.as_str().unwrap();
    let file = STANDARD.decode_to_vec(text.rsplit(',').next().unwrap());
    let file = file.unwrap();
    assert!(image::load_from_memory(&file).is_ok());
    let latitude = LATITUDE[4].to_le_bytes();
    let texts: [&[u8]; 11] = [
        b"Canary",
        b"Exif",
        b"eXIf",
        b"EXIF",
        b"II*\0",
        b"xmpmeta",
        b"ns.adobe.com",
        b"iTXt",
        b"tEXt",
        b"XMP ",
        &latitude,
    ];
    for text in texts {
        assert!(
            !file.windows(text.len()).any(|bytes| bytes == text),
            "the engine received {:?}",
            String::from_utf8_lossy(text)
        );
    }
}

/// Sends an image of each format to a hosted engine, and looks at the field of its requests.
fn assert_hosted_engine_receives_no_metadata(engine: Engine, field: &str) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let shared = emulator.clone();
    let gateway = Gateway::start(
        &emulator.config(""),
        vec![(engine.key_variable(), KEY.into())],
        &[],
        move || shared.billed_images(),
    );
    for encode in [jpeg, png, webp, transparent_png] {
        let session = gateway.create_encoded_and_wait(encode);
        assert_eq!(session["status"], "preview_done", "{session}");
    }
    let bodies = emulator.bodies();
    assert_eq!(bodies.len(), 4);
    for body in &bodies {
        assert_without_metadata(&body[field]);
    }
    let transparent = bodies[3][field].as_str().unwrap();
    assert!(transparent.starts_with("data:image/png;"), "{transparent}");
}

/// Returns a PNG with metadata and one transparent pixel: the engines receive it as a PNG.
fn transparent_png(file: &[u8]) -> Vec<u8> {
    let mut image = image::load_from_memory(file).unwrap().to_rgba8();
    image.get_pixel_mut(0, 0)[3] = 0;
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    png(&file.into_inner())
}

/// The server reads the formats as the test writes them: the EXIF data is where it belongs.
#[test]
fn test_images_contain_the_metadata() {
    use image::ImageDecoder;
    let plain = crate::emulators::samples::numbered_png(1);
    for encode in [jpeg, png, webp] {
        let file = encode(&plain);
        let reader = image::ImageReader::new(Cursor::new(file));
        let mut decoder = reader.with_guessed_format().unwrap().into_decoder();
        let decoder = decoder.as_mut().unwrap();
        let read = decoder.exif_metadata().unwrap().expect("no EXIF data");
        assert!(read.ends_with(&exif()), "{read:?}");
        let xmp = decoder.xmp_metadata().unwrap().expect("no XMP");
        assert!(xmp.ends_with(XMP), "{xmp:?}");
    }
}

#[test]
fn fal_receives_no_metadata_of_the_image() {
    assert_hosted_engine_receives_no_metadata(Engine::Fal, "input_image_url");
}

#[test]
fn meshy_receives_no_metadata_of_the_image() {
    assert_hosted_engine_receives_no_metadata(Engine::Meshy, "image_url");
}

#[test]
fn hunyuan_receives_no_metadata_of_the_image() {
    let hunyuan = Hunyuan::start(HunyuanScenario::default());
    let shared = hunyuan.clone();
    let config = hunyuan.config("");
    let gateway = Gateway::start(&config, Vec::new(), &[], move || shared.images());
    for encode in [jpeg, png, webp] {
        let session = gateway.create_encoded_and_wait(encode);
        assert_eq!(session["status"], "preview_done", "{session}");
    }
    let bodies = hunyuan.bodies();
    assert_eq!(bodies.len(), 3);
    for body in &bodies {
        assert_without_metadata(&body["image"]);
    }
}
