//! The image of a session: parsed from `image_url`, and decoded.

use std::fmt;
use std::io::Cursor;

use base64_simd::STANDARD;
use contract::{IMAGE_FORMATS, IMAGE_URL, Invalid, quote};
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, ImageResult, Limits};

/// The accepted forms of an `image_url`, for error messages.
pub const IMAGE_URL_FORMS: &str = "an https:, http: or base64 data: URL of an image";

/// The accepted form of a `data:` URL, for error messages.
const DATA_URL_FORM: &str = "data:image/<type>;base64,<image>";

/// The number of bytes of an unrecognized file that the message repeats.
const SIGNATURE_BYTES: usize = 4;

/// Larger images are not decoded.
const MAX_PIXELS: u64 = 64_000_000;

/// The image of a new session.
#[derive(Clone, Debug)]
pub enum ImageSource {
    /// The file, which was decoded to check it.
    Inline(Vec<u8>),
    /// The URL of an image to download.
    Remote(String),
}

impl ImageSource {
    /// Parses an `image_url`.
    ///
    /// # Errors
    /// Returns the message for the caller if the URL is invalid, or if the image cannot be decoded.
    pub fn parse(image_url: &str) -> Result<Self, String> {
        if has_scheme(image_url, "data:") {
            let file = parse_data_url(image_url);
            return file.map(Self::Inline).map_err(|error| error.to_string());
        }
        if has_scheme(image_url, "https://") || has_scheme(image_url, "http://") {
            return Ok(Self::Remote(image_url.into()));
        }
        Err(Invalid::new(IMAGE_URL, quote(image_url), IMAGE_URL_FORMS).to_string())
    }
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Returns the image file of a `data:` URL.
fn parse_data_url(data_url: &str) -> Result<Vec<u8>, DataUrlError> {
    let (header, base64) = data_url["data:".len()..]
        .split_once(',')
        .ok_or_else(|| DataUrlError::InvalidPrefix(quote(data_url)))?;
    let mut header = header.split(';');
    let declared = header.next().unwrap_or_default().to_ascii_lowercase();
    if header
        .next_back()
        .is_none_or(|last| !last.eq_ignore_ascii_case("base64"))
    {
        return Err(DataUrlError::InvalidPrefix(quote(data_url)));
    }
    let file = STANDARD
        .decode_to_vec(base64)
        .map_err(|_| DataUrlError::InvalidBase64)?;
    if file.is_empty() {
        return Err(DataUrlError::Empty);
    }
    // image/jpg is not registered, but common.
    let is_declared = |media_type: &str| {
        declared == media_type || (declared == "image/jpg" && media_type == "image/jpeg")
    };
    match contract::sniff(&file).filter(|media_type| !is_declared(media_type)) {
        Some(actual) => Err(DataUrlError::WrongType { declared, actual }),
        None => {
            decode(&file).map_err(DataUrlError::Image)?;
            Ok(file)
        }
    }
}

/// Why a `data:` URL is rejected.
enum DataUrlError {
    /// The text before the data is not that of base64 data. Holds the URL, shortened and quoted.
    InvalidPrefix(String),
    InvalidBase64,
    Empty,
    WrongType {
        declared: String,
        actual: &'static str,
    },
    Image(DecodeError),
}

impl fmt::Display for DataUrlError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::InvalidPrefix(url) => Invalid::new(IMAGE_URL, url, DATA_URL_FORM).fmt(f),
            Self::InvalidBase64 => {
                f.write_str("image_url: invalid base64 in data: URL (check the padding)")
            }
            Self::Empty => f.write_str("image_url: the data: URL contains no image"),
            Self::WrongType { declared, actual } => write!(
                f,
                "image_url: the data: URL declares {declared}, but the data is {actual}"
            ),
            Self::Image(error) => write!(f, "image_url: {error}"),
        }
    }
}

/// Decodes an image file, and rotates the image upright if the file has an orientation.
///
/// # Errors
/// Fails if the format is unknown, if the file is damaged, or if the image is too large.
pub fn decode(file: &[u8]) -> Result<DynamicImage, DecodeError> {
    if file.is_empty() {
        return Err(DecodeError::Empty);
    }
    let media_type =
        contract::sniff(file).ok_or_else(|| DecodeError::Unrecognized(first_bytes(file)))?;
    let undecodable = |error| DecodeError::Undecodable { media_type, error };
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|error| undecodable(error.into()))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * MAX_PIXELS);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(DecodeError::TooManyPixels { width, height });
    }
    upright(decoder).map_err(undecodable)
}

fn upright(mut decoder: impl ImageDecoder) -> ImageResult<DynamicImage> {
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Why an image file is not decoded.
pub enum DecodeError {
    /// The file is empty.
    Empty,
    /// The format is unknown. Holds the first bytes of the file, in hexadecimal.
    Unrecognized(String),
    /// The file is damaged, or the format is not supported.
    Undecodable {
        media_type: &'static str,
        error: ImageError,
    },
    TooManyPixels {
        width: u32,
        height: u32,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the image file is empty"),
            Self::Unrecognized(first_bytes) => write!(
                f,
                "unrecognized image format (first bytes: {first_bytes}). Supported: {IMAGE_FORMATS}"
            ),
            Self::Undecodable {
                media_type,
                error: ImageError::Unsupported(_),
            } => write!(f, "this server cannot decode {media_type} files"),
            Self::Undecodable { media_type, error } => {
                write!(f, "the {media_type} file cannot be decoded: {error}")
            }
            Self::TooManyPixels { width, height } => write!(
                f,
                "the image has {width} × {height} pixels, more than the limit of {MAX_PIXELS}"
            ),
        }
    }
}

fn first_bytes(file: &[u8]) -> String {
    let bytes = file.iter().take(SIGNATURE_BYTES);
    let mut text: Vec<_> = bytes.map(|byte| format!("{byte:02x}")).collect();
    if file.len() > SIGNATURE_BYTES {
        text.push("…".into());
    }
    text.join(" ")
}
