//! Makes images of samples.

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Pixel, Primitive, RgbImage, RgbaImage,
};
use tiff::decoder::DecodingResult;

use super::kind::{Extra, Kind, Samples};
use crate::jpeg::{rgb_of_inks, rgb_of_ycbcr};

/// Returns the image of the decoded samples, or `None` if they are too few or of another type.
pub fn image(kind: Kind, samples: DecodingResult, color_map: &[u16]) -> Option<DynamicImage> {
    match samples {
        DecodingResult::U8(samples) => image_of_bytes(kind, samples, color_map),
        DecodingResult::U16(samples) => image_of_words(kind, samples),
        _ => None,
    }
}

fn image_of_bytes(kind: Kind, samples: Vec<u8>, color_map: &[u16]) -> Option<DynamicImage> {
    let Kind { width, height, .. } = kind;
    let samples = interleaved(kind, samples);
    Some(match kind.samples {
        Samples::Gray => {
            let highest = ((1_u16 << kind.bits) - 1) as u8;
            let scale = u8::MAX / highest;
            let grays = match scale {
                1 => samples,
                scale => unpacked(kind, &samples).map(|gray| gray * scale).collect(),
            };
            GrayImage::from_raw(width, height, grays)?.into()
        }
        Samples::Palette => {
            let palette = palette(kind.bits, color_map)?;
            let colors = unpacked(kind, &samples).flat_map(|index| palette[usize::from(index)]);
            RgbImage::from_raw(width, height, colors.collect())?.into()
        }
        Samples::GrayAnd(Extra::Unspecified) => {
            let grays = samples.chunks_exact(2).map(|pixel| pixel[0]);
            GrayImage::from_raw(width, height, grays.collect())?.into()
        }
        Samples::GrayAnd(extra) => {
            let mut image = GrayAlphaImage::from_raw(width, height, samples)?;
            separate(&mut image, extra);
            image.into()
        }
        Samples::Rgb | Samples::RgbAnd(Extra::Unspecified) => {
            RgbImage::from_raw(width, height, samples)?.into()
        }
        Samples::RgbAnd(extra) => {
            let mut image = RgbaImage::from_raw(width, height, samples)?;
            separate(&mut image, extra);
            image.into()
        }
        Samples::Cmyk => RgbImage::from_raw(width, height, rgb_of_inks(&samples))?.into(),
        Samples::YCbCr => {
            let mut samples = samples;
            for pixel in samples.chunks_exact_mut(3) {
                pixel.copy_from_slice(&rgb_of_ycbcr([pixel[0], pixel[1], pixel[2]]));
            }
            RgbImage::from_raw(width, height, samples)?.into()
        }
    })
}

fn image_of_words(kind: Kind, samples: Vec<u16>) -> Option<DynamicImage> {
    let Kind { width, height, .. } = kind;
    let samples = interleaved(kind, samples);
    Some(match kind.samples {
        Samples::Gray => DynamicImage::ImageLuma16(ImageBuffer::from_raw(width, height, samples)?),
        Samples::GrayAnd(Extra::Unspecified) => {
            let grays = samples.chunks_exact(2).map(|pixel| pixel[0]).collect();
            DynamicImage::ImageLuma16(ImageBuffer::from_raw(width, height, grays)?)
        }
        Samples::GrayAnd(extra) => {
            let mut image = ImageBuffer::from_raw(width, height, samples)?;
            separate(&mut image, extra);
            DynamicImage::ImageLumaA16(image)
        }
        Samples::Rgb | Samples::RgbAnd(Extra::Unspecified) => {
            DynamicImage::ImageRgb16(ImageBuffer::from_raw(width, height, samples)?)
        }
        Samples::RgbAnd(extra) => {
            let mut image = ImageBuffer::from_raw(width, height, samples)?;
            separate(&mut image, extra);
            DynamicImage::ImageRgba16(image)
        }
        Samples::Cmyk => {
            let colors = samples.chunks_exact(4).flat_map(|inks| {
                let paper = |ink: u16| u64::from(u16::MAX - ink);
                [inks[0], inks[1], inks[2]].map(|ink| (paper(ink) * paper(inks[3]) / 65_535) as u16)
            });
            DynamicImage::ImageRgb16(ImageBuffer::from_raw(width, height, colors.collect())?)
        }
        Samples::Palette | Samples::YCbCr => return None,
    })
}

/// Divides colors by the opacity with which they are multiplied.
fn separate<P: Pixel<Subpixel: Into<u32> + TryFrom<u32>>>(
    image: &mut ImageBuffer<P, Vec<P::Subpixel>>,
    extra: Extra,
) {
    if extra != Extra::AssociatedAlpha {
        return;
    }
    let highest: u32 = P::Subpixel::DEFAULT_MAX_VALUE.into();
    for pixel in image.pixels_mut() {
        let Some((alpha, colors)) = pixel.channels_mut().split_last_mut() else {
            continue;
        };
        let alpha: u32 = (*alpha).into();
        for color in colors {
            let multiplied: u32 = (*color).into();
            let separated = (u64::from(multiplied) * u64::from(highest) + u64::from(alpha) / 2)
                .checked_div(alpha.into())
                .unwrap_or(0)
                .min(highest.into());
            *color =
                P::Subpixel::try_from(separated as u32).unwrap_or(P::Subpixel::DEFAULT_MAX_VALUE);
        }
    }
}

/// Returns samples pixel by pixel that are stored plane by plane.
fn interleaved<T: Copy + Default>(kind: Kind, samples: Vec<T>) -> Vec<T> {
    let count = kind.samples.decoded_count() as usize;
    if !kind.is_planar || count == 1 {
        return samples;
    }
    let plane = samples.len() / count;
    let mut pixels = vec![T::default(); plane * count];
    for (index, pixel) in pixels.chunks_exact_mut(count).enumerate() {
        for (channel, sample) in pixel.iter_mut().enumerate() {
            *sample = samples[channel * plane + index];
        }
    }
    pixels
}

/// Returns the samples of a gray image or palette, one after the other.
fn unpacked(kind: Kind, samples: &[u8]) -> impl Iterator<Item = u8> {
    let bits = u32::from(kind.bits);
    let row_bytes = (kind.width as usize * usize::from(kind.bits)).div_ceil(8);
    let highest = ((1_u16 << bits) - 1) as u8;
    samples.chunks_exact(row_bytes).flat_map(move |row| {
        (0..kind.width).map(move |column| {
            let at = column as usize * bits as usize;
            row[at / 8] >> (8 - bits - at as u32 % 8) & highest
        })
    })
}

/// Returns the colors of a color map: all reds, all greens, all blues. Returns `None` if there are too
/// few.
fn palette(bits: u8, map: &[u16]) -> Option<Vec<[u8; 3]>> {
    let count = 1 << bits;
    // Some programs write 8 bits, of 16.
    let shift = if map.iter().all(|value| *value < 256) {
        0
    } else {
        8
    };
    (map.len() == 3 * count).then(|| {
        let colors = 0..count;
        colors
            .map(|index| [0, 1, 2].map(|channel| (map[channel * count + index] >> shift) as u8))
            .collect()
    })
}
