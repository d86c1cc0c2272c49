// The entry without `import()`, which service workers do not support.

import { decodeBase64 } from "./decode-base64.js";
import { createFunctions } from "./functions.js";
import * as wasm from "./wasm/csm_image_to_3d.js";
import { base64 } from "./wasm/inlined.js";

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
} = createFunctions(async () => [wasm, decodeBase64(base64)]);
