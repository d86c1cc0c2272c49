import type { ErrorDetails, ErrorKind, Sent, Session } from "./wasm/csm_image_to_3d.js";

export type { ErrorDetails };

/**
 * Why a call failed. Every failure is one of these, told apart by `kind`, except an abort: that
 * rejects with the `reason` of the signal, as `fetch` does, and an exception of one of the
 * caller's own functions: that is passed on as it is.
 *
 * Nothing in it ever holds the API key, not even where the server echoed it.
 *
 * @example
 * try {
 *   await createSession({ image: file, baseUrl });
 * } catch (error) {
 *   if (error instanceof ImageTo3dError && error.kind === "rate_limited") {
 *     console.log(`again in ${error.retryAfter ?? "some"} seconds`);
 *   } else throw error;
 * }
 */
export class ImageTo3dError extends Error implements ErrorDetails {
  readonly name: "ImageTo3dError";
  readonly kind: ErrorKind;
  readonly sent: Sent;
  readonly status?: number;
  readonly retryAfter?: number;
  readonly body?: unknown;
  readonly session?: Session;
  constructor(message: string, details: ErrorDetails);
}
