// The entry for runtimes that import a `.wasm` file as a compiled module and do not compile bytes.

import * as wasm from "./wasm/csm_image_to_3d.js";
import { module } from "./wasm/module.js";
import { createFunctions } from "./wasm/shared.js";

export { ImageTo3dError, stageOf } from "./wasm/shared.js";

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
} = createFunctions(async () => ({
  wasm,
  input: module,
  // Never called: the runtime has no canvas.
  loadPreparation: () => import("./wasm/prepare.js"),
}));
