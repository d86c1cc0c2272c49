/**
 * The sandbox with its WebAssembly as a separate file.
 *
 * @module csm-image-to-3d/sandbox/external
 */

import type { ImageTo3dError } from "../error.js";

export * from "../sandbox.js";

/** How much of the WebAssembly is loaded. */
export interface LoadProgress {
  /** The number of bytes that have arrived, after decompression. */
  loaded: number;
  /** The size of the file, in bytes. */
  total: number;
}

/** The options of `load`. */
export interface LoadOptions {
  /** Called with each part of the file that arrives. Never called if the file is loaded already. */
  onProgress?: (progress: LoadProgress) => void;
}

/**
 * Loads the WebAssembly: before the first request, so that it need not wait, and to show the progress.
 * Without this call, the first request loads it. All sandboxes share it, and calls at the same time
 * load it only once.
 *
 * @param from The URL, the bytes or the compiled module. Set it for a CDN, for a bundler that does not
 * process `new URL("…", import.meta.url)`, or for Node.js, whose `fetch` does not read files. Default:
 * the file in the package.
 * @param options The callback for the progress, optional.
 * @returns A promise that resolves once the WebAssembly is loaded.
 * @throws {ImageTo3dError} with kind `"internal"`, if it cannot be loaded. The next call or request
 * tries again.
 *
 * @example
 * import { createSandbox, load } from "csm-image-to-3d/sandbox/external";
 *
 * await load(undefined, {
 *   onProgress: ({ loaded, total }) => console.log(`${Math.round((100 * loaded) / total)} %`),
 * });
 * const sandbox = createSandbox();
 */
export function load(
  from?: string | URL | BufferSource | WebAssembly.Module,
  options?: LoadOptions,
): Promise<void>;
