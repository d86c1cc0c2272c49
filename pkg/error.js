const brand = Symbol.for("csm-image-to-3d.ImageTo3dError");

/**
 * Why a call failed. The full description stands in `error.d.ts`.
 *
 * It is here, and not in the wasm, so that `instanceof` works before the wasm has loaded.
 */
export class ImageTo3dError extends Error {
  /**
   * Two copies of the package on one page recognise each other's errors by the brand.
   *
   * @param {unknown} value
   */
  static [Symbol.hasInstance](value) {
    return this === ImageTo3dError
      ? typeof value === "object" && value !== null && brand in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /**
   * @param {string} message
   * @param {import("./error.js").ErrorDetails} details
   */
  constructor(message, details) {
    super(message);
    Object.assign(this, details);
    Object.defineProperty(this, brand, { value: true });
  }
}

Object.defineProperty(ImageTo3dError.prototype, "name", {
  value: "ImageTo3dError",
  configurable: true,
  writable: true,
});
