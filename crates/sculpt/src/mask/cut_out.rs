//! Which part of an image becomes the model: what is opaque, what the caller's mask covers, the object
//! that a network sees, what differs from the background, or all of it.

use contract::{
    CutoutChoice, CutoutMethod, CutoutReport, CutoutShape, MASK_URL, ModelShape, ShapeChoice,
};
use image::{DynamicImage, GrayImage, ImageResult, RgbImage, Rgba, RgbaImage};

#[cfg(feature = "import")]
use super::guided_filter::GuidedMask;
use super::network::{interpret, network_input};
use super::segmenter::{SegmentError, Segmenter};
use super::{background, crop, network};
use crate::images::{encode_png, shrink_to_fit, to_rgba8};
use crate::scalar_field::ScalarField;
use crate::shape;

/// The longest edge of a mask, in pixels.
const MAX_EDGE: u32 = 512;
/// An image with at least this part of clear pixels, in percent, has its object cut out already.
const CLEAR_PERCENT: usize = 1;
/// The widths of the edges where the colors are still mixed with the background's, in pixels of the
/// mask.
const CUT_OUT_MARGIN: f32 = 1.5;
const SEGMENTED_MARGIN: f32 = 3.0;
/// The proportions of a mask differ by at most this part from those of its image, because of rounding
/// when both are scaled.
const MAX_MASK_DISTORTION: f32 = 0.02;

/// How an object is cut out of an image.
#[derive(Clone, Copy, Default)]
pub struct CutoutRequest<'a> {
    /// The caller's choice.
    pub choice: CutoutChoice,
    /// A mask of the caller's own with the proportions of the image, which decides in place of
    /// `choice`. Its opacity counts if it has transparent pixels, otherwise its brightness.
    pub mask: Option<&'a DynamicImage>,
    /// The kind of shape that the caller wants. With a relief, the whole image becomes the model unless
    /// the caller chooses or sends a cutout.
    pub shape: ShapeChoice,
    /// The network, if there is one.
    pub segmenter: Option<&'a dyn Segmenter>,
}

/// The part of an image that becomes the model.
#[derive(Clone, Debug)]
pub struct Cutout {
    /// How much of each part belongs to the model, from 0 to 1, over the whole image.
    pub(crate) coverage: ScalarField,
    /// How the part was found.
    pub report: CutoutReport,
    /// The kind of shape that the model has.
    pub shape: ModelShape,
}

/// Why nothing is cut out of an image.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CutoutError {
    /// There is no object.
    #[error(transparent)]
    NoObject(#[from] NoObjectError),
    /// The caller chose the network, which is not available.
    #[error(transparent)]
    Network(#[from] SegmentError),
    /// The caller's mask does not fit the image.
    #[error(
        "{MASK_URL}: the mask has {} × {} pixels: expected the proportions of the image, {} × {}",
        mask.0, mask.1, image.0, image.1
    )]
    Mask {
        /// The width and height of the mask.
        mask: (u32, u32),
        /// The width and height of the image.
        image: (u32, u32),
    },
    /// The caller's mask covers nothing.
    #[error(
        "{MASK_URL}: the mask is empty: expected the object to be white, or opaque if the mask has transparent pixels"
    )]
    EmptyMask,
}

/// Why an image has nothing that could become a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoObjectError {
    /// All pixels are more than half transparent.
    #[error("The image is fully transparent: expected an image with a visible object")]
    Transparent,
    /// The object has no part that a model could show.
    #[error("The object in the image is too small or too fine for a 3D model")]
    TooFine,
}

/// Finds the part of an image that becomes the model.
///
/// # Errors
/// Fails if the image is transparent all over, if the mask has other proportions than the image or
/// covers nothing, or if the network is chosen and not available.
pub fn cut_out(image: &DynamicImage, request: &CutoutRequest) -> Result<Cutout, CutoutError> {
    let image = to_rgba8(image);
    let mut cutout = find(&image, request)?;
    cutout.shape = match request.shape {
        ShapeChoice::Auto => cutout.suggested_shape(&image),
        ShapeChoice::Round => ModelShape::Round,
        ShapeChoice::Revolved => ModelShape::Revolved,
        ShapeChoice::Extruded => ModelShape::Extruded,
        ShapeChoice::Relief => ModelShape::Relief,
    };
    Ok(cutout)
}

