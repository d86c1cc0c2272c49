// The function `createSandbox` of both entries.

import { createInstance } from "./instance.js";
import { checkOptions } from "./options.js";

/** @import { CompileModule } from "./host.js" */

/**
 * Returns the function of an entry of the package.
 *
 * @param {CompileModule} compile
 * @returns {typeof import("../sandbox.js").createSandbox}
 */
export function defineCreateSandbox(compile) {
  return (options = {}) => {
    const settings = checkOptions(options);
    let instance = createInstance(compile, settings);
    return {
      async fetch(input, init) {
        const body = init?.body;
        if (!isBlob(body)) {
          const request = new Request(input, init);
          return instance.fetch(request, signalOf(request, input, init));
        }
        // Not through the `Request`: that of Node.js turns a `Blob` of jsdom into text.
        const headers = new Headers(init?.headers);
        if (body.type && !headers.has("content-type")) headers.set("content-type", body.type);
        const request = new Request(input, { ...init, headers, body: new Uint8Array() });
        return instance.fetch(request, signalOf(request, input, init), body);
      },
      async reset() {
        const previous = instance;
        instance = createInstance(compile, settings);
        await previous.end();
      },
      requests: () => instance.requests(),
    };
  };
}

/**
 * Returns the caller's own signal. In Node.js, a signal refers to those of its requests weakly, so that a
 * request that nothing else refers to would be collected, and never aborted.
 *
 * @param {Request} request
 * @param {RequestInfo | URL} input
 * @param {RequestInit} [init]
 */
const signalOf = (request, input, init) =>
  init?.signal ?? (input instanceof Request ? input.signal : request.signal);

/**
 * Whether a value behaves like a `Blob`, which test environments imitate.
 *
 * @param {any} value
 * @returns {value is Blob}
 */
const isBlob = (value) =>
  typeof value?.size === "number" && typeof value.arrayBuffer === "function";
