//! Emulators of the remote engines: Hunyuan3D's `api_server.py`, fal and Meshy.
//!
//! Each behaviour is marked with the evidence for it: [A] read in the engine's own source or
//! documentation, [B] reported by users, [C] inferred.
//!
//! Also included by `examples/emulators.rs`, which uses only a part of it.
#![allow(dead_code, missing_docs)]

pub mod clock;
pub mod hosted;
pub mod http;
pub mod hunyuan;
pub mod samples;
