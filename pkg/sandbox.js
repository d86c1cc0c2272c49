// The API inside the page: requests go to a sandbox in WebAssembly, and nowhere else.

import { newLife } from "./sandbox/life.js";
import { checked } from "./sandbox/options.js";

/** @type {typeof import("./sandbox.js").createSandbox} */
export function createSandbox(options = {}) {
  const settings = checked(options);
  let life = newLife(settings);
  return {
    async fetch(input, init) {
      const request = new Request(input, init);
      // What the sandbox answers with is the page's own.
      return /^https?:/.test(request.url) ? life.fetch(request) : globalThis.fetch(request);
    },
    async reset() {
      const ended = life;
      life = newLife(settings);
      await ended.end();
    },
    requests: () => life.requests(),
  };
}
