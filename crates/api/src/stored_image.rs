//! The stored image of a session, as an engine gets it.

use std::cell::{Cell, RefCell};

use contract::{IMAGE_URL, MASK_URL, ShapeChoice};
use image::{DynamicImage, RgbImage};
use sculpt::{Cutout, CutoutRequest, Segmenter, cut_out, prepare_network_input};

use crate::cutout::CutoutRecord;
use crate::engine::{ModelError, SourceImage};
use crate::files::{CUTOUT, MASK};
use crate::record::Record;
use crate::sessions::Sessions;
use crate::store::{File, StoreError};
use decode::{Decoder, Patience};

/// The image of a session, with the cutout that belongs to it.
pub struct StoredImage<'a> {
    decoder: &'a Decoder,
    segmenter: Option<&'a dyn Segmenter>,
    record: &'a CutoutRecord,
    shape: ShapeChoice,
    /// The image file.
    pub file: Vec<u8>,
    /// The caller's mask.
    mask: Option<Vec<u8>>,
    /// The cutout that an earlier stage has stored.
    stored: Option<Vec<u8>>,
    /// The image, if it was decoded before.
    decoded: Cell<Option<DynamicImage>>,
    /// The cutout that this stage has made.
    made: RefCell<Option<Cutout>>,
    /// Whether it is stored, before the stage is done.
    is_saved: Cell<bool>,
}

/// A cutout that is not stored yet.
pub struct NewCutout {
    pub file: File,
    pub record: CutoutRecord,
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
        let stored = match cutout.report {
            Some(_) => sessions.file(&record.code, CUTOUT)?,
            None => None,
        };
        // Not needed again once its cutout is stored.
        let mask = match (cutout.mask_bytes, &stored) {
            (1.., None) => sessions.file(&record.code, MASK)?,
            _ => None,
        };
        Ok(Self {
            decoder,
            segmenter,
            record: cutout,
            shape: record.shape_choice(),
            file,
            mask,
            stored,
            decoded: Cell::default(),
            made: RefCell::default(),
            is_saved: Cell::default(),
        })
    }

    /// Sets the image, which was decoded before.
    pub fn set_decoded(&self, image: Option<DynamicImage>) {
        self.decoded.set(image);
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

    /// Returns the cutout that this stage has made, unless it is [stored](Self::set_saved) already.
    pub fn new_cutout(&self) -> Option<NewCutout> {
        let made = self.made.borrow();
        let cutout = made.as_ref().filter(|_| !self.is_saved.get())?;
        // A model, which may have been paid for, is worth more than the file with its cutout.
        let png = cutout.to_png().ok()?;
        Some(NewCutout {
            record: CutoutRecord {
                report: Some(cutout.report),
                shape: Some(cutout.shape),
                file_bytes: png.len() as u64,
                ..self.record.clone()
            },
            file: (CUTOUT.to_owned(), png),
        })
    }

    /// Notes that the cutout that this stage has made is stored.
    pub fn set_saved(&self) {
        self.is_saved.set(self.made.borrow().is_some());
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
            shape: self.shape,
            segmenter: self.segmenter,
        }
    }

    /// Returns the cutout of an earlier stage.
    fn restored(&self) -> Option<Cutout> {
        let file = self.stored.as_deref()?;
        let mask = image::load_from_memory(file).ok()?;
        let CutoutRecord { report, shape, .. } = self.record;
        Some(Cutout::from_image(&mask.to_luma8(), (*report)?, *shape))
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
        // An engine asks again for each attempt to submit a job.
        let made = self.made.borrow().clone();
        if let Some(cutout) = made.or_else(|| self.restored()) {
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
