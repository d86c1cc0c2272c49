//! What a file is, told from its first bytes.

/// The media types that [`sniff`] can answer.
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

/// The media type of the picture that starts with these bytes (32 are enough), or `None` where
/// they start no picture that is known here.
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
        // "BM" alone would take many a text for a picture: the size of the header that follows
        // must be one that exists.
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

/// `brands`: the major brand, four bytes of version, then the compatible brands. A major brand
/// such as `mif1` says nothing about the codec, so the first that does decides.
fn iso_media(brands: &[u8]) -> Option<&'static str> {
    brands.chunks_exact(4).find_map(|brand| match brand {
        b"avif" | b"avis" => Some("image/avif"),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Some("image/heic"),
        _ => None,
    })
}
