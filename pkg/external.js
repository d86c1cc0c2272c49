// The `.wasm` is a file of its own, fetched by the first call.

import { functions } from "./functions.js";
import { loaded } from "./load.js";
import { url } from "./wasm/url.js";

export { ImageTo3dError } from "./error.js";
export { stageOf } from "./stage.js";

/** @type {import("./wasm/csm_image_to_3d.js").InitInput | undefined} */
let place;

/** @type {import("./load.js").Source} */
const source = async () => [await import("./wasm/csm_image_to_3d.js"), place ?? url()];

/** @type {typeof import("./external.js").load} */
export async function load(from) {
  place = from;
  await loaded(source);
}

export const {
  createSession,
  downloadModel,
  getSession,
  imageTo3d,
  listSessions,
  requestPreview,
  requestRefine,
  waitForSession,
} = functions(source);
