//! Reads ICC profiles of strangers.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;
use moxcms::{ColorProfile, DataColorSpace, ParsingOptions};

/// Larger profiles are ignored. Those of printers take two megabytes.
pub const MAX_PROFILE_BYTES: usize = 4 << 20;

const HEADER_BYTES: usize = 128;
const ENTRY_BYTES: usize = 12;

/// An ICC profile in a file.
pub enum IccProfile<'a> {
    /// As it is stored.
    Plain(Cow<'a, [u8]>),
    /// As a zlib stream, which must inflate to `size` bytes.
    Deflated {
        /// The zlib stream.
        data: &'a [u8],
        /// The size that the profile's header states.
        size: usize,
    },
}

impl<'a> IccProfile<'a> {
    /// Reads the size of a deflated profile. Returns `None` if it is damaged or too large.
    pub fn deflated(data: &'a [u8]) -> Option<Self> {
        let mut size = [0; 4];
        ZlibDecoder::new(data).read_exact(&mut size).ok()?;
        let size = u32::from_be_bytes(size) as usize;
        (HEADER_BYTES..=MAX_PROFILE_BYTES)
            .contains(&size)
            .then_some(Self::Deflated { data, size })
    }

    /// Returns the number of bytes of the profile.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(profile) => profile.len(),
            Self::Deflated { size, .. } => *size,
        }
    }

    /// Reads the profile. Returns `None` if it is damaged or too large.
    pub fn parse(&self) -> Option<ColorProfile> {
        if self.size() > MAX_PROFILE_BYTES {
            return None;
        }
        match self {
            Self::Plain(profile) => parse(profile),
            Self::Deflated { data, size } => {
                let mut profile = Vec::with_capacity(*size);
                // One byte more, so that the checksum is read.
                let mut inflated = ZlibDecoder::new(*data).take(*size as u64 + 1);
                inflated.read_to_end(&mut profile).ok()?;
                (profile.len() == *size).then(|| parse(&profile))?
            }
        }
    }
}

/// The color spaces of profiles that are used with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spaces {
    /// RGB.
    Rgb,
    /// RGB and gray, for gray images.
    RgbOrGray,
    /// CMYK.
    Cmyk,
}

/// Returns a profile if it can be used with an image. A gray profile becomes one of RGB whose neutral
/// colors are the same.
pub fn usable(profile: ColorProfile, spaces: Spaces) -> Option<ColorProfile> {
    match (profile.color_space, spaces) {
        (DataColorSpace::Rgb, Spaces::Rgb | Spaces::RgbOrGray)
        | (DataColorSpace::Cmyk, Spaces::Cmyk) => Some(profile),
        (DataColorSpace::Gray, Spaces::RgbOrGray) => {
            let mut neutral = ColorProfile::new_srgb();
            neutral.red_trc.clone_from(&profile.gray_trc);
            neutral.green_trc.clone_from(&profile.gray_trc);
            neutral.blue_trc = profile.gray_trc;
            neutral.cicp = None;
            Some(neutral)
        }
        _ => None,
    }
}

fn parse(file: &[u8]) -> Option<ColorProfile> {
    let file = with_used_tags(file)?;
    let options = ParsingOptions {
        max_profile_size: MAX_PROFILE_BYTES + 1,
        max_allowed_clut_size: MAX_PROFILE_BYTES,
        // The whole range of 16 bits.
        max_allowed_trc_size: 1 << 16,
    };
    let profile = ColorProfile::new_from_slice_with_options(&file, options).ok()?;
    let has_table = profile.lut_a_to_b_perceptual.is_some();
    let is_usable = match profile.color_space {
        DataColorSpace::Rgb => {
            has_table || profile.is_matrix_shaper() && profile.pcs == DataColorSpace::Xyz
        }
        DataColorSpace::Gray => profile.gray_trc.is_some() && profile.pcs == DataColorSpace::Xyz,
        DataColorSpace::Cmyk => has_table,
        _ => false,
    };
    is_usable.then_some(profile)
}

/// Copies a profile with those tags alone that a conversion to sRGB needs. The others cost time and
/// memory: a table of tags may name the same megabytes thousands of times. Returns `None` if a needed
/// tag is outside of the profile or has a wrong number of channels.
fn with_used_tags(file: &[u8]) -> Option<Vec<u8>> {
    let count = number(file, HEADER_BYTES)?;
    let table = file.get(HEADER_BYTES + 4..)?;
    let entries = table
        .chunks_exact(ENTRY_BYTES)
        .take(count)
        .map(|entry| (&entry[..4], &entry[4..]));
    let find = |wanted: &[u8; 4]| entries.clone().find(|(name, _)| name == wanted);
    let space = file.get(16..20)?;
    let channels = match space {
        b"RGB " => 3,
        b"CMYK" => 4,
        b"GRAY" => 1,
        _ => return None,
    };
    let lookup = match channels {
        1 => None,
        // The order in which Chromium looks for them.
        _ => find(b"A2B0").or_else(|| find(b"A2B1")),
    };
    let mut kept = Vec::new();
    if let Some((_, extent)) = lookup {
        kept.push((&b"A2B0"[..], extent));
        let tag = file.get(number(extent, 0)?..)?;
        if tag.get(8..10)? != [channels, 3] {
            return None;
        }
    } else {
        let names: &[&[u8; 4]] = match channels {
            1 => &[b"kTRC"],
            _ => &[b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"],
        };
        for name in names {
            kept.push(find(name)?);
        }
    }
    let mut used = file.to_vec();
    used[HEADER_BYTES..HEADER_BYTES + 4].copy_from_slice(&(kept.len() as u32).to_be_bytes());
    for (index, (name, extent)) in kept.into_iter().enumerate() {
        let end = number(extent, 0)?.checked_add(number(extent, 4)?)?;
        if end > file.len() {
            return None;
        }
        let entry = HEADER_BYTES + 4 + index * ENTRY_BYTES;
        used[entry..entry + 4].copy_from_slice(name);
        used[entry + 4..entry + ENTRY_BYTES].copy_from_slice(extent);
    }
    Some(used)
}

/// Reads a number of 32 bits.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes) as usize)
}
