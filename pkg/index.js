// The default: the wasm comes with the first call, from a module that holds it.

import { bytesOf } from "./bytes.js";
import { functions } from "./functions.js";

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
} = functions(async () => {
  const [wasm, { base64 }] = await Promise.all([
    import("./wasm/csm_image_to_3d.js"),
    import("./wasm/inlined.js"),
  ]);
  return [wasm, bytesOf(base64)];
});
