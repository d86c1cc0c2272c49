// The Image-to-3D API in WebAssembly, inside this page or Node.js process.

import { createInstance } from "./sandbox/instance.js";
import { checkOptions } from "./sandbox/options.js";

/** @type {typeof import("./sandbox.js").createSandbox} */
export function createSandbox(options = {}) {
  const settings = checkOptions(options);
  let instance = createInstance(settings);
  return {
    async fetch(input, init) {
      const body = init?.body;
      if (!isBlob(body)) return instance.fetch(new Request(input, init));
      // Not through the `Request`: that of Node.js turns a `Blob` of jsdom into text.
      const headers = new Headers(init?.headers);
      if (body.type && !headers.has("content-type")) headers.set("content-type", body.type);
      const request = new Request(input, { ...init, headers, body: new Uint8Array() });
      return instance.fetch(request, body);
    },
    async reset() {
      const previous = instance;
      instance = createInstance(settings);
      await previous.end();
    },
    requests: () => instance.requests(),
  };
}

/**
 * Whether a value behaves like a `Blob`, which test environments imitate.
 *
 * @param {any} value
 * @returns {value is Blob}
 */
const isBlob = (value) =>
  typeof value?.size === "number" && typeof value.arrayBuffer === "function";
