//! Fetching an image by its URL: which addresses are rejected, and how failures are reported.

mod addresses;
mod errors;
mod https;
mod images;
