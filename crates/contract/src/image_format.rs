//! The image formats: how they are detected, and who reads them.

use std::error::Error;
use std::fmt::{self, Display};

use strum::{EnumIter, IntoEnumIterator};

/// The number of bytes of an unrecognized file that the message repeats.
const SIGNATURE_BYTES: usize = 4;

/// An image format that is detected by the first bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter)]
pub enum ImageFormat {
    /// Portable Network Graphics, animated ones included.
    Png,
    /// JPEG, baseline and progressive.
    Jpeg,
    /// WebP, lossy and lossless.
    Webp,
    /// GIF, of which the first frame is read.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF and BigTIFF.
    Tiff,
    /// Scalable Vector Graphics, as text.
    Svg,
    /// AV1 image file.
    Avif,
    /// High Efficiency Image File with HEVC, as iPhones write it.
    Heic,
    /// JPEG XL.
    JpegXl,
    /// Windows icon.
    Ico,
}

/// Who reads an image format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The server, and the sandbox in pages and in Node.js.
    Everywhere,
    /// The server, and not the sandbox.
    Server,
    /// Neither of them.
    Nowhere,
}

impl ImageFormat {
    /// The number of bytes at the start of a file that [`ImageFormat::detect`] needs.
    pub const DETECTED_BYTES: usize = 1024;

    /// Returns the format of an image from its first bytes, or `None` for an unknown format.
    ///
    /// The signatures are those of the formats' specifications; for AVIF and HEIC they are the brands
    /// in the `ftyp` box of ISO/IEC 14496-12.
    ///
    /// ```
    /// use contract::ImageFormat;
    ///
    /// let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    /// assert_eq!(ImageFormat::detect(png), Some(ImageFormat::Png));
    /// assert_eq!(ImageFormat::detect(b"<!doctype html>"), None);
    /// ```
    pub fn detect(start: &[u8]) -> Option<Self> {
        match start {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', riff @ ..] if riff.get(4..8) == Some(b"WEBP") => {
                Some(Self::Webp)
            }
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            // Plain text may start with "BM" too, so the size of the header is checked as well.
            [b'B', b'M', rest @ ..] if is_bitmap_header(rest) => Some(Self::Bmp),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => detect_brand(brands),
            [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(Self::JpegXl),
            // A directory of icons: type 1, and at least one.
            [0, 0, 1, 0, 1..=255, 0, ..] => Some(Self::Ico),
            _ => is_svg(start).then_some(Self::Svg),
        }
    }

    /// Returns the registered media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Svg => "image/svg+xml",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::JpegXl => "image/jxl",
            Self::Ico => "image/vnd.microsoft.icon",
        }
    }

    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Svg => "SVG",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::JpegXl => "JPEG XL",
            Self::Ico => "ICO",
        }
    }

    /// Returns who reads the format.
    pub fn support(self) -> Support {
        match self {
            Self::Png
            | Self::Jpeg
            | Self::Webp
            | Self::Gif
            | Self::Bmp
            | Self::Tiff
            | Self::Svg => Support::Everywhere,
            // Its decoder does not compile to WebAssembly.
            Self::Avif => Support::Server,
            Self::Heic | Self::JpegXl | Self::Ico => Support::Nowhere,
        }
    }

    /// Returns the names of the formats that `is_read` accepts, joined with commas.
    pub fn names(is_read: impl Fn(Support) -> bool) -> String {
        let read = Self::iter().filter(|format| is_read(format.support()));
        let names: Vec<_> = read.map(Self::name).collect();
        names.join(", ")
    }
}

