//! Models of remote engines: how they are recognized, changed and converted.
#![allow(missing_docs)]

#[path = "../support/mod.rs"]
mod support;

mod background;
mod box_model;
mod conversion;
mod files;
mod low_poly;
mod parameters;
mod placement;
mod textured_ring;
mod textures;
