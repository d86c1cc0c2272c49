import { ImageTo3dError } from "./error.js";

/** A module with the newest features that the WebAssembly of this package uses. */
const REQUIRED_FEATURES = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // (type (func (result v128 externref)))
  ...[0x01, 0x06, 0x01, 0x60, 0x00, 0x02, 0x7b, 0x6f],
  ...[0x03, 0x02, 0x01, 0x00],
  // (func (type 0) (i8x16.splat (i32.const 0)) (ref.null extern))
  ...[0x0a, 0x0a, 0x01, 0x08, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0xd0, 0x6f, 0x0b],
]);

/**
 * Returns the error for WebAssembly that cannot be loaded.
 *
 * @param {string} entry the entry of the package that loads it
 * @param {unknown} cause
 * @param {string} [hint] what else the entry requires
 */
export function loadError(entry, cause, hint = "") {
  const supported = isSupported();
  const message = supported
    ? `Could not load the WebAssembly of ${entry} (a content security policy must allow ` +
      `'wasm-unsafe-eval' in script-src${hint}): ${/** @type {any} */ (cause)?.message}`
    : `This browser or runtime cannot run ${entry}: it does not support WebAssembly with SIMD and ` +
      "reference types. Use Chrome 98, Edge 98, Firefox 97, Safari 16.4, Node.js 20, or a newer version.";
  const code = supported ? "internal" : "unsupported_browser";
  return new ImageTo3dError(message, { kind: "internal", code, sent: "no", cause });
}

/** Returns whether WebAssembly is available with all required features. */
function isSupported() {
  // Safari has no WebAssembly in Lockdown Mode.
  return typeof WebAssembly === "object" && WebAssembly.validate(REQUIRED_FEATURES);
}