fn is_bitmap_header(after_signature: &[u8]) -> bool {
    let Some(size) = after_signature.get(12..16) else {
        return false;
    };
    matches!(size, [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
}

/// Returns the format of the first brand that names a codec. `brands`: the major brand, four bytes of
/// version, then the compatible brands. A major brand such as `mif1` names no codec.
fn detect_brand(brands: &[u8]) -> Option<ImageFormat> {
    brands.chunks_exact(4).find_map(|brand| match brand {
        b"avif" | b"avis" => Some(ImageFormat::Avif),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Some(ImageFormat::Heic),
        _ => None,
    })
}

/// Returns the length of a document type, or `None` if it does not end.
fn find_document_type_end(text: &[u8]) -> Option<usize> {
    let close = end_of(text, b">")?;
    match end_of(text, b"[") {
        Some(open) if open < close => {
            let mut brackets = (open..text.len()).filter(|&at| text[at] == b']');
            brackets.find_map(|at| {
                let rest = text.get(at + 1..)?.trim_ascii_start();
                rest.starts_with(b">").then(|| text.len() - rest.len() + 1)
            })
        }
        _ => Some(close),
    }
}

/// Returns whether the first element of an XML document in UTF-8 is `svg`, with or without a prefix. Works
/// on bytes: slices of `str` would add 10 KB to the wasm of the library.
fn is_svg(start: &[u8]) -> bool {
    let start = start.get(..ImageFormat::DETECTED_BYTES).unwrap_or(start);
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let mut rest = start.trim_ascii_start();
    // The XML declaration, comments, processing instructions and the document type, whose
    // declarations are in brackets.
    loop {
        let end = match rest {
            [b'<', b'!', b'-', b'-', ..] => end_of(rest, b"-->"),
            [b'<', b'?', ..] => end_of(rest, b"?>"),
            _ if rest.starts_with(b"<!DOCTYPE") => find_document_type_end(rest),
            _ => break,
        };
        let Some(end) = end else {
            // The root element is farther behind. The document type names it; behind the declaration
            // of XML and a long comment, another document is unlikely where an image is expected.
            let is_xml = start.starts_with(b"<?xml");
            return rest.starts_with(b"<!DOCTYPE svg") || (is_xml && rest.starts_with(b"<!--"));
        };
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
    let Some(name) = rest.strip_prefix(b"<") else {
        return false;
    };
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
    let name = name.split(is_end).next().unwrap_or_default();
    name == b"svg" || name.ends_with(b":svg")
}

/// Returns the position after the first `mark` in a text.
fn end_of(text: &[u8], mark: &[u8]) -> Option<usize> {
    let start = text.windows(mark.len()).position(|part| part == mark)?;
    Some(start + mark.len())
}

/// A file whose image format is unknown.
///
/// ```
/// use contract::{Support, UnrecognizedFormat};
///
/// let error = UnrecognizedFormat::new(b"hello", |support| support == Support::Everywhere);
/// assert_eq!(
///     error.to_string(),
///     "unrecognized image format (first bytes: 68 65 6c 6c …). Supported: PNG, JPEG, WebP, GIF, BMP, TIFF, SVG"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnrecognizedFormat {
    /// The first bytes of the file, in hexadecimal.
    first_bytes: String,
    /// The names of the formats that are read.
    supported: String,
}

impl UnrecognizedFormat {
    /// Creates the error from the start of the file. `is_read` selects the formats that the message lists.
    pub fn new(start: &[u8], is_read: impl Fn(Support) -> bool) -> Self {
        let bytes = start.iter().take(SIGNATURE_BYTES);
        let mut bytes: Vec<_> = bytes.map(|byte| format!("{byte:02x}")).collect();
        if start.len() > SIGNATURE_BYTES {
            bytes.push("…".into());
        }
        Self {
            first_bytes: bytes.join(" "),
            supported: ImageFormat::names(is_read),
        }
    }
}

impl Display for UnrecognizedFormat {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            first_bytes,
            supported,
        } = self;
        write!(
            f,
            "unrecognized image format (first bytes: {first_bytes}). Supported: {supported}"
        )
    }
}

impl Error for UnrecognizedFormat {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the formats in the row of the table of docs/formats.md that starts with `first`.
    fn table_row(first: &str) -> String {
        let document = include_str!("../../../docs/formats.md");
        let start = format!("| {first}");
        let row = document.lines().find(|line| line.starts_with(&start));
        let formats = row.and_then(|row| row.split('|').nth(1));
        formats.unwrap().trim().replace(" (the first frame)", "")
    }

    #[test]
    fn the_documentation_lists_who_reads_each_format() {
        for (support, first) in [
            (Support::Everywhere, "PNG"),
            (Support::Server, "AVIF"),
            (Support::Nowhere, "HEIC"),
        ] {
            let names = ImageFormat::names(|other| other == support);
            assert_eq!(table_row(first), names, "{support:?}");
        }
    }

    #[test]
    fn detects_svg_behind_comments_and_declarations() {
        let svg = [
            "<svg/>",
            "\u{feff}<svg xmlns='http://www.w3.org/2000/svg'>",
            "\n <svg>",
            "<svg:svg xmlns:svg='http://www.w3.org/2000/svg'>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
             <!-- Created with Inkscape (http://www.inkscape.org/) -->\n\n<svg\n   width=\"9\"",
            "<?xml version='1.0'?><?xml-stylesheet href='a.css'?><svg>",
            "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/a.dtd\"><svg>",
            "<!DOCTYPE svg [ <!ENTITY a \"b\"> <!ENTITY c 'd'> ] >\n<svg>",
            "<!-- <html> --><svg>",
        ];
        for text in svg {
            let format = ImageFormat::detect(text.as_bytes());
            assert_eq!(format, Some(ImageFormat::Svg), "{text}");
        }
        let long = "a".repeat(2000);
        for text in [
            format!("<?xml version='1.0'?><!-- {long} --><svg>"),
            format!("<!DOCTYPE svg [ <!ENTITY a '{long}'> ]><svg>"),
        ] {
            let format = ImageFormat::detect(text.as_bytes());
            assert_eq!(format, Some(ImageFormat::Svg), "{text}");
        }
    }

    #[test]
    fn other_markup_is_no_svg() {
        let other = [
            "<!doctype html><svg>",
            "<!DOCTYPE html [ ] ><svg-icon>",
            "<html><body><svg></svg></body></html>",
            "<!-- an icon --><div><svg></svg></div>",
            "<?xml version='1.0'?><rss>",
            "<svgz>",
            "< svg>",
            "svg",
            "<",
            "",
        ];
        for text in other {
            assert_eq!(ImageFormat::detect(text.as_bytes()), None, "{text}");
        }
        let long = format!("<!-- {} --><svg>", "a".repeat(2000));
        assert_eq!(ImageFormat::detect(long.as_bytes()), None);
    }
}