fn find(image: &RgbaImage, request: &CutoutRequest) -> Result<Cutout, CutoutError> {
    let content = Content::of(image);
    if content == Content::Transparent {
        return Err(NoObjectError::Transparent.into());
    }
    if let Some(mask) = request.mask {
        return from_mask(image.dimensions(), mask);
    }
    let small = shrink_to_fit(image, MAX_EDGE);
    let alpha = opacity_field(&small);
    let object = |coverage: ScalarField, method| Cutout::new(coverage, method, CutoutShape::Object);
    let relief = |method| Cutout::new(alpha.clone(), method, CutoutShape::Relief);
    match Method::chosen(request, content) {
        Method::Alpha => return Ok(object(alpha, CutoutMethod::Alpha)),
        Method::None => return Ok(relief(CutoutMethod::None)),
        Method::Network { is_required } => {
            let unavailable = || Err(SegmentError("this server has none".into()));
            let segmented = request
                .segmenter
                .map_or_else(unavailable, |segmenter| segment(image, &small, segmenter));
            match segmented {
                Ok(segmentation) => {
                    let method = CutoutMethod::Network;
                    let mut cutout = match segmentation.coverage {
                        Some(coverage) => object(coverage.min(&alpha), method),
                        None => relief(method),
                    };
                    cutout.report.confidence = Some(segmentation.confidence);
                    return Ok(cutout);
                }
                Err(error) if is_required => return Err(error.into()),
                Err(_) => {}
            }
        }
        Method::Background => {}
    }
    let method = CutoutMethod::Background;
    Ok(match background::segment(&small) {
        Some(coverage) => object(coverage.min(&alpha), method),
        None => relief(method),
    })
}

/// Returns the image as the network takes it, whose input has this size. Returns `None` if
/// [`cut_out`] does not need the network for this image.
pub fn prepare_network_input(
    image: &DynamicImage,
    request: &CutoutRequest,
    size: (u32, u32),
) -> Option<RgbImage> {
    let image = to_rgba8(image);
    let method = Method::chosen(request, Content::of(&image));
    let is_needed = request.mask.is_none() && matches!(method, Method::Network { .. });
    is_needed.then(|| network_input(&image, size))
}

impl Cutout {
    fn new(coverage: ScalarField, method: CutoutMethod, shape: CutoutShape) -> Self {
        let covered = coverage.values.iter().filter(|value| **value > 0.5).count();
        Self {
            report: CutoutReport {
                method,
                coverage: covered as f32 / coverage.values.len().max(1) as f32,
                confidence: None,
                shape,
            },
            coverage,
            shape: plain_shape(shape),
        }
    }

    /// Returns a cutout that was [written](Cutout::to_png) before. Without a `shape`, it is the one that
    /// cutouts had before there were several kinds.
    pub fn from_image(mask: &GrayImage, report: CutoutReport, shape: Option<ModelShape>) -> Self {
        Self {
            coverage: gray_field(mask),
            report,
            shape: shape.unwrap_or(plain_shape(report.shape)),
        }
    }

    fn suggested_shape(&self, image: &RgbaImage) -> ModelShape {
        match (self.report.shape, crop(&self.coverage, image.dimensions())) {
            (CutoutShape::Object, Some((rect, coverage))) => {
                shape::suggested(image, rect, &coverage)
            }
            (shape, _) => plain_shape(shape),
        }
    }

    /// Returns the coverage as a grayscale image, with a longest edge of at most 512 pixels: white is
    /// the object.
    pub fn to_image(&self) -> GrayImage {
        let ScalarField { width, height, .. } = self.coverage;
        GrayImage::from_fn(width as u32, height as u32, |x, y| {
            let value = 255.0 * self.coverage.at(x as usize, y as usize);
            [value.round() as u8].into()
        })
    }

    /// Writes [the coverage](Cutout::to_image) as a PNG file.
    ///
    /// # Errors
    /// Never fails, as far as is known.
    pub fn to_png(&self) -> ImageResult<Vec<u8>> {
        encode_png(&self.to_image().into())
    }

    /// Returns the coverage at the size of an enlarged or shrunk image. Edges that were found in the
    /// image are found again at its resolution.
    #[cfg(feature = "import")]
    pub(crate) fn coverage_of(&self, image: &RgbaImage) -> ScalarField {
        let (width, height) = image.dimensions();
        let (full_width, full_height) = (width as usize, height as usize);
        let coverage = &self.coverage;
        let is_found = matches!(
            self.report.method,
            CutoutMethod::Network | CutoutMethod::Background
        );
        if !is_found || full_width <= coverage.width {
            return coverage.clone().resized(full_width, full_height);
        }
        let size = (coverage.width as u32, coverage.height as u32);
        let small = image::imageops::thumbnail(image, size.0, size.1);
        let mut fitted = GuidedMask::fit(&small, coverage).apply(image);
        for value in &mut fitted.values {
            *value = value.clamp(0.0, 1.0);
        }
        fitted
    }

    /// Returns how far inside the contour the colors are free of the background's, in pixels of the
    /// coverage.
    pub(crate) fn margin(&self) -> f32 {
        match (self.report.shape, self.report.method) {
            (CutoutShape::Relief, _) => 0.0,
            (CutoutShape::Object, CutoutMethod::Alpha) => CUT_OUT_MARGIN,
            (CutoutShape::Object, _) => SEGMENTED_MARGIN,
        }
    }
}

