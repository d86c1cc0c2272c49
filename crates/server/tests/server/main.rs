//! The server as a process: access, connections, storage, and engines.
#![allow(missing_docs)]

mod access;
mod connection;
mod data;
mod emulators;
mod fetch;
#[path = "../../src/fetch.rs"]
mod fetcher;
mod hunyuan;
mod jobs;
mod paid;
mod parameters;
#[path = "../../src/public.rs"]
mod public;
mod support;
