//! The colors of PNG files: the chunks `cICP`, `iCCP`, `sRGB`, `gAMA` and `cHRM`.

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics, XyY,
};

use super::icc::{IccProfile, Spaces};
use super::source::ColorSource;
use crate::png::{self, Chunk};

/// Chromium shows images of nearly this gamma as sRGB, if they do not state their primaries.
const SRGB_GAMMA: std::ops::Range<f32> = 0.4318..0.4773;

/// Reads what a PNG file states about its colors, in the order of
/// <https://www.w3.org/TR/png-3/#color-chunk-precendence>.
pub fn color_sources(file: &[u8]) -> Vec<ColorSource<'_>> {
    let is_wanted = |chunk: &Chunk| {
        matches!(
            chunk.name,
            b"IHDR" | b"cICP" | b"iCCP" | b"sRGB" | b"gAMA" | b"cHRM"
        )
    };
    let find = |name: &[u8]| {
        let mut chunks = png::chunks_before_data(file).filter(is_wanted);
        chunks.find(|chunk| chunk.name == name && chunk.has_checksum())
    };
    let mut sources = Vec::new();
    if let Some(profile) = find(b"cICP").and_then(|chunk| cicp(chunk.data)) {
        sources.push(ColorSource::Profile(profile.into()));
    }
    if let Some(profile) = find(b"iCCP").and_then(|chunk| icc(chunk.data)) {
        const COLOR_BIT: u8 = 2;
        let is_gray = find(b"IHDR")
            .is_some_and(|header| header.data.get(9).is_some_and(|kind| kind & COLOR_BIT == 0));
        let spaces = if is_gray {
            Spaces::RgbOrGray
        } else {
            Spaces::Rgb
        };
        sources.push(ColorSource::Icc(profile, spaces));
    }
    let is_srgb = find(b"sRGB").is_some_and(|chunk| matches!(chunk.data, [0..=3]));
    if !is_srgb && let Some(gamma) = find(b"gAMA") {
        let primaries = find(b"cHRM");
        let profile = gamma_profile(gamma.data, primaries.map(|chunk| chunk.data));
        sources.extend(profile.map(|profile| ColorSource::Profile(profile.into())));
    }
    sources
}

/// Returns the profile in an `iCCP` chunk, or `None` if it is damaged.
fn icc(chunk: &[u8]) -> Option<IccProfile<'_>> {
    const MAX_NAME_BYTES: usize = 79;
    let name = chunk
        .iter()
        .take(MAX_NAME_BYTES + 1)
        .position(|byte| *byte == 0)?;
    // After the name: the method of compression.
    let data = chunk.get(name + 1..)?.strip_prefix(&[0])?;
    (name > 0).then(|| IccProfile::deflated(data))?
}

/// Returns the profile of `gAMA` and `cHRM`, or `None` for sRGB.
fn gamma_profile(gamma: &[u8], primaries: Option<&[u8]>) -> Option<ColorProfile> {
    let [gamma] = numbers::<1>(gamma)?;
    if gamma == 0. || primaries.is_none() && SRGB_GAMMA.contains(&gamma) {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    if let Some(primaries) = primaries {
        let points = numbers::<8>(primaries)?;
        let [white, red, green, blue] = [0, 2, 4, 6].map(|at| Chromaticity {
            x: points[at],
            y: points[at + 1],
        });
        let is_valid = points.iter().all(|value| (0. ..=1.).contains(value)) && white.y > 0.;
        if !is_valid {
            return None;
        }
        set_primaries(
            &mut profile,
            white.to_xyyb(),
            ColorPrimaries { red, green, blue },
        )?;
    }
    profile.cicp = None;
    set_curve(&mut profile, vec![gamma.recip()]);
    Some(profile)
}

/// Reads numbers of 32 bits in units of 1 / 100,000.
fn numbers<const N: usize>(chunk: &[u8]) -> Option<[f32; N]> {
    let mut numbers = [0.; N];
    let bytes = chunk.chunks_exact(4);
    if bytes.len() != N {
        return None;
    }
    for (number, bytes) in numbers.iter_mut().zip(bytes) {
        *number = u32::from_be_bytes(bytes.try_into().ok()?) as f32 / 100_000.;
    }
    Some(numbers)
}

/// Returns whether a PNG file states colors that are not converted: those of high dynamic range, whose
/// brightness browsers compress, and those in CIE XYZ.
pub fn has_unread_colors(file: &[u8]) -> bool {
    const XYZ: u8 = 10;
    const PQ: u8 = 16;
    const HLG: u8 = 18;
    let mut chunks = png::chunks_before_data(file);
    let cicp = chunks.find(|chunk| chunk.name == b"cICP" && chunk.has_checksum());
    cicp.is_some_and(|chunk| matches!(chunk.data, [XYZ, _, 0, 1] | [_, PQ | HLG, 0, 1]))
}

/// Returns the profile of a `cICP` chunk, or `None` if Chromium does not use it.
pub fn cicp(chunk: &[u8]) -> Option<ColorProfile> {
    // The matrix must be that of RGB, with the full range.
    let &[primaries, transfer, 0, 1] = chunk else {
        return None;
    };
    let primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let curve = transfer_curve(transfer)?;
    let mut profile = ColorProfile::new_srgb();
    ColorPrimaries::try_from(primaries).ok()?;
    profile.update_rgb_colorimetry_from_cicp(CicpProfile {
        color_primaries: primaries,
        transfer_characteristics: TransferCharacteristics::Srgb,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.cicp = None;
    set_curve(&mut profile, curve);
    Some(profile)
}

/// Returns the parameters of the curve from coded to linear values, as Skia has them. `code`:
/// TransferCharacteristics in ITU-T H.273.
fn transfer_curve(code: u8) -> Option<Vec<f32>> {
    Some(match code {
        1 | 6 | 11 | 14 | 15 => vec![2.4],
        4 => vec![2.2],
        5 => vec![2.8],
        7 => vec![1. / 0.45, 0.899_626_7, 0.100_373_32, 0.25, 0.091_286_34],
        8 => vec![1.],
        13 => vec![2.4, 1. / 1.055, 0.055 / 1.055, 1. / 12.92, 0.04045],
        17 => vec![2.6, 1.034_080_5, 0., 0., 0.],
        _ => return None,
    })
}

fn set_curve(profile: &mut ColorProfile, parameters: Vec<f32>) {
    let curve = Some(ToneReprCurve::Parametric(parameters));
    profile.red_trc.clone_from(&curve);
    profile.green_trc.clone_from(&curve);
    profile.blue_trc = curve;
}

/// Sets the primaries of a profile. Returns `None` if they do not span a space.
fn set_primaries(profile: &mut ColorProfile, white: XyY, primaries: ColorPrimaries) -> Option<()> {
    profile.update_rgb_colorimetry(white, primaries);
    let volume = profile.profile_volume()?;
    (volume.is_finite() && volume.abs() > 1e-6).then_some(())
}
