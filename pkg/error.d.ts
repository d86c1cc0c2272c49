import type { ErrorDetails, ErrorKind, Sent, Session } from "./wasm/csm_image_to_3d.js";

export type { ErrorDetails };

/**
 * The error that a failed call rejects with. `kind` tells what failed.
 *
 * Two kinds of failures reject with another value. An aborted call rejects with the signal's
 * `reason`, as `fetch` does. If one of the caller's own functions throws, the call rejects with the
 * thrown value.
 *
 * No property contains the API key: it is removed even from response bodies that repeat it.
 *
 * @example
 * try {
 *   await createSession({ image: file, baseUrl });
 * } catch (error) {
 *   if (error instanceof ImageTo3dError && error.kind === "rate_limited") {
 *     console.log(`try again in ${error.retryAfter ?? "some"} seconds`);
 *   } else throw error;
 * }
 */
export class ImageTo3dError extends Error implements ErrorDetails {
  readonly name: "ImageTo3dError";
  /** What failed. */
  readonly kind: ErrorKind;
  /** Whether the API may have created a session, and charged for it. */
  readonly sent: Sent;
  /** The HTTP status of the response, if there was one. */
  readonly status?: number;
  /** The number of seconds to wait before the next request, if the API has said so. */
  readonly retryAfter?: number;
  /** The response's body, if there was one: parsed if it is JSON, otherwise its text. */
  readonly body?: unknown;
  /** The session as last seen, if the call has seen one. */
  readonly session?: Session;
  /**
   * The value that was thrown, if the error was caused by one: by `fetch`, by the reading of the
   * image, or by the loading of the WebAssembly. If it may contain the API key, it is replaced by an
   * error with its name and its message.
   */
  readonly cause?: unknown;
  /**
   * Creates an error, for example in a test.
   *
   * @param message What failed.
   * @param details The error's properties.
   */
  constructor(message: string, details: ErrorDetails);
}

/**
 * Creates the errors of the WebAssembly.
 *
 * @internal
 */
export function createError(message: string, details: ErrorDetails): ImageTo3dError;
