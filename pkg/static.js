// The entry without `import()`, which service workers do not support.

import * as wasm from "./wasm/csm_image_to_3d.js";
import { base64 } from "./wasm/inlined.js";
import * as preparation from "./wasm/prepare.js";
import { createFunctions, decodeBase64 } from "./wasm/shared.js";

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
  input: decodeBase64(base64),
  loadPreparation: async () => preparation,
}));
