//! The server as a process: its connections, its storage and its engines.
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
