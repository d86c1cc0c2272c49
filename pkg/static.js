// The same without `import()`, which service workers do not have.

import { bytesOf } from "./bytes.js";
import { functions } from "./functions.js";
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
} = functions(async () => [wasm, bytesOf(base64)]);
