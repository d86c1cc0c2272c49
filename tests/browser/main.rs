//! The library in a real browser, against a real server on another origin.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

mod aborting;
mod errors;
mod options;
mod picture;
mod retries;
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
