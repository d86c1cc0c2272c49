// The entry for runtimes that import a `.wasm` file as a compiled module and do not compile bytes.

import { createFunctions } from "./functions.js";
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
} = createFunctions(async () => [wasm, module]);
