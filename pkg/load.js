// The wasm is loaded by the first call, so that importing the package does nothing at all.

import { ImageTo3dError } from "./error.js";
import { underWay } from "./panic.js";

/** @typedef {typeof import("./wasm/csm_image_to_3d.js")} Wasm */

/** @type {Promise<Wasm> | undefined} */
let loading;

/**
 * Makes a call of the wasm, which is loaded first where nobody has yet.
 *
 * @template Result
 * @param {(wasm: Wasm) => Promise<Result>} call
 * @returns {Promise<Result>}
 */
export async function use(call) {
  const wasm = await (loading ??= load());
  return new Promise((resolve, reject) => {
    underWay.add(reject);
    call(wasm)
      .then(resolve, reject)
      .finally(() => underWay.delete(reject));
  });
}

async function load() {
  try {
    const [wasm, { base64 }] = await Promise.all([
      import("./wasm/csm_image_to_3d.js"),
      import("./wasm/inlined.js"),
    ]);
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    await wasm.default({ module_or_path: bytes });
    return wasm;
  } catch (cause) {
    // The next call tries again: the network may have been gone for a moment only.
    loading = undefined;
    throw new ImageTo3dError(
      "the WebAssembly of csm-image-to-3d could not be loaded (under a content security policy " +
        `script-src needs 'wasm-unsafe-eval'): ${/** @type {any} */ (cause)?.message}`,
      { kind: "internal", sent: "no" },
    );
  }
}
