// The public functions, which forward to the WebAssembly.

import { callWasm } from "./load.js";

/**
 * Creates the public functions of an entry.
 *
 * @param {import("./load.js").WasmSource} source
 * @returns {Omit<typeof import("./index.js"), "ImageTo3dError" | "stageOf">}
 */
export const createFunctions = (source) => ({
  imageTo3d: (options) => callWasm(source, (wasm) => wasm.imageTo3d(options)),
  createSession: (options) => callWasm(source, (wasm) => wasm.createSession(options)),
  waitForSession: (code, options) => callWasm(source, (wasm) => wasm.waitForSession(code, options)),
  deleteSession: (code, options) => callWasm(source, (wasm) => wasm.deleteSession(code, options)),
  getSession: (code, options) => callWasm(source, (wasm) => wasm.getSession(code, options)),
  listSessions: (options) => callWasm(source, (wasm) => wasm.listSessions(options)),
  requestPreview: (code, options) => callWasm(source, (wasm) => wasm.requestPreview(code, options)),
  requestRefine: (code, options) => callWasm(source, (wasm) => wasm.requestRefine(code, options)),
  downloadModel: (session, options) =>
    callWasm(source, (wasm) => wasm.downloadModel(session, options)),
});
