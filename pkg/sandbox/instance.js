// A sandbox between two calls of `reset`: its API, its sessions and their files.

import { createFileUrls } from "./file-urls.js";
import { startHost } from "./host.js";
import { toResponse } from "./response.js";

/** @import { ReceivedRequest } from "../sandbox.js" */
/** @import { ApiRequest, Host } from "./host.js" */
/** @import { Settings } from "./options.js" */
/** @import { ApiResponse } from "./worker.js" */

/** The host in requests of this file itself, which `requests` leaves out. */
const INTERNAL_HOST = "inside.invalid";

/**
 * Creates an instance without any sessions. The first request starts its API.
 *
 * @param {Settings} settings
 */
export function createInstance({ origin, ...settings }) {
  const ended = new AbortController();
  const fileUrls = createFileUrls(origin, get);
  /** @type {Promise<Host> | undefined} */
  let host;

  /**
   * @param {ApiRequest} request
   * @returns {Promise<ApiResponse>}
   */
  async function send(request) {
    ended.signal.throwIfAborted();
    const current = (host ??= startHost(settings));
    try {
      return await (await current).send(request);
    } catch (error) {
      // After a crash the next request starts a new API. A `TypeError` is only an invalid request.
      if (host === current && !(error instanceof TypeError)) host = undefined;
      throw error;
    }
  }

  /** @param {string} path */
  function get(path) {
    return send({ method: "GET", path, headers: ["host", INTERNAL_HOST] });
  }

  /** @param {Request} request */
  async function handle(request) {
    const { method, signal } = request;
    const file = fileUrls.find(request.url);
    if (file) return new Response(file, { headers: { "content-length": String(file.size) } });
    if (!/^https?:/.test(request.url)) return globalThis.fetch(request);
    const { host, pathname, search } = new URL(request.url);
    const headers = [...request.headers, ["host", host]].flat();
    // A blob is passed to a worker without a copy.
    const body = /^(GET|HEAD)$/.test(method) ? undefined : await request.blob();
    signal.throwIfAborted();
    const response = await send({ method, path: pathname + search, headers, body });
    const remade = method === "POST" && /\/get-3d\/\w+\/([^/]+)$/.exec(pathname);
    if (remade) fileUrls.forgetModels(remade[1]);
    if (response.headers.includes("application/json")) {
      const json = await fileUrls.rewriteUrls(new TextDecoder().decode(response.body), host);
      response.body = new TextEncoder().encode(json);
    }
    return toResponse(response, signal, origin === undefined ? "page" : "server");
  }

  return {
    /**
     * @param {Request} request
     * @returns {Promise<Response>}
     */
    fetch: (request) => untilAborted([request.signal, ended.signal], handle(request)),

    /**
     * Returns the requests that the API has received, oldest first.
     *
     * @returns {Promise<ReceivedRequest[]>}
     */
    async requests() {
      const { body } = await untilAborted([ended.signal], get("/sandbox/requests"));
      const { data } = JSON.parse(new TextDecoder().decode(body));
      /** @type {ReceivedRequest[]} */
      const all = data.results;
      return all.filter(({ host }) => host !== INTERNAL_HOST);
    },

    /** Rejects all pending requests, revokes all `blob:` URLs and closes the API. */
    async end() {
      ended.abort(new TypeError("Failed to fetch: the sandbox was reset"));
      fileUrls.revoke();
      const started = await host?.catch(() => undefined);
      started?.close();
    },
  };
}

/**
 * Settles as the promise does, or rejects with the reason of the signal that is aborted first.
 *
 * @template T
 * @param {AbortSignal[]} signals
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function untilAborted(signals, promise) {
  return new Promise((resolve, reject) => {
    const removers = signals.map((signal) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort);
      return () => signal.removeEventListener("abort", abort);
    });
    promise.then(resolve, reject).finally(() => removers.forEach((remove) => remove()));
  });
}
