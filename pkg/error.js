const brand = Symbol.for("csm-image-to-3d.ImageTo3dError");

/**
 * The messages for the people who use an app, by the `code` of the error: one or two short sentences
 * without technical terms.
 *
 * @type {Record<import("./wasm/csm_image_to_3d.js").ErrorCode, string>}
 */
const USER_MESSAGES = {
  invalid_options: "Something is wrong with this app. Please tell its maker.",
  empty_image: "This file is empty. Choose another image.",
  unreadable_image: "This file can no longer be read. Choose it again.",
  unsupported_image: "This file is not an image we can read. Use a JPEG, PNG or WebP.",
  undecodable_image: "Your browser cannot open this image. Use a JPEG, PNG or WebP.",
  image_too_large: "This image is too large. Use a smaller one.",
  authentication: "You have no access to this service. Sign in again or check your key.",
  payment_required: "There are no credits left. No model can be made at the moment.",
  not_found: "This was not found. It may have been deleted.",
  rate_limited: "There are too many requests at the moment. Try again in a few minutes.",
  server_error: "The service has a problem at the moment. Try again later.",
  unexpected_response:
    "The service cannot be reached properly. Check your connection and try again.",
  api: "The service did not accept the request.",
  network: "The service cannot be reached. Check your connection and try again.",
  timeout: "This took too long. Try again later.",
  session_failed: "No model could be made from this image. Try another image.",
  unsupported_browser: "Your browser is too old for this. Update it or use another one.",
  internal: "Something went wrong. Reload the page and try again.",
};

/**
 * The error of a failed call: see `error.d.ts`.
 *
 * It is defined in JavaScript so that `instanceof` works before the WebAssembly is loaded.
 */
export class ImageTo3dError extends Error {
  /**
   * @param {string} message
   * @param {import("./error.js").ErrorProperties} details
   */
  constructor(message, { cause, ...details } = /** @type {any} */ ({})) {
    super(message, cause === undefined ? undefined : { cause });
    const code = details.code ?? details.kind;
    Object.assign(this, { userMessage: USER_MESSAGES[code], ...details, code });
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
