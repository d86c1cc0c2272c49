export * from "./index.js";

/**
 * Loads the WebAssembly now, from elsewhere than beside this module: for a CDN, for a bundler that
 * leaves `new URL("…", import.meta.url)` alone, and for Node.js, whose `fetch` reads no files. Needed
 * only then, and before the first call of anything else; all else loads it by itself.
 *
 * @param from Where it is, or the bytes or the compiled module themselves. Default: the file that
 * comes with the package.
 * @throws {ImageTo3dError} where it cannot be loaded. The next call, of this or of any other
 * function, tries again.
 *
 * @example
 * import { createSession, load } from "csm-image-to-3d/external";
 *
 * await load("https://cdn.example/csm_image_to_3d-0123456789abcdef.wasm");
 * const session = await createSession({ image: file, baseUrl });
 */
export function load(from?: string | URL | BufferSource | WebAssembly.Module): Promise<void>;
