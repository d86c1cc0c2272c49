//! Engines that cost money, fal, Meshy and Tripo, emulated with their faults. Whatever goes wrong, a session
//! is billed for at most one model: `Gateway` checks this at the end of every test.

#[macro_use]
pub mod harness;

mod check;
mod comfyui;
mod cost;
mod deletion;
mod emulator;
mod fal;
mod formats;
mod meshy;
mod metrics;
mod progress;
mod requests;
mod restart;
mod tripo;
