//! Models from remote engines: applies the API's parameters to their files.

mod bounding_box;
mod edit;
mod import_glb;
mod primitive;
mod remove_materials;
mod simplify;
mod textures;

pub use import_glb::{ImportedGlb, import_glb};
