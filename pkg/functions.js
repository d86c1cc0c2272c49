// The library's functions, for each entry's way of having the wasm.

import { use } from "./load.js";

/**
 * @param {import("./load.js").Source} source
 * @returns {Omit<typeof import("./index.js"), "ImageTo3dError" | "stageOf">}
 */
export const functions = (source) => ({
  imageTo3d: (options) => use(source, (wasm) => wasm.imageTo3d(options)),
  createSession: (options) => use(source, (wasm) => wasm.createSession(options)),
  waitForSession: (code, options) => use(source, (wasm) => wasm.waitForSession(code, options)),
  getSession: (code, options) => use(source, (wasm) => wasm.getSession(code, options)),
  listSessions: (options) => use(source, (wasm) => wasm.listSessions(options)),
  requestPreview: (code, options) => use(source, (wasm) => wasm.requestPreview(code, options)),
  requestRefine: (code, options) => use(source, (wasm) => wasm.requestRefine(code, options)),
  downloadModel: (session, options) => use(source, (wasm) => wasm.downloadModel(session, options)),
});
