//! The panic handler. It reports only the location, since formatting the message would add several
//! kilobytes to the wasm.

use core::panic::PanicInfo;

use wasm_bindgen::prelude::*;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    if let Some(location) = info.location() {
        panicked(location.file(), location.line());
    }
    // The next call of an export creates a new instance.
    wasm_bindgen::handler::schedule_reinit();
    core::arch::wasm32::unreachable()
}

#[wasm_bindgen(raw_module = "../panic.js")]
extern "C" {
    fn panicked(file: &str, line: u32);
}
