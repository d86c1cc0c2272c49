//! Converts the colors of decoded images to sRGB, as Chromium shows them.

mod convert;
mod icc;
mod png;
mod source;

use std::borrow::Cow;

use image::DynamicImage;
use moxcms::ColorProfile;

use self::convert::Conversion;
use self::icc::IccProfile;
pub use self::icc::Spaces;
use self::source::ColorSource;

/// The memory of a conversion's tables, in bytes: 65,536 values of each channel on both sides.
const TABLE_BYTES: u64 = 4 << 20;

/// What the pixels of a decoded image have beside opacity.
#[derive(Clone, Copy)]
pub enum Channels {
    /// Brightness only.
    Gray,
    /// Colors.
    Color,
}

/// Everything that a file states about its colors. The first readable statement counts.
#[derive(Default)]
pub struct Colors<'a>(Vec<ColorSource<'a>>);

impl<'a> Colors<'a> {
    /// Returns the colors of a file with an ICC profile.
    pub fn of_icc(profile: Option<impl Into<Cow<'a, [u8]>>>, spaces: Spaces) -> Self {
        let profile = profile.map(|profile| IccProfile::Plain(profile.into()));
        Self(Vec::from_iter(
            profile.map(|profile| ColorSource::Icc(profile, spaces)),
        ))
    }

    /// Returns the colors of a PNG file, or `None` if they cannot be converted.
    pub fn of_png(file: &'a [u8]) -> Option<Self> {
        (!png::has_unread_colors(file)).then(|| Self(png::color_sources(file)))
    }

    /// Returns the colors of codes of ITU-T H.273. Unspecified and unknown ones are sRGB.
    #[cfg(not(target_family = "wasm"))]
    pub fn of_codes(primaries: u16, transfer: u16) -> Self {
        const UNSPECIFIED: u16 = 2;
        const BT709_PRIMARIES: u16 = 1;
        const SRGB_CURVE: u16 = 13;
        let primaries = match primaries {
            UNSPECIFIED => BT709_PRIMARIES,
            primaries => primaries,
        };
        let transfer = match transfer {
            // Chromium shows the curves of cameras as that of sRGB, except in PNG files.
            UNSPECIFIED | 1 | 6 | 14 | 15 => SRGB_CURVE,
            transfer => transfer,
        };
        let codes = u8::try_from(primaries)
            .ok()
            .zip(u8::try_from(transfer).ok());
        let codes = codes.filter(|_| (primaries, transfer) != (BT709_PRIMARIES, SRGB_CURVE));
        let profile =
            codes.and_then(|(primaries, transfer)| png::cicp(&[primaries, transfer, 0, 1]));
        Self(Vec::from_iter(
            profile.map(|profile| ColorSource::Profile(profile.into())),
        ))
    }

    /// Returns the colors of a file whose pixels are inks, or `None` if the profile is not one of them.
    pub fn of_print(profile: Vec<u8>) -> Option<Self> {
        const SPACE: std::ops::Range<usize> = 16..20;
        let is_print = profile.get(SPACE)? == b"CMYK";
        is_print.then(|| Self::of_icc(Some(profile), Spaces::Cmyk))
    }

    /// Estimates the memory that [`Colors::convert`] needs beside the image, in bytes. `decoded` is the
    /// size of the decoded image.
    pub fn memory(&self, decoded: u64, channels: Channels) -> u64 {
        let statements = self.0.iter().map(|source| match source {
            // The profile, its tables as numbers of 32 bits, and copies of them.
            ColorSource::Icc(profile, _) => TABLE_BYTES + 12 * profile.size() as u64,
            ColorSource::Profile(_) => TABLE_BYTES,
        });
        match (statements.max(), channels) {
            // A gray image may become a colored one.
            (Some(tables), Channels::Gray) => tables + 3 * decoded,
            (Some(tables), Channels::Color) => tables,
            (None, _) => 0,
        }
    }

    /// Converts an image to sRGB.
    pub fn convert(self, image: DynamicImage) -> DynamicImage {
        match self.profile().and_then(Conversion::from_profile) {
            Some(conversion) => conversion.apply(image),
            None => image,
        }
    }

    /// Converts pixels of four inks to sRGB. Returns `None` if the profile is damaged.
    pub fn convert_print(self, inks: &[u8]) -> Option<Vec<u8>> {
        convert::convert_print(&self.profile()?, inks)
    }

    /// Returns the profile of the pixels, or `None` for sRGB.
    fn profile(self) -> Option<ColorProfile> {
        for source in self.0 {
            match source {
                ColorSource::Profile(profile) => return Some(*profile),
                ColorSource::Icc(file, spaces) => {
                    if let Some(profile) = file.parse() {
                        // Chromium looks for no other statement if the profile can be read.
                        return icc::usable(profile, spaces);
                    }
                }
            }
        }
        None
    }
}
