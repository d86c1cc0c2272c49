//! What makes the models: the seam that every engine is behind.

use contract::Parameters;
use image::DynamicImage;
pub use sculpt::{Detail, ModelError, Progress, VIEW_COUNT};

/// What a session's results are made from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The session's code.
    pub code: &'a str,
    /// The picture's file, byte for byte as it came.
    pub file: &'a [u8],
    /// The picture, decoded and upright.
    pub picture: &'a DynamicImage,
    /// What was asked for; what was left out is as the API documents its defaults.
    pub parameters: &'a Parameters,
    /// The preview's model, where the refinement is made.
    pub preview: Option<&'a [u8]>,
    /// Where the engine leaves word of what it does elsewhere.
    pub checkpoint: &'a dyn Checkpoint,
}

/// What an engine that has its models made elsewhere leaves with the session's stage.
pub trait Checkpoint {
    /// What was last [written down](Checkpoint::save) for this stage; by a process before this one, it
    /// may be.
    fn load(&self) -> Option<String>;

    /// What was last written down for each of the other sessions of the same engine, those that
    /// ended among them.
    fn load_others(&self) -> Vec<String>;

    /// Writes a note down in place of the one before. It is there for good when this returns.
    ///
    /// # Errors
    /// Nothing was written down: it cannot be, or nobody wants the result any more.
    fn save(&self, note: &str) -> Result<(), ModelError>;

    /// Says what is waited for, in words, until something else is said.
    fn set_status(&self, words: &str);
}

/// A model as an engine made it.
pub struct Model {
    /// A binary glTF 2.0 file (`model/gltf-binary`).
    pub glb: Vec<u8>,
    /// The names of the parameters that were asked for and that it does not honour.
    pub unsupported: Vec<String>,
}

impl From<Vec<u8>> for Model {
    fn from(glb: Vec<u8>) -> Self {
        Self {
            glb,
            unsupported: Vec::new(),
        }
    }
}

/// Makes models from pictures. Several threads use it at once.
///
/// A call may take as long as it needs. It tells its progress, from 0 to 1, as often as it can, and
/// 0 while the model waits to be begun: a session shows just that of any engine but [`SCULPT`], and
/// is queued at 0. The answer is how it learns that nobody wants the result any more, and it then ends with
/// [`ModelError::Cancelled`]. A panic in it ends the session, and no more than that, where panics can
/// be caught.
pub trait Engine: Send + Sync {
    /// Makes the model. `view` is which of the [views](Engine::views) was chosen, counted from 0; 0
    /// is the picture's own.
    ///
    /// # Errors
    /// There can be no such model, or nobody wants it any more.
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError>;

    /// Makes the views to choose from, as PNG files.
    ///
    /// # Errors
    /// As those of [`Engine::model`].
    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError>;
}

/// The name of the engine that is always there.
pub const SCULPT: &str = "sculpt";

/// The engine that is always there: [`sculpt`], which makes geometry from the picture's outline.
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
        let request = sculpt::ModelRequest {
            image: source.picture,
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
        sculpt::render_views(source.picture, source.parameters, progress)
    }
}
