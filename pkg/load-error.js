import { ImageTo3dError } from "./error.js";

/**
 * Returns the error for WebAssembly that cannot be loaded.
 *
 * @param {string} entry the entry of the package that loads it
 * @param {unknown} cause
 * @param {string} [hint] what else the entry requires
 */
export function loadError(entry, cause, hint = "") {
  const message =
    `Could not load the WebAssembly of ${entry} (a content security policy must allow ` +
    `'wasm-unsafe-eval' in script-src${hint}): ${/** @type {any} */ (cause)?.message}`;
  return new ImageTo3dError(message, { kind: "internal", sent: "no" });
}
