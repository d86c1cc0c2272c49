import type { ErrorCode, ErrorDetails, ErrorKind, Sent, Session } from "./wasm/csm_image_to_3d.js";

export type { ErrorDetails };

/** The properties of a new error. `code` is the same as `kind` if it is omitted. */
export type ErrorProperties = Pick<ErrorDetails, "kind" | "sent"> & {
  [Name in Exclude<keyof ErrorDetails, "kind" | "sent">]?: ErrorDetails[Name] | undefined;
};

/**
 * The error that a failed call rejects with. `kind` tells what failed, `code` why.
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
 *   if (!(error instanceof ImageTo3dError)) throw error; // an abort
 *   alert(error.userMessage);
 *   console.error(error); // what exactly failed
 * }
 */
export class ImageTo3dError extends Error implements ErrorDetails {
  /** The name of the class. It also identifies an error of another copy of the package. */
  readonly name: "ImageTo3dError";
  /** What failed. */
  readonly kind: ErrorKind;
  /** Why it failed: more precise than `kind`, and stable, so that an app can translate it. */
  readonly code: ErrorCode;
  /**
   * A short sentence in English for the people who use the app, without technical terms. It depends
   * on `code` only. `message` is for developers.
   */
  readonly userMessage: string;
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
   * @param message What failed, for developers.
   * @param details The error's properties.
   */
  constructor(message: string, details: ErrorProperties);
}

/**
 * Creates the errors of the WebAssembly.
 *
 * @internal
 */
export function createError(message: string, details: ErrorProperties): ImageTo3dError;

/** The functions that reject the pending calls. For the package's own modules. */
export const pendingCalls: Set<(error: ImageTo3dError) => void>;

/** Rejects all pending calls, because the WebAssembly has panicked. For the package's own modules. */
export function panicked(file: string, line: number): void;
