//! Decodes AVIF files, with the decoder of AV1 that `dav1d` became in Rust.

mod container;
mod pixels;

use contract::ImageFormat;
use image::{DynamicImage, RgbaImage, imageops};
use re_rav1d::dav1d::pixel::MatrixCoefficients;
use re_rav1d::dav1d::{Decoder, Picture, PixelLayout, Settings};

use crate::color::{Colors, Spaces};
use crate::error::DecodeError;
use crate::opened::OpenedImage;
use container::{Container, ContainerError, Item, Turn};
use pixels::{Matrix, Range, divide_by_alpha, set_alpha, to_rgb};

/// Memory for each pixel: the blocks' modes and filters, in bytes.
const MODE_BYTES: u64 = 4;

/// The curves of high dynamic range: TransferCharacteristics of ITU-T H.273.
const PQ: u16 = 16;
const HLG: u16 = 18;

/// An AVIF file whose container has been read.
pub struct AvifFile<'a> {
    container: Container<'a>,
    width: u32,
    height: u32,
}

impl<'a> AvifFile<'a> {
    /// Reads the container of a file.
    ///
    /// # Errors
    /// Fails if it is damaged, or if the kind of file is not supported.
    pub fn open(file: &'a [u8]) -> Result<Self, DecodeError> {
        let container = Container::read(file).map_err(|error| match error {
            ContainerError::Damaged => damaged(),
            ContainerError::Derived => refused("it consists of several images. Save it as JPEG."),
            ContainerError::Animation => refused("it is an animation. Save a frame as JPEG."),
        })?;
        if container.color.is_cropped() {
            return Err(refused("a part of it is cut off. Save it as JPEG."));
        }
        let (width, height) = container.color.size().ok_or_else(damaged)?;
        if width == 0 || height == 0 {
            return Err(damaged());
        }
        if let Some(alpha) = &container.alpha
            && alpha.size() != Some((width, height))
        {
            return Err(refused(
                "its transparency has another size. Save it as PNG.",
            ));
        }
        Ok(Self {
            container,
            width,
            height,
        })
    }
}

impl OpenedImage for AvifFile<'_> {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn memory(&self) -> u64 {
        let pixels = u64::from(self.width) * u64::from(self.height);
        // Of 16 bits, and once more with film grain.
        let samples = self.container.color.quarters_of_samples() * 2 * 2 / 4;
        let rgba = 4;
        let turned = if self.container.color.turns().next().is_some() {
            4
        } else {
            0
        };
        let profile = self.container.color.icc_profile().map_or(0, <[u8]>::len) as u64;
        let while_decoding = samples + MODE_BYTES;
        pixels * (while_decoding.max(rgba + turned) + rgba) + 12 * profile + (8 << 20)
    }

    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError> {
        let (mut image, colors) = self.decode_color()?;
        if let Some(alpha) = &self.container.alpha {
            let picture = self.decode_item(alpha)?;
            // As in `libavif`: what the container states counts for colors only.
            let range = Range::new(picture.bit_depth(), picture.color_range());
            set_alpha(&mut image, &picture, range);
            if self.container.is_premultiplied {
                divide_by_alpha(&mut image);
            }
        }
        let image = colors.convert(DynamicImage::ImageRgba8(image));
        let image = self.container.color.turns().fold(image, turn);
        Ok(match self.container.alpha {
            Some(_) => image,
            None => image.into_rgb8().into(),
        })
    }
}

impl<'a> AvifFile<'a> {
    fn decode_color(&self) -> Result<(RgbaImage, Colors<'a>), DecodeError> {
        let item = &self.container.color;
        let picture = self.decode_item(item)?;
        let coded = item.coded_colors();
        let matrix = match coded {
            Some(coded) => coded.matrix,
            None => code_of(picture.matrix_coefficients()),
        };
        let unsupported = || DecodeError::UnsupportedKind(ImageFormat::Avif);
        // Browsers compress their brightness by rules that change.
        if coded.is_some_and(|coded| matches!(coded.transfer, PQ | HLG)) {
            return Err(unsupported());
        }
        let matrix = Matrix::of_code(matrix).ok_or_else(unsupported)?;
        let range = coded.map_or(picture.color_range(), |coded| coded.range);
        if matrix == Matrix::Identity
            && matches!(
                picture.pixel_layout(),
                PixelLayout::I420 | PixelLayout::I422
            )
        {
            return Err(unsupported());
        }
        let image = to_rgb(&picture, matrix, Range::new(picture.bit_depth(), range));
        let colors = match (item.icc_profile(), coded) {
            (Some(profile), _) => Colors::of_icc(Some(profile), Spaces::Rgb),
            (None, Some(coded)) => Colors::of_codes(coded.primaries, coded.transfer),
            (None, None) => Colors::default(),
        };
        Ok((image, colors))
    }

    /// Decodes an item, whose size must be that of the file.
    fn decode_item(&self, item: &Item<'_>) -> Result<Picture, DecodeError> {
        let mut settings = Settings::new();
        // More threads would need more memory, and share the processors with other decodes.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_all_layers(false);
        let limit = self.width.saturating_mul(self.height);
        settings.set_frame_size_limit(limit);
        let mut decoder = Decoder::with_settings(&settings).map_err(|_| damaged())?;
        let data = item.parts.concat();
        if data.is_empty() {
            return Err(damaged());
        }
        match decoder.send_data(data, None, None, None) {
            Ok(()) | Err(re_rav1d::dav1d::Error::Again) => {}
            Err(_) => return Err(damaged()),
        }
        let picture = decoder.get_picture().map_err(|_| damaged())?;
        match (picture.width(), picture.height()) == (self.width, self.height) {
            true => Ok(picture),
            false => Err(damaged()),
        }
    }
}

fn turn(image: DynamicImage, turn: Turn) -> DynamicImage {
    match turn {
        Turn::Quarters(1) => image.rotate270(),
        Turn::Quarters(2) => image.rotate180(),
        Turn::Quarters(3) => image.rotate90(),
        Turn::Quarters(_) => image,
        Turn::TopBottom => {
            let mut image = image;
            imageops::flip_vertical_in_place(&mut image);
            image
        }
        Turn::LeftRight => {
            let mut image = image;
            imageops::flip_horizontal_in_place(&mut image);
            image
        }
    }
}

/// Returns the code of ITU-T H.273.
fn code_of(matrix: MatrixCoefficients) -> u16 {
    matrix as u16
}

fn damaged() -> DecodeError {
    refused("it is damaged. Save it again, or as JPEG.")
}

fn refused(reason: &'static str) -> DecodeError {
    let format = ImageFormat::Avif;
    DecodeError::Refused { format, reason }
}
