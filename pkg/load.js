// Loads the WebAssembly on the first call, so that importing the package has no side effects.

import { loadError } from "./load-error.js";
import { pendingCalls } from "./error.js";
import { setPreparation } from "./preparation.js";

/** @typedef {typeof import("./wasm/csm_image_to_3d.js")} Wasm */

/**
 * Provides the parts of the library, which each entry of the package loads in another way: the
 * generated module, the WebAssembly that it instantiates, and the module that prepares images.
 *
 * @typedef {() => Promise<{
 *   wasm: Wasm,
 *   input: import("./wasm/csm_image_to_3d.js").InitInput,
 *   loadPreparation: () => Promise<typeof import("./prepare.js")>,
 * }>} WasmSource
 */

/**
 * Shared by all entries, because they share the generated module and its one instance.
 *
 * @type {Promise<Wasm> | undefined}
 */
let loading;

/**
 * Loads the WebAssembly unless it is loaded already.
 *
 * @param {WasmSource} source
 */
export const loadWasm = (source) => (loading ??= load(source));

/**
 * Calls the WebAssembly, and loads it first if necessary.
 *
 * @template Result
 * @param {WasmSource} source
 * @param {(wasm: Wasm) => Promise<Result>} call
 * @returns {Promise<Result>}
 */
export async function callWasm(source, call) {
  const wasm = await loadWasm(source);
  return new Promise((resolve, reject) => {
    pendingCalls.add(reject);
    call(wasm)
      .then(resolve, reject)
      .finally(() => pendingCalls.delete(reject));
  });
}

/** @param {WasmSource} source */
async function load(source) {
  try {
    const { wasm, input, loadPreparation } = await source();
    setPreparation(loadPreparation);
    await wasm.default({ module_or_path: input });
    return wasm;
  } catch (cause) {
    // The next call tries again, because a network failure may be temporary.
    loading = undefined;
    const hint = "; a service worker must be bundled or use csm-image-to-3d/static";
    throw loadError("csm-image-to-3d", cause, hint);
  }
}
