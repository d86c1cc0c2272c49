//! Tests of the library in a real browser, against a real server on another origin.

mod abort;
mod errors;
mod images;
mod options;
mod retries;
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
