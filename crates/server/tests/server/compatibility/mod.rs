//! Data and configurations of version 0.1.0 keep working. `tests/fixtures/README.md` describes the
//! files.

mod checkpoints;
mod config;
mod data;
mod harness;
