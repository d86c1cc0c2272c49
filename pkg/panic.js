import { ImageTo3dError } from "./error.js";

/**
 * The functions that reject the pending calls.
 *
 * @type {Set<(error: ImageTo3dError) => void>}
 */
export const pendingCalls = new Set();

/**
 * Rejects all pending calls. The WebAssembly calls this when it panics: the instance then settles
 * no promise any more, and the next call creates a new instance.
 *
 * @param {string} file
 * @param {number} line
 */
export function panicked(file, line) {
  for (const reject of pendingCalls) {
    const message = `Internal error: the library panicked at ${file}:${line}`;
    reject(new ImageTo3dError(message, { kind: "internal", sent: "unknown" }));
  }
  pendingCalls.clear();
}
