// The default entry: the first call imports a module that contains the WebAssembly as base64.

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
} = createFunctions(async () => {
  const [wasm, { base64 }] = await Promise.all([
    import("./wasm/csm_image_to_3d.js"),
    import("./wasm/inlined.js"),
  ]);
  return { wasm, input: decodeBase64(base64), loadPreparation: () => import("./wasm/prepare.js") };
});
