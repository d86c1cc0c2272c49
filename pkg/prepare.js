// Prepares an image for the upload, in a worker where one can be started.

import { invalid, oneOf, unknownOption } from "./message.js";
import { encodeImage } from "./prepare/encode.js";
import { ImageTo3dError } from "./wasm/shared.js";

/** @import { PrepareOptions } from "./index.js" */
/** @import { Settings } from "./prepare/encode.js" */
/** @import { Result } from "./prepare/worker.js" */

/**
 * The source of `prepare/worker.js`, which the build inserts.
 *
 * @type {string}
 */
const source = /** @type {any} */ (globalThis).WORKER_SOURCE;

/** In pixels: a canvas of this size is within the limits of all browsers. */
const LARGEST_MAX_EDGE = 8192;

const types = ["image/jpeg", "image/png", "image/webp"];

/** Workers are not tried again after a failure: browsers log each failure to the console. */
let canStartWorkers = true;

/**
 * Decodes an image with the browser's decoder, turns it upright, scales it down and encodes it in
 * sRGB, without metadata.
 *
 * @param {Blob | Uint8Array<ArrayBuffer> | string} image
 * @param {true | PrepareOptions} options
 * @param {AbortSignal} signal ends the work
 * @returns {Promise<Blob>}
 * @throws {ImageTo3dError} if the options are invalid, or the browser cannot decode the image
 */
export async function prepare(image, options, signal) {
  const settings = readSettings(options);
  if (typeof image === "string") {
    throw invalidOptions("prepare requires image: an image_url is sent unchanged");
  }
  if (typeof OffscreenCanvas === "undefined" || typeof createImageBitmap === "undefined") {
    throw invalidOptions(
      "prepare requires a browser with OffscreenCanvas (Chrome 69, Firefox 105, Safari 16.4)",
    );
  }
  try {
    // A copy, because the memory may be shared with another thread, and `Blob` rejects that. Only real
    // blobs can be sent to a worker.
    const blob =
      image instanceof Uint8Array
        ? new Blob([image.slice()])
        : image instanceof Blob
          ? image
          : new Blob([await /** @type {Blob} */ (image).arrayBuffer()]);
    return await encode(blob, settings, signal);
  } catch (cause) {
    const reason = /** @type {any} */ (cause)?.message;
    const message =
      `image: this browser cannot decode the file (${reason}). ` +
      "Convert it to JPEG, PNG or WebP.";
    const code = "undecodable_image";
    throw new ImageTo3dError(message, { kind: "unsupported_image", code, sent: "no", cause });
  }
}

/**
 * @param {any} options
 * @returns {Settings}
 */
function readSettings(options) {
  if (options !== true && Object.prototype.toString.call(options) !== "[object Object]") {
    const expected = "true, false or an object with maxEdge, type and quality";
    throw invalidOptions(invalid("prepare", options, expected));
  }
  /** @type {any} */
  let copy;
  try {
    // Reads each option once.
    copy = { ...options };
  } catch (cause) {
    throw invalidOptions(`Reading the options of prepare threw: ${cause}`, cause);
  }
  const { maxEdge = 2048, type, quality = 0.9, ...unknown } = copy;
  for (const name of Object.keys(unknown)) {
    throw invalidOptions(unknownOption(name, ["maxEdge", "type", "quality"]));
  }
  if (!Number.isInteger(maxEdge) || maxEdge < 1 || maxEdge > LARGEST_MAX_EDGE) {
    throw invalidOptions(invalid("prepare.maxEdge", maxEdge, "an integer from 1 to 8192"));
  }
  if (type !== undefined && !types.includes(type)) {
    throw invalidOptions(invalid("prepare.type", type, oneOf(types)));
  }
  if (typeof quality !== "number" || !(quality >= 0 && quality <= 1)) {
    throw invalidOptions(invalid("prepare.quality", quality, "a number from 0 to 1"));
  }
  return { maxEdge, type, quality };
}

/**
 * @param {string} message
 * @param {unknown} [cause]
 */
const invalidOptions = (message, cause) =>
  new ImageTo3dError(message, { kind: "invalid_options", sent: "no", cause });

/**
 * @param {Blob} image
 * @param {Settings} settings
 * @param {AbortSignal} signal
 */
async function encode(image, settings, signal) {
  const result = canStartWorkers ? await runInWorker(image, settings, signal) : undefined;
  if (!result) {
    // A content security policy whose `worker-src` does not allow `blob:`, or a service worker.
    canStartWorkers = false;
    return encodeImage(image, settings);
  }
  if ("error" in result) throw result.error;
  return result.blob;
}

/**
 * Returns `undefined` if no worker can be started.
 *
 * @param {Blob} image
 * @param {Settings} settings
 * @param {AbortSignal} signal
 * @returns {Promise<Result | undefined>}
 */
async function runInWorker(image, settings, signal) {
  if (typeof Worker === "undefined") return undefined;
  signal.throwIfAborted();
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  /** @type {Worker | undefined} */
  let worker;
  try {
    const started = (worker = new Worker(url, { name: "csm-image-to-3d" }));
    return await new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      started.onmessage = ({ data }) => resolve(data);
      started.onerror = (event) => {
        // The failure is handled here, so that the browser need not log it.
        event.preventDefault();
        resolve(undefined);
      };
      started.postMessage([image, settings]);
    });
  } catch {
    signal.throwIfAborted();
    return undefined;
  } finally {
    worker?.terminate();
    URL.revokeObjectURL(url);
  }
}
