import { use } from "./load.js";

export { ImageTo3dError } from "./error.js";
export { stageOf } from "./stage.js";

/** @typedef {typeof import("./index.js")} Package */

/** @type {Package["imageTo3d"]} */
export const imageTo3d = (options) => use((wasm) => wasm.imageTo3d(options));

/** @type {Package["createSession"]} */
export const createSession = (options) => use((wasm) => wasm.createSession(options));

/** @type {Package["waitForSession"]} */
export const waitForSession = (code, options) => use((wasm) => wasm.waitForSession(code, options));

/** @type {Package["getSession"]} */
export const getSession = (code, options) => use((wasm) => wasm.getSession(code, options));

/** @type {Package["listSessions"]} */
export const listSessions = (options) => use((wasm) => wasm.listSessions(options));

/** @type {Package["requestPreview"]} */
export const requestPreview = (code, options) => use((wasm) => wasm.requestPreview(code, options));

/** @type {Package["requestRefine"]} */
export const requestRefine = (code, options) => use((wasm) => wasm.requestRefine(code, options));

/** @type {Package["downloadModel"]} */
export const downloadModel = (session, options) =>
  use((wasm) => wasm.downloadModel(session, options));
