// The entry whose WebAssembly is a separate file, which the first call fetches.

import { createFunctions, loadWasm } from "./wasm/shared.js";
import { url } from "./wasm/url.js";

export { ImageTo3dError, stageOf } from "./wasm/shared.js";

/** @type {import("./wasm/csm_image_to_3d.js").InitInput | undefined} */
let input;

/** @type {import("./load.js").WasmSource} */
const source = async () => ({
  wasm: await import("./wasm/csm_image_to_3d.js"),
  input: input ?? url(),
  loadPreparation: () => import("./wasm/prepare.js"),
});

/** @type {typeof import("./external.js").load} */
export async function load(from) {
  input = from;
  await loadWasm(source);
}

export const {
  createSession,
  deleteSession,
  downloadModel,
  getSession,
  imageTo3d,
  listSessions,
  requestPreview,
  requestRefine,
  waitForSession,
} = createFunctions(source);
