import type { ImageTo3dError } from "./error.js";

export * from "./index.js";

/**
 * Loads the WebAssembly from a given location. Call it before any other function of this entry, and
 * only if the default does not work: for a CDN, for a bundler that does not process
 * `new URL("…", import.meta.url)`, or for Node.js, whose `fetch` does not read files. All other
 * functions load the WebAssembly themselves when they are first called.
 *
 * @param from The URL, the bytes or the compiled module. Default: the file in the package.
 * @returns A promise that resolves once the WebAssembly is loaded.
 * @throws {ImageTo3dError} with kind `"internal"`, if it cannot be loaded. The next call of any
 * function tries again.
 *
 * @example
 * import { createSession, load } from "csm-image-to-3d/external";
 *
 * await load("https://cdn.example/csm_image_to_3d-0123456789abcdef.wasm");
 * const session = await createSession({ image: file, baseUrl });
 */
export function load(from?: string | URL | BufferSource | WebAssembly.Module): Promise<void>;
