//! Why an SVG file is not rendered.

use contract::ImageFormat;

use crate::error::DecodeError;

/// Why an SVG file is not rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text is not in UTF-8.
    Encoding,
    /// The text is not well-formed XML, or its first element is not `svg`.
    Malformed,
    /// Reading or drawing it needs too much time or memory.
    TooComplex,
    /// An element is drawn as a part of itself.
    Recursive,
    /// Text is visible. Without fonts, it would be missing in the image.
    Text,
    /// HTML is visible. It would be missing in the image.
    Html,
    /// The width or the height is not positive.
    NoSize,
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Self::Encoding => "it is not in UTF-8. Save it in UTF-8, or as PNG.",
            Self::Malformed => "it is not well-formed SVG. Open it in a browser to see the error.",
            Self::TooComplex => "it is too complex. Save it as PNG.",
            Self::Recursive => "an element refers to itself. Save it as PNG.",
            Self::Text => "its text needs a font. Convert the text to paths.",
            Self::Html => "it contains HTML. Save it as PNG.",
            Self::NoSize => "its width and height are not positive. Set them, or a viewBox.",
        }
    }
}

impl From<Refusal> for DecodeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused {
            format: ImageFormat::Svg,
            reason: refusal.reason(),
        }
    }
}
