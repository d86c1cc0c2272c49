const brand = Symbol.for("csm-image-to-3d.ImageTo3dError");

/**
 * The error of a failed call: see `error.d.ts`.
 *
 * It is defined in JavaScript so that `instanceof` works before the WebAssembly is loaded.
 */
export class ImageTo3dError extends Error {
  /**
   * @param {string} message
   * @param {import("./error.js").ErrorDetails} details
   */
  constructor(message, { cause, ...details } = /** @type {any} */ ({})) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, details);
    Object.defineProperty(this, brand, { value: true });
  }
}

// Bundlers rename the class, and Node.js prints its name.
Object.defineProperty(ImageTo3dError, "name", { value: "ImageTo3dError" });

Object.defineProperty(ImageTo3dError, Symbol.hasInstance, {
  /**
   * Accepts the errors of other copies of the package on the same page, which have the same brand.
   *
   * @this {Function}
   * @param {unknown} value
   */
  value(value) {
    return this === ImageTo3dError
      ? typeof value === "object" && value !== null && brand in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  },
});

Object.defineProperty(ImageTo3dError.prototype, "name", {
  value: "ImageTo3dError",
  configurable: true,
  writable: true,
});

/**
 * Creates the errors of the WebAssembly.
 *
 * @param {string} message
 * @param {import("./error.js").ErrorDetails} details
 */
export const createError = (message, details) => new ImageTo3dError(message, details);
