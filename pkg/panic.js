import { ImageTo3dError } from "./error.js";

/**
 * What rejects the calls under way.
 *
 * @type {Set<(error: ImageTo3dError) => void>}
 */
export const underWay = new Set();

/**
 * A panic ends the instance, and no promise of it is ever settled. The next call gets a new one.
 *
 * @param {string} file
 * @param {number} line
 */
export function panicked(file, line) {
  for (const reject of underWay) {
    const message = `panicked at ${file}:${line}`;
    reject(new ImageTo3dError(message, { kind: "internal", sent: "unknown" }));
  }
  underWay.clear();
}
