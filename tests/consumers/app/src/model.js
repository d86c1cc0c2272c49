/** Creates no model. Apps with a sandbox replace this file with `model-in-sandbox.js`. */
export const createModel = async () => null;
