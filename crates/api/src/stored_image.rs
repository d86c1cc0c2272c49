//! The stored image of a session, as an engine gets it.

use std::cell::RefCell;

use contract::{IMAGE_URL, MASK_URL};
use image::{DynamicImage, RgbImage};
use sculpt::{Cutout, CutoutRequest, Segmenter, cut_out, prepare_network_input};

use crate::cutout::CutoutRecord;
use crate::decode::{Decoder, Patience};
use crate::engine::{ModelError, SourceImage};
use crate::files::{CUTOUT, MASK};
use crate::record::Record;
use crate::sessions::Sessions;
use crate::store::{File, StoreError};

/// The image of a session, with the cutout that belongs to it.
pub struct StoredImage<'a> {
    decoder: &'a Decoder,
    segmenter: Option<&'a dyn Segmenter>,
    record: &'a CutoutRecord,
    /// The image file.
    pub file: Vec<u8>,
    /// The caller's mask.
    mask: Option<Vec<u8>>,
    /// The cutout that an earlier stage has stored.
    stored: Option<Vec<u8>>,
    /// The image, if it was decoded before.
    decoded: RefCell<Option<DynamicImage>>,
    /// The cutout that this stage has made.
    made: RefCell<Option<Cutout>>,
}

impl<'a> StoredImage<'a> {
    /// Reads what belongs to an image.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn open(
        sessions: &Sessions,
        decoder: &'a Decoder,
        segmenter: Option<&'a dyn Segmenter>,
        record: &'a Record,
        file: Vec<u8>,
    ) -> Result<Self, StoreError> {
        let cutout = &record.cutout;
        let read = |name, is_stored: bool| match is_stored {
            true => sessions.file(&record.code, name),
            false => Ok(None),
        };
        Ok(Self {
            decoder,
            segmenter,
            record: cutout,
            file,
            mask: read(MASK, cutout.mask_bytes > 0)?,
            stored: read(CUTOUT, cutout.report.is_some())?,
            decoded: RefCell::default(),
            made: RefCell::default(),
        })
    }

    /// Sets the image, which was decoded before.
    pub fn set_decoded(&self, image: Option<DynamicImage>) {
        self.decoded.replace(image);
    }

    /// Decodes the image. Returns it with the input for a network of this size, or without if the
    /// cutout does not need a network.
    ///
    /// # Errors
    /// Fails if the image or the mask cannot be decoded.
    pub fn network_input(
        &self,
        size: (u32, u32),
    ) -> Result<(DynamicImage, Option<RgbImage>), ModelError> {
        let image = self.decode()?;
        let mask = self.decode_mask()?;
        let input = match self.stored {
            Some(_) => None,
            None => prepare_network_input(&image, &self.request(mask.as_ref()), size),
        };
        Ok((image, input))
    }

    /// Returns the file with the cutout that this stage has made, and its record. Returns `None` if it
    /// has made none.
    ///
    /// # Errors
    /// Fails if the cutout cannot be encoded.
    pub fn into_cutout(self) -> Result<Option<(File, CutoutRecord)>, ModelError> {
        let Some(cutout) = self.made.into_inner() else {
            return Ok(None);
        };
        let png = cutout.to_png()?;
        let record = CutoutRecord {
            report: Some(cutout.report),
            file_bytes: png.len() as u64,
            ..self.record.clone()
        };
        Ok(Some(((CUTOUT.to_owned(), png), record)))
    }

    fn decode_mask(&self) -> Result<Option<DynamicImage>, ModelError> {
        let decode = |file| self.decoder.decode(file, Patience::Job);
        let mask = self.mask.as_deref().map(decode).transpose();
        mask.map_err(|error| ModelError::Failed(format!("{MASK_URL}: {error}")))
    }

    fn request<'b>(&'b self, mask: Option<&'b DynamicImage>) -> CutoutRequest<'b> {
        CutoutRequest {
            choice: self.record.choice,
            mask,
            segmenter: self.segmenter,
        }
    }

    /// Returns the cutout of an earlier stage.
    fn restored(&self) -> Option<Cutout> {
        let file = self.stored.as_deref()?;
        let mask = image::load_from_memory(file).ok()?;
        Some(Cutout::from_image(&mask.to_luma8(), self.record.report?))
    }
}

impl SourceImage for StoredImage<'_> {
    fn decode(&self) -> Result<DynamicImage, ModelError> {
        if let Some(image) = self.decoded.take() {
            return Ok(image);
        }
        let image = self.decoder.decode(&self.file, Patience::Job);
        image.map_err(|error| image_failed(&error))
    }

    fn cut_out(&self, image: &DynamicImage) -> Result<Cutout, ModelError> {
        if let Some(cutout) = self.restored() {
            return Ok(cutout);
        }
        let mask = self.decode_mask()?;
        let cutout = cut_out(image, &self.request(mask.as_ref()))?;
        self.made.replace(Some(cutout.clone()));
        Ok(cutout)
    }

    fn is_cutout_requested(&self) -> bool {
        self.record.is_requested()
    }
}

/// Returns why a session fails whose image cannot be used.
pub fn image_failed(reason: &dyn std::fmt::Display) -> ModelError {
    ModelError::Failed(format!("{IMAGE_URL}: {reason}"))
}
