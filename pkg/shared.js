// The modules that all entries share. The build bundles them into `wasm/shared.js`, which the entries
// and the generated module import: a page without a bundler then loads one file instead of seven.

export { decodeBase64 } from "./decode-base64.js";
export { ImageTo3dError, createError, panicked } from "./error.js";
export { createFunctions } from "./functions.js";
export { loadError } from "./load-error.js";
export { loadWasm } from "./load.js";
export { prepareImage } from "./preparation.js";
export { Redactor } from "./redactor.js";
export { stageOf } from "./stage.js";
