//! The interface of the engines, which create the models.

use contract::{Parameters, SessionCost};
use image::DynamicImage;
use sculpt::Cutout;

use crate::service_format::{ServiceFile, ServiceFormat};
pub use sculpt::{Detail, ModelError, Progress, VIEW_COUNT};

/// The input of an engine.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The session's code.
    pub code: &'a str,
    /// The image file, unchanged.
    pub file: &'a [u8],
    /// The image, which is decoded on demand.
    pub image: &'a dyn SourceImage,
    /// The session's parameters. Omitted ones have the defaults of the API's documentation.
    pub parameters: &'a Parameters,
    /// The GLB file of the preview, for a refinement.
    pub preview: Option<&'a [u8]>,
    /// The formats of the preview that are offered as its service made them, for a refinement.
    pub service_formats: &'a [ServiceFormat],
    /// Stores the state of a remote job.
    pub checkpoint: &'a dyn Checkpoint,
}

/// The image of a session. A decoded image takes up to 256 MB, so an engine that waits for a remote
/// service should not hold it.
pub trait SourceImage {
    /// Decodes the image, and rotates it upright.
    ///
    /// # Errors
    /// Fails if the image cannot be decoded.
    fn decode(&self) -> Result<DynamicImage, ModelError>;

    /// Returns the part of the decoded image that becomes the model: that of an earlier stage, or a new
    /// one, which is stored with the result.
    ///
    /// # Errors
    /// Fails if there is no object in the image, if the caller's mask does not fit it, or if the caller
    /// chose a network that is not available.
    fn cut_out(&self, image: &DynamicImage) -> Result<Cutout, ModelError>;

    /// Returns whether the caller sent a mask, or chose how to separate the object from its background.
    fn is_cutout_requested(&self) -> bool;
}

/// Stores the state of a remote job with the session's stage, so that the job can be resumed after
/// a restart.
pub trait Checkpoint {
    /// Returns the text that was [saved](Checkpoint::save) last for this stage, possibly by an
    /// earlier process. Returns `None` if the stage has none, or if the session was deleted.
    ///
    /// # Errors
    /// Returns [`ModelError::Cancelled`] if the store fails. The job is then started again later.
    fn load(&self) -> Result<Option<String>, ModelError>;

    /// Returns the text that was saved last for each other session of the same engine, including
    /// sessions that have ended.
    ///
    /// # Errors
    /// Returns [`ModelError::Cancelled`] if the store fails. The job is then started again later.
    fn load_others(&self) -> Result<Vec<String>, ModelError>;

    /// Saves a text in place of the one before. It is durable when this returns.
    ///
    /// # Errors
    /// Fails if the store fails, or if the result is no longer needed.
    fn save(&self, text: &str) -> Result<(), CheckpointError>;

    /// Saves what the service has charged for the job. A failure of the store is ignored: the cost is
    /// only shown.
    fn save_cost(&self, cost: SessionCost);

    /// Sets the `engine_status` of the session, until the next call.
    fn set_status(&self, status: &str);
}

/// Why a checkpoint is not saved. An engine that stops then returns [`ModelError::Cancelled`], and the job
/// is started again later if its result is still needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// The result is no longer needed.
    Obsolete,
    /// The store fails. A later attempt may succeed.
    Store,
}

impl From<CheckpointError> for ModelError {
    fn from(_: CheckpointError) -> Self {
        Self::Cancelled
    }
}

/// The model that an engine created.
pub struct Model {
    /// A binary glTF 2.0 file (`model/gltf-binary`).
    pub glb: Vec<u8>,
    /// The model in other formats, as a service made them. They are offered in place of conversions.
    /// Those of a refinement are ignored: it offers those of the preview.
    pub service_files: Vec<ServiceFile>,
    /// The names of the requested parameters that the engine does not support.
    pub unsupported: Vec<String>,
}

impl From<Vec<u8>> for Model {
    fn from(glb: Vec<u8>) -> Self {
        Self {
            glb,
            service_files: Vec::new(),
            unsupported: Vec::new(),
        }
    }
}

/// Creates models from images. Several threads use it at once.
///
/// A call may take any time. It reports its progress, from 0 to 1, as often as it can. For remote
/// engines (all but [`SCULPT`]) the session reports this progress as is; 0 means queued. The
/// callback returns `Break` once the result is no longer needed; the engine then returns
/// [`ModelError::Cancelled`]. A panic of the engine fails only this session, on platforms that can
/// catch panics.
pub trait Engine: Send + Sync {
    /// Creates the model. `view` is the index of the selected [view](Engine::views); 0 is the view
    /// of the image itself.
    ///
    /// # Errors
    /// Fails if the model cannot be created, or if the result is no longer needed.
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError>;

    /// Creates the views to choose from, as PNG files.
    ///
    /// # Errors
    /// Fails if the views cannot be created, or if the result is no longer needed.
    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError>;
}

/// The name of the built-in engine.
pub const SCULPT: &str = "sculpt";

/// The built-in engine: [`sculpt`], which creates a model from the outline of the image's object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sculptor;

impl Engine for Sculptor {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError> {
        let image = decode_rgba8(source)?;
        let request = sculpt::ModelRequest {
            image: &image,
            cutout: &source.image.cut_out(&image)?,
            parameters: source.parameters,
            detail,
            view,
        };
        Ok(sculpt::sculpt(&request, progress)?.into())
    }

    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        let image = decode_rgba8(source)?;
        let cutout = source.image.cut_out(&image)?;
        sculpt::render_views(&image, &cutout, source.parameters, progress)
    }
}

/// Decodes the image in the form that each step of [`sculpt`] takes, so that it is converted once.
fn decode_rgba8(source: Source) -> Result<DynamicImage, ModelError> {
    Ok(source.image.decode()?.into_rgba8().into())
}
