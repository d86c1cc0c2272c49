import { call } from "./load.js";

export { ImageTo3dError } from "./error.js";

export const createSession = (options) => call("createSession", options);
