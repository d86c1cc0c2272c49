// The Image-to-3D API in WebAssembly, inside this page or Node.js process.

import { createInstance } from "./sandbox/instance.js";
import { checkOptions } from "./sandbox/options.js";

/** @type {typeof import("./sandbox.js").createSandbox} */
export function createSandbox(options = {}) {
  const settings = checkOptions(options);
  let instance = createInstance(settings);
  return {
    fetch: async (input, init) => instance.fetch(new Request(input, init)),
    async reset() {
      const previous = instance;
      instance = createInstance(settings);
      await previous.end();
    },
    requests: () => instance.requests(),
  };
}
