//! Binary glTF 2.0 files (GLB): one reader for models of any origin, and the writer of this crate's
//! own models.
//!
//! The reader keeps the original JSON in place of a `gltf::Document`, for three reasons: a model is
//! edited without the loss of extensions that are unknown here; only the extensions show whether data
//! is compressed; and the document's accessors panic on sparse data or byte ranges that contradict
//! each other, which files of remote engines may have. The container, the component types and the
//! decoding of elements are those of the `gltf` crate.

mod accessor;
mod check;
mod container;
mod encode;
mod quads;
mod scene;

#[cfg(feature = "import")]
pub use accessor::{elements, floats, is_plain, unit_value};
pub use accessor::{indices, vectors};
pub use check::{GlbError, check_glb};
#[cfg(feature = "import")]
pub use container::assemble;
pub use container::{Glb, index, numbers};
pub use encode::{EncodeError, encode};
#[cfg(feature = "import")]
pub use quads::clear_quads;
pub use quads::is_quads;
pub use scene::{default_scene, mesh_instances, root_nodes};
