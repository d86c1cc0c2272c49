//! The server as a process: access, connections, storage, and engines.
#![allow(missing_docs)]

mod access;
mod chaos;
mod compatibility;
mod connection;
mod connection_limits;
mod cutout;
mod data;
mod decode;
mod disk_full;
mod emulators;
mod exit;
mod fetch;
#[path = "../../src/fetch.rs"]
mod fetcher;
mod files;
mod hostile;
mod hunyuan;
mod image_metadata;
mod jobs;
mod metrics;
mod mutated_images;
mod openapi;
mod paid;
mod parameters;
// The store uses a part of it.
#[allow(dead_code)]
#[path = "../../src/private_file.rs"]
mod private_file;
#[path = "../../src/public_address.rs"]
mod public_address;
mod shape;
#[path = "../../src/store.rs"]
mod store;
mod stores;
mod support;
