// For runtimes that compile no wasm from bytes, and import a `.wasm` as a compiled module.

import { functions } from "./functions.js";
import * as wasm from "./wasm/csm_image_to_3d.js";
import { module } from "./wasm/module.js";

export { ImageTo3dError } from "./error.js";
export { stageOf } from "./stage.js";

export const {
  createSession,
  downloadModel,
  getSession,
  imageTo3d,
  listSessions,
  requestPreview,
  requestRefine,
  waitForSession,
} = functions(async () => [wasm, module]);
