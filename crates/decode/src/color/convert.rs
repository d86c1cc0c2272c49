//! Converts pixels from the colors of a profile to sRGB.

use std::sync::Arc;

use image::{DynamicImage, ImageBuffer, Pixel};
use moxcms::{CmsError, ColorProfile, Layout, TransformExecutor, TransformOptions};

/// Channels that differ by at most this much, of 255, are the same.
const TOLERANCE: u8 = 1;

/// The distance of the levels at which colors are compared.
const STEP: usize = 17;

/// A conversion of pixels to sRGB.
pub struct Conversion {
    profile: ColorProfile,
    keeps_neutral: bool,
}

impl Conversion {
    /// Returns the conversion from the colors of a profile, or `None` if it changes nothing or is not
    /// possible.
    pub fn from_profile(profile: ColorProfile) -> Option<Self> {
        let levels = || (0..=u8::MAX).step_by(STEP);
        let grays: Vec<_> = (0..=u8::MAX).flat_map(|gray| [gray; 3]).collect();
        let colors: Vec<_> = levels()
            .flat_map(|red| {
                levels().flat_map(move |green| levels().flat_map(move |blue| [red, green, blue]))
            })
            .collect();
        let executor = u8::executor(&profile, Layout::Rgb).ok()?;
        let converted = |colors: &[u8]| {
            let mut converted = vec![0; colors.len()];
            executor.transform(colors, &mut converted).ok()?;
            Some(converted)
        };
        let is_same = |a: u8, b: u8| a.abs_diff(b) <= TOLERANCE;
        let (new_colors, new_grays) = (converted(&colors)?, converted(&grays)?);
        let mut pairs = colors.iter().zip(&new_colors);
        if pairs.all(|(before, after)| is_same(*before, *after)) {
            return None;
        }
        let keeps_neutral = new_grays
            .chunks_exact(3)
            .all(|gray| is_same(gray[0], gray[1]) && is_same(gray[1], gray[2]));
        Some(Self {
            profile,
            keeps_neutral,
        })
    }

    /// Converts the pixels of an image. A gray image becomes colored if the profile tints gray.
    pub fn apply(&self, image: DynamicImage) -> DynamicImage {
        use DynamicImage::*;
        let mut image = match (self.keeps_neutral, image) {
            (false, image @ ImageLuma8(_)) => image.into_rgb8().into(),
            (false, image @ ImageLumaA8(_)) => image.into_rgba8().into(),
            (false, image @ ImageLuma16(_)) => image.into_rgb16().into(),
            (false, image @ ImageLumaA16(_)) => image.into_rgba16().into(),
            (_, image) => image,
        };
        match &mut image {
            ImageLuma8(pixels) => self.convert_grays(pixels),
            ImageLumaA8(pixels) => self.convert_grays(pixels),
            ImageLuma16(pixels) => self.convert_grays(pixels),
            ImageLumaA16(pixels) => self.convert_grays(pixels),
            ImageRgb8(pixels) => self.convert_colors(pixels, Layout::Rgb),
            ImageRgba8(pixels) => self.convert_colors(pixels, Layout::Rgba),
            ImageRgb16(pixels) => self.convert_colors(pixels, Layout::Rgb),
            ImageRgba16(pixels) => self.convert_colors(pixels, Layout::Rgba),
            // No decoder returns images of other kinds.
            _ => {}
        }
        image
    }

    fn convert_colors<P: Pixel<Subpixel: Depth>>(
        &self,
        pixels: &mut ImageBuffer<P, Vec<P::Subpixel>>,
        layout: Layout,
    ) {
        let Ok(executor) = P::Subpixel::executor(&self.profile, layout) else {
            return;
        };
        let row = pixels.width() as usize * usize::from(P::CHANNEL_COUNT);
        let mut before = Vec::with_capacity(row);
        for row in pixels.chunks_exact_mut(row.max(1)) {
            before.clear();
            before.extend_from_slice(row);
            // Fails for buffers of different sizes alone.
            let _ = executor.transform(&before, row);
        }
    }

    /// Converts the first channel of each pixel.
    fn convert_grays<P: Pixel<Subpixel: Depth>>(
        &self,
        pixels: &mut ImageBuffer<P, Vec<P::Subpixel>>,
    ) {
        let Ok(executor) = P::Subpixel::executor(&self.profile, Layout::Rgb) else {
            return;
        };
        let grays: Vec<_> = P::Subpixel::levels().flat_map(|gray| [gray; 3]).collect();
        let mut converted = grays.clone();
        if executor.transform(&grays, &mut converted).is_err() {
            return;
        }
        for pixel in pixels.chunks_exact_mut(usize::from(P::CHANNEL_COUNT)) {
            pixel[0] = converted[3 * pixel[0].index() + 1];
        }
    }
}

/// Converts pixels of four inks to sRGB. Returns `None` if the profile cannot be used.
pub fn convert_print(profile: &ColorProfile, inks: &[u8]) -> Option<Vec<u8>> {
    // The layout of any four channels.
    const INKS: Layout = Layout::Rgba;
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let executor = profile.create_transform_8bit(INKS, &srgb, Layout::Rgb, options);
    let mut colors = vec![0; inks.len() / 4 * 3];
    executor.ok()?.transform(inks, &mut colors).ok()?;
    Some(colors)
}

type Executor<T> = Arc<dyn TransformExecutor<T> + Send + Sync>;

/// A type of channels.
trait Depth: Copy + Default {
    /// Returns what converts pixels of this layout to sRGB.
    fn executor(profile: &ColorProfile, layout: Layout) -> Result<Executor<Self>, CmsError>;

    /// Returns all values in ascending order.
    fn levels() -> impl Iterator<Item = Self>;

    /// Returns the position of the value among all values.
    fn index(self) -> usize;
}

impl Depth for u8 {
    fn executor(profile: &ColorProfile, layout: Layout) -> Result<Executor<Self>, CmsError> {
        let target = ColorProfile::new_srgb();
        profile.create_transform_8bit(layout, &target, layout, TransformOptions::default())
    }

    fn levels() -> impl Iterator<Item = Self> {
        Self::MIN..=Self::MAX
    }

    fn index(self) -> usize {
        self.into()
    }
}

impl Depth for u16 {
    fn executor(profile: &ColorProfile, layout: Layout) -> Result<Executor<Self>, CmsError> {
        let target = ColorProfile::new_srgb();
        profile.create_transform_16bit(layout, &target, layout, TransformOptions::default())
    }

    fn levels() -> impl Iterator<Item = Self> {
        Self::MIN..=Self::MAX
    }

    fn index(self) -> usize {
        self.into()
    }
}