fn plain_shape(shape: CutoutShape) -> ModelShape {
    match shape {
        CutoutShape::Object => ModelShape::Round,
        CutoutShape::Relief => ModelShape::Relief,
    }
}

/// What an image shows, by its transparency and its colors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A single color: there is no object.
    Uniform,
    /// All of its area, or nearly.
    Opaque,
    /// An object that is cut out already.
    CutOut,
    /// Nothing.
    Transparent,
}

impl Content {
    fn of(image: &RgbaImage) -> Self {
        let pixels = image.pixels().len();
        let clear = image.pixels().filter(|pixel| is_clear(pixel)).count();
        if clear == pixels {
            Self::Transparent
        } else if clear * 100 >= CLEAR_PERCENT * pixels {
            Self::CutOut
        } else if image.pixels().all(|pixel| pixel == image.get_pixel(0, 0)) {
            Self::Uniform
        } else {
            Self::Opaque
        }
    }
}

/// How the object is found in a particular image.
enum Method {
    Alpha,
    Network { is_required: bool },
    Background,
    None,
}

impl Method {
    fn chosen(request: &CutoutRequest, content: Content) -> Self {
        let choice = match (request.choice, request.shape) {
            (CutoutChoice::Auto, ShapeChoice::Relief) => CutoutChoice::Keep,
            (choice, _) => choice,
        };
        match (choice, content) {
            (CutoutChoice::Auto | CutoutChoice::Keep, Content::CutOut) => Self::Alpha,
            (CutoutChoice::Auto | CutoutChoice::Background, Content::Uniform) => Self::None,
            (CutoutChoice::Auto, _) => Self::Network { is_required: false },
            (CutoutChoice::Keep, _) => Self::None,
            (CutoutChoice::Network, _) => Self::Network { is_required: true },
            (CutoutChoice::Background, _) => Self::Background,
        }
    }
}

fn segment(
    image: &RgbaImage,
    small: &RgbaImage,
    segmenter: &dyn Segmenter,
) -> Result<network::Segmentation, SegmentError> {
    let (width, height) = segmenter.input_size();
    let logits = segmenter.segment(image)?;
    let (width, height) = (width as usize, height as usize);
    if logits.len() != width * height || logits.iter().any(|logit| logit.is_nan()) {
        return Err(SegmentError("its output is invalid".into()));
    }
    let logits = ScalarField {
        width,
        height,
        values: logits,
    };
    Ok(interpret(&logits, small))
}

/// Checks a mask of the caller's own for an image of this size.
///
/// # Errors
/// Fails if the mask has other proportions than the image, or covers nothing.
pub fn check_mask(mask: &DynamicImage, image_size: (u32, u32)) -> Result<(), CutoutError> {
    from_mask(image_size, mask).map(drop)
}

fn from_mask(image_size: (u32, u32), mask: &DynamicImage) -> Result<Cutout, CutoutError> {
    let sizes = (mask.width(), mask.height(), image_size.0, image_size.1);
    let [mask_width, mask_height, width, height] = <[u32; 4]>::from(sizes).map(|edge| edge as f32);
    let distortion = (mask_width * height) / (mask_height * width);
    if (distortion - 1.0).abs() > MAX_MASK_DISTORTION {
        return Err(CutoutError::Mask {
            mask: (mask.width(), mask.height()),
            image: image_size,
        });
    }
    let mask = shrink_to_fit(&mask.to_rgba8(), MAX_EDGE);
    let is_transparent = mask.pixels().any(|pixel| pixel[3] < 255);
    let coverage = match is_transparent {
        true => opacity_field(&mask),
        false => gray_field(&DynamicImage::from(mask).to_luma8()),
    };
    let cutout = Cutout::new(coverage, CutoutMethod::Mask, CutoutShape::Object);
    match cutout.report.coverage > 0.0 {
        true => Ok(cutout),
        false => Err(CutoutError::EmptyMask),
    }
}

fn opacity_field(image: &RgbaImage) -> ScalarField {
    let (width, height) = (image.width() as usize, image.height() as usize);
    ScalarField::new(width, height, |x, y| {
        f32::from(image.get_pixel(x as u32, y as u32)[3]) / 255.0
    })
}

fn gray_field(image: &GrayImage) -> ScalarField {
    let (width, height) = (image.width() as usize, image.height() as usize);
    ScalarField::new(width, height, |x, y| {
        f32::from(image.get_pixel(x as u32, y as u32)[0]) / 255.0
    })
}

/// Whether a pixel is more than half transparent.
fn is_clear(pixel: &Rgba<u8>) -> bool {
    pixel[3] < 128
}
