//! The image of a session, parsed from `image_url`.

use std::borrow::Cow;

use base64_simd::forgiving_decode_to_vec;
use contract::{IMAGE_URL, ImageErrorCode, ImageFormat, Invalid, MASK_URL, quote};
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The accepted forms of an `image_url`, for error messages.
pub const IMAGE_URL_FORMS: &str = "an https:, http: or base64 data: URL of an image";

/// The accepted form of a `mask_url`, for error messages.
pub const MASK_URL_FORM: &str = "a base64 data: URL of an image";

/// The accepted form of a `data:` URL, for error messages.
const DATA_URL_FORM: &str = "data:image/<type>;base64,<image>";

/// The maximum length of the URL of an image, which is stored with the session.
const MAX_URL_BYTES: usize = 8 * 1024;

/// The maximum length of the part of a `data:` URL before its comma, in bytes: that of a media type with
/// the percent-encoded name of a file, which has up to 255 bytes.
const MAX_HEADER_BYTES: usize = 1024;

/// The image of a new session.
#[derive(Clone, Debug)]
pub enum ImageSource {
    /// The file, which is not decoded yet.
    Inline(Vec<u8>),
    /// The URL of an image to download.
    Remote(String),
}

impl ImageSource {
    /// Parses an `image_url`.
    ///
    /// # Errors
    /// Fails if the URL is invalid.
    pub fn parse(image_url: &str) -> Result<Self, ApiError> {
        let invalid = |expected: &str| -> ApiError {
            Invalid::new(IMAGE_URL, quote(image_url), expected)
                .to_string()
                .into()
        };
        if has_scheme(image_url, "data:") {
            return match decode_data_url(image_url) {
                Ok(file) => Ok(Self::Inline(file)),
                Err(error @ DataUrlError::Empty) => Err(ApiError::Image {
                    code: ImageErrorCode::UnsupportedImage,
                    message: error.to_message(IMAGE_URL),
                }),
                Err(error) => Err(error.to_message(IMAGE_URL).into()),
            };
        }
        if has_scheme(image_url, "https://") || has_scheme(image_url, "http://") {
            if image_url.len() > MAX_URL_BYTES {
                return Err(invalid(&format!("a URL of at most {MAX_URL_BYTES} bytes")));
            }
            return Ok(Self::Remote(image_url.into()));
        }
        Err(invalid(IMAGE_URL_FORMS))
    }
}

/// Parses a `mask_url`.
///
/// # Errors
/// Returns the message for the caller if it is not a `data:` URL.
pub fn parse_mask(mask_url: &str) -> Result<Vec<u8>, String> {
    match has_scheme(mask_url, "data:") {
        true => decode_data_url(mask_url).map_err(|error| error.to_message(MASK_URL)),
        false => Err(Invalid::new(MASK_URL, quote(mask_url), MASK_URL_FORM).to_string()),
    }
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Returns the image file of a `data:` URL, read as browsers do: the media type does not matter, and
/// base64 is decoded by the rules of <https://infra.spec.whatwg.org/#forgiving-base64-decode>, after
/// percent-decoding. A URL without base64 must contain SVG.
fn decode_data_url(data_url: &str) -> Result<Vec<u8>, DataUrlError> {
    let invalid = || DataUrlError::InvalidPrefix(quote(data_url));
    let (header, data) = data_url["data:".len()..]
        .split_once(',')
        .filter(|(header, _)| header.len() <= MAX_HEADER_BYTES)
        .ok_or_else(invalid)?;
    // Borrowed if nothing is encoded: images may be large.
    let data: Cow<[u8]> = percent_decode_str(data).into();
    if !is_base64(header) {
        return match ImageFormat::detect(&data) {
            Some(ImageFormat::Svg) => Ok(data.into_owned()),
            _ => Err(invalid()),
        };
    }
    let file = forgiving_decode_to_vec(&data).map_err(|_| DataUrlError::InvalidBase64)?;
    if file.is_empty() {
        return Err(DataUrlError::Empty);
    }
    Ok(file)
}

/// Returns whether the part of a `data:` URL before its comma says that the data is base64.
fn is_base64(header: &str) -> bool {
    let header = header.trim_ascii_end().to_ascii_lowercase();
    let before = header.strip_suffix("base64");
    before.is_some_and(|before| before.trim_ascii_end().ends_with(';'))
}

/// Why a `data:` URL is rejected.
enum DataUrlError {
    /// The text before the data is not that of base64 data. Holds the URL, shortened and quoted.
    InvalidPrefix(String),
    InvalidBase64,
    Empty,
}

impl DataUrlError {
    /// Returns the message for the caller about the URL in a parameter.
    fn to_message(&self, parameter: &str) -> String {
        match self {
            Self::InvalidPrefix(url) => Invalid::new(parameter, url, DATA_URL_FORM).to_string(),
            Self::InvalidBase64 => {
                format!("{parameter}: invalid base64 in data: URL (check the padding)")
            }
            Self::Empty => format!("{parameter}: the data: URL contains no image"),
        }
    }
}
