//! The image of a session, parsed from `image_url`.

use std::fmt;

use base64_simd::STANDARD;
use contract::{IMAGE_URL, Invalid, MASK_URL, quote};

/// The accepted forms of an `image_url`, for error messages.
pub const IMAGE_URL_FORMS: &str = "an https:, http: or base64 data: URL of an image";

/// The accepted form of a `mask_url`, for error messages.
pub const MASK_URL_FORM: &str = "a base64 data: URL of an image";

/// The accepted form of a `data:` URL, for error messages.
const DATA_URL_FORM: &str = "data:image/<type>;base64,<image>";

/// The maximum length of the URL of an image, which is stored with the session.
const MAX_URL_BYTES: usize = 8 * 1024;

/// The length of the part of a `data:` URL before its comma, in bytes: longer than that of any image.
const MAX_HEADER_BYTES: usize = 200;

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
    /// Returns the message for the caller if the URL is invalid.
    pub fn parse(image_url: &str) -> Result<Self, String> {
        if has_scheme(image_url, "data:") {
            return parse_data_url(IMAGE_URL, image_url).map(Self::Inline);
        }
        if has_scheme(image_url, "https://") || has_scheme(image_url, "http://") {
            if image_url.len() > MAX_URL_BYTES {
                let expected = format!("a URL of at most {MAX_URL_BYTES} bytes");
                return Err(Invalid::new(IMAGE_URL, quote(image_url), expected).to_string());
            }
            return Ok(Self::Remote(image_url.into()));
        }
        Err(Invalid::new(IMAGE_URL, quote(image_url), IMAGE_URL_FORMS).to_string())
    }
}

/// Parses a `mask_url`.
///
/// # Errors
/// Returns the message for the caller if it is not a `data:` URL.
pub fn parse_mask(mask_url: &str) -> Result<Vec<u8>, String> {
    match has_scheme(mask_url, "data:") {
        true => parse_data_url(MASK_URL, mask_url),
        false => Err(Invalid::new(MASK_URL, quote(mask_url), MASK_URL_FORM).to_string()),
    }
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Returns the image file of a `data:` URL.
///
/// # Errors
/// Returns the message for the caller, which names the parameter, if the URL is invalid.
fn parse_data_url(parameter: &'static str, data_url: &str) -> Result<Vec<u8>, String> {
    decode_data_url(data_url).map_err(|error| match error {
        DataUrlError::InvalidPrefix(url) => Invalid::new(parameter, url, DATA_URL_FORM).to_string(),
        error => format!("{parameter}: {error}"),
    })
}

fn decode_data_url(data_url: &str) -> Result<Vec<u8>, DataUrlError> {
    let (header, base64) = data_url["data:".len()..]
        .split_once(',')
        .ok_or_else(|| DataUrlError::InvalidPrefix(quote(data_url)))?;
    let header_length = header.len();
    let mut header = header.split(';');
    let is_base64 = header
        .next_back()
        .is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    if !is_base64 || header_length > MAX_HEADER_BYTES {
        return Err(DataUrlError::InvalidPrefix(quote(data_url)));
    }
    let file = STANDARD
        .decode_to_vec(base64)
        .map_err(|_| DataUrlError::InvalidBase64)?;
    if file.is_empty() {
        return Err(DataUrlError::Empty);
    }
    Ok(file)
}

/// Why a `data:` URL is rejected.
enum DataUrlError {
    /// The text before the data is not that of base64 data. Holds the URL, shortened and quoted.
    InvalidPrefix(String),
    InvalidBase64,
    Empty,
}

impl fmt::Display for DataUrlError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::InvalidPrefix(url) => write!(f, "{url} is not a data: URL of an image"),
            Self::InvalidBase64 => f.write_str("invalid base64 in data: URL (check the padding)"),
            Self::Empty => f.write_str("the data: URL contains no image"),
        }
    }
}
