//! The picture of a session: taken out of its `data:` URI, and really decoded.

use std::io::Cursor;

use base64_simd::STANDARD;
use contract::IMAGE_TYPES;
use image::{DynamicImage, ImageDecoder, ImageReader, ImageResult, Limits};

/// More pixels than this are not decoded.
const MOST_PIXELS: u64 = 64_000_000;

/// Where the picture of a session is.
#[derive(Clone, Debug)]
pub enum Picture {
    /// The file itself, which was decoded once to know that it can be.
    Stored(Vec<u8>),
    /// An address that the caller named.
    Remote(String),
}

impl Picture {
    /// Reads an `image_url`.
    ///
    /// # Errors
    /// Why it is no picture that can be read, in words.
    pub fn read(image_url: &str) -> Result<Self, String> {
        if is_scheme(image_url, "data:") {
            return stored(image_url);
        }
        if is_scheme(image_url, "https://") || is_scheme(image_url, "http://") {
            return Ok(Self::Remote(image_url.into()));
        }
        Err(
            "image_url: allowed: an https: or http: address, or data:<mediatype>;base64,<picture>"
                .into(),
        )
    }
}

fn is_scheme(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn stored(data_uri: &str) -> Result<Picture, String> {
    let (prefix, base64) = data_uri["data:".len()..]
        .split_once(',')
        .ok_or("image_url: a data: address without a comma")?;
    let mut prefix = prefix.split(';');
    let declared = prefix.next().unwrap_or_default().to_ascii_lowercase();
    if prefix
        .next_back()
        .is_none_or(|last| !last.eq_ignore_ascii_case("base64"))
    {
        return Err("image_url: a data: address that is not base64".into());
    }
    let bytes = STANDARD
        .decode_to_vec(base64)
        .map_err(|_| "image_url: the data: address holds what is no base64")?;
    // A name that everybody uses for the same type.
    let named = |media_type: &str| {
        declared == media_type || (declared == "image/jpg" && media_type == "image/jpeg")
    };
    if let Some(media_type) = contract::sniff(&bytes).filter(|media_type| !named(media_type)) {
        return Err(format!(
            "image_url: the data is {media_type}, and not the {declared} that it says"
        ));
    }
    open(&bytes).map_err(|reason| format!("image_url: {reason}"))?;
    Ok(Picture::Stored(bytes))
}

/// Decodes a picture's file.
///
/// # Errors
/// Why it is no picture that can be read, in words.
pub fn open(file: &[u8]) -> Result<DynamicImage, String> {
    let media_type = contract::sniff(file).ok_or_else(|| {
        format!(
            "the data is no picture that is known ({})",
            IMAGE_TYPES.join(", ")
        )
    })?;
    decode(file).map_err(|reason| format!("the {media_type} cannot be read: {reason}"))
}

/// The picture, upright where the file says how it was held.
fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * MOST_PIXELS);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!(
            "{width} × {height} are more than {MOST_PIXELS} pixels"
        ));
    }
    upright(decoder).map_err(|error| error.to_string())
}

fn upright(mut decoder: impl ImageDecoder) -> ImageResult<DynamicImage> {
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}
