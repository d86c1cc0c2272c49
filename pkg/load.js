// The wasm is loaded by the first call, so that importing the package does nothing at all.

import { ImageTo3dError } from "./error.js";
import { underWay } from "./panic.js";

/** @typedef {typeof import("./wasm/csm_image_to_3d.js")} Wasm */

/**
 * Where an entry has the library's two halves from: the generated module, and what it instantiates.
 *
 * @typedef {() => Promise<[Wasm, import("./wasm/csm_image_to_3d.js").InitInput]>} Source
 */

/**
 * One for all entries: they share the generated module, which has one instance.
 *
 * @type {Promise<Wasm> | undefined}
 */
let loading;

/**
 * The wasm, which is loaded where nobody has yet.
 *
 * @param {Source} source
 */
export const loaded = (source) => (loading ??= load(source));

/**
 * Makes a call of the wasm.
 *
 * @template Result
 * @param {Source} source
 * @param {(wasm: Wasm) => Promise<Result>} call
 * @returns {Promise<Result>}
 */
export async function use(source, call) {
  const wasm = await loaded(source);
  return new Promise((resolve, reject) => {
    underWay.add(reject);
    call(wasm)
      .then(resolve, reject)
      .finally(() => underWay.delete(reject));
  });
}

/** @param {Source} source */
async function load(source) {
  try {
    const [wasm, module_or_path] = await source();
    await wasm.default({ module_or_path });
    return wasm;
  } catch (cause) {
    // The next call tries again: the network may have been gone for a moment only.
    loading = undefined;
    throw new ImageTo3dError(
      "the WebAssembly of csm-image-to-3d could not be loaded (under a content security policy " +
        "script-src needs 'wasm-unsafe-eval'; a service worker that is not bundled needs " +
        `csm-image-to-3d/static): ${/** @type {any} */ (cause)?.message}`,
      { kind: "internal", sent: "no" },
    );
  }
}
