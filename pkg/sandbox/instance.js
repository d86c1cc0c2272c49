// A sandbox between two calls of `reset`: its API, its sessions and their files.

import { createFileUrls } from "./file-urls.js";
import { startHost } from "./host.js";
import { toResponse } from "./response.js";

/** @import { ReceivedRequest } from "../sandbox.js" */
/** @import { ApiRequest, CompileModule, Host } from "./host.js" */
/** @import { Settings } from "./options.js" */
/** @import { ApiResponse } from "./worker.js" */

/** The host in requests of this file itself, which `requests` leaves out. */
const INTERNAL_HOST = "inside.invalid";

/**
 * Creates an instance without any sessions. The first request starts its API.
 *
 * @param {CompileModule} compile
 * @param {Settings} settings
 */
export function createInstance(compile, { origin, ...settings }) {
  /**
   * The functions that reject the pending requests. No shared `AbortSignal`: Node.js warns of a leak
   * when one has more than ten listeners.
   *
   * @type {Set<(reason: unknown) => void>}
   */
  const interrupters = new Set();
  /** @type {TypeError | undefined} */
  let endReason;
  const fileUrls = createFileUrls(origin, get);
  /** @type {Promise<Host> | undefined} */
  let host;

  /**
   * @param {ApiRequest} request
   * @returns {Promise<ApiResponse>}
   */
  async function send(request) {
    if (endReason) throw endReason;
    const current = (host ??= startHost(compile, settings));
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

  /**
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {Blob} [blob] the body, if it is not in the request
   */
  async function handle(request, signal, blob) {
    const { method } = request;
    const file = fileUrls.find(request.url);
    if (file) {
      const headers = { "content-type": file.type, "content-length": String(file.size) };
      // Not the blob itself: the `Response` of Node.js does not accept one of jsdom.
      return new Response(await file.arrayBuffer(), { headers });
    }
    if (!/^https?:/.test(request.url)) return globalThis.fetch(request);
    const { host, pathname, search } = new URL(request.url);
    const headers = [...request.headers, ["host", host]].flat();
    // A blob is passed to a worker without a copy.
    const body = /^(GET|HEAD)$/.test(method) ? undefined : (blob ?? (await request.blob()));
    signal.throwIfAborted();
    const response = await send({ method, path: pathname + search, headers, body });
    const remade = method === "POST" && /\/get-3d\/\w+\/([^/]+)$/.exec(pathname);
    if (remade) fileUrls.forgetModels(remade[1]);
    const deleted = method === "DELETE" && response.status < 300;
    if (deleted) fileUrls.revokeAll(pathname.split("/").pop() ?? "");
    if (response.headers.includes("application/json")) {
      const json = await fileUrls.rewriteUrls(new TextDecoder().decode(response.body), host);
      response.body = new TextEncoder().encode(json);
    }
    return toResponse(response, signal, origin === undefined ? "page" : "server");
  }

  /**
   * Settles as the promise does, or rejects once the instance ends or the request is aborted.
   *
   * @template T
   * @param {Promise<T>} promise
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async function untilInterrupted(promise, signal) {
    /** @type {(reason: unknown) => void} */
    let interrupt = () => {};
    /** @type {Promise<never>} */
    const interrupted = new Promise((_, reject) => (interrupt = reject));
    const abort = () => interrupt(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    interrupters.add(interrupt);
    try {
      return await Promise.race([interrupted, promise]);
    } finally {
      signal?.removeEventListener("abort", abort);
      interrupters.delete(interrupt);
    }
  }

  return {
    /**
     * @param {Request} request
     * @param {AbortSignal} signal that of the caller, which the request's own follows
     * @param {Blob} [blob] the body, if it is not in the request
     * @returns {Promise<Response>}
     */
    fetch: (request, signal, blob) => untilInterrupted(handle(request, signal, blob), signal),

    /**
     * Returns the requests that the API has received, oldest first.
     *
     * @returns {Promise<ReceivedRequest[]>}
     */
    async requests() {
      const { body } = await untilInterrupted(get("/sandbox/requests"));
      const { data } = JSON.parse(new TextDecoder().decode(body));
      /** @type {ReceivedRequest[]} */
      const all = data.results;
      return all.filter(({ host }) => host !== INTERNAL_HOST);
    },

    /** Rejects all pending requests, revokes all `blob:` URLs and closes the API. */
    async end() {
      endReason = new TypeError("Failed to fetch: the sandbox was reset");
      for (const interrupt of interrupters) interrupt(endReason);
      fileUrls.revoke();
      const started = await host?.catch(() => undefined);
      started?.close();
    },
  };
}
