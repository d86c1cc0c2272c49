//! What happens on a panic. It has no words but the place, since words would bring formatting along.

use core::panic::PanicInfo;

use wasm_bindgen::prelude::*;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    if let Some(place) = info.location() {
        panicked(place.file(), place.line());
    }
    // The next call of any export finds a new instance.
    wasm_bindgen::handler::schedule_reinit();
    core::arch::wasm32::unreachable()
}

#[wasm_bindgen(raw_module = "../panic.js")]
extern "C" {
    fn panicked(file: &str, line: u32);
}
