import { use } from "./load.js";

export { ImageTo3dError } from "./error.js";

/** @type {typeof import("./index.js").createSession} */
export const createSession = (options) => use((wasm) => wasm.createSession(options));
