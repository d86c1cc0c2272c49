//! The panic hook.

use wasm_bindgen::prelude::*;

/// Reports a panic to the package's loader, which rejects the pending calls. Runs when the wasm is
/// instantiated.
#[wasm_bindgen(start)]
fn set_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        // Without the message, which may contain a value of the caller.
        if let Some(location) = info.location() {
            panicked(location.file(), location.line());
        }
        // The next call of an export creates a new instance.
        wasm_bindgen::handler::schedule_reinit();
    }));
}

#[cfg_attr(test, wasm_bindgen(module = "/pkg/error.js"))]
#[cfg_attr(not(test), wasm_bindgen(raw_module = "./shared.js"))]
extern "C" {
    fn panicked(file: &str, line: u32);
}
