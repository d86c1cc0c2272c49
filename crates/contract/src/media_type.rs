//! Detection of image formats by their first bytes.

/// The media types that [`sniff`] detects.
pub const IMAGE_TYPES: [&str; 8] = [
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/avif",
    "image/heic",
    "image/tiff",
];

/// The names of these formats, for messages.
pub const IMAGE_FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP, AVIF, HEIC, TIFF";

/// Returns the media type of an image from its first bytes (32 suffice), or `None` for an unknown
/// format.
///
/// The signatures are those of the formats' specifications; for AVIF and HEIC they are the brands
/// in the `ftyp` box of ISO/IEC 14496-12.
///
/// ```
/// assert_eq!(contract::sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some("image/png"));
/// assert_eq!(contract::sniff(b"<!doctype html>"), None);
/// ```
pub fn sniff(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        // Plain text may start with "BM" too, so the size of the header is checked as well.
        [b'B', b'M', rest @ ..] if bitmap_header(rest) => Some("image/bmp"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some("image/tiff"),
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => iso_media(brands),
        _ => None,
    }
}

fn bitmap_header(after_signature: &[u8]) -> bool {
    let Some(size) = after_signature.get(12..16) else {
        return false;
    };
    matches!(size, [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
}

/// Returns the media type of the first brand that names a codec. `brands`: the major brand, four
/// bytes of version, then the compatible brands. A major brand such as `mif1` names no codec.
fn iso_media(brands: &[u8]) -> Option<&'static str> {
    brands.chunks_exact(4).find_map(|brand| match brand {
        b"avif" | b"avis" => Some("image/avif"),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Some("image/heic"),
        _ => None,
    })
}
