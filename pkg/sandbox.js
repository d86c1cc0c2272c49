// The API inside the page: requests go to a sandbox in WebAssembly, and nowhere else.

import { newLife } from "./sandbox/life.js";
import { checked } from "./sandbox/options.js";

/** @type {typeof import("./sandbox.js").createSandbox} */
export function createSandbox(options = {}) {
  const settings = checked(options);
  let life = newLife(settings);
  return {
    fetch: async (input, init) => life.fetch(new Request(input, init)),
    async reset() {
      const ended = life;
      life = newLife(settings);
      await ended.end();
    },
    requests: () => life.requests(),
  };
}
