// A sandbox from one `reset` to the next: its sessions, and all that ends with them.

import { delivered } from "./response.js";
import { newResults } from "./results.js";
import { openRoom } from "./room.js";

/** @import { Answer } from "./handler.js" */
/** @import { Asked, Room } from "./room.js" */

/** The host of what is asked here, and not by the caller: that is no part of what was received. */
const INSIDE = "inside.invalid";

/** @param {ReturnType<typeof import("./options.js").checked>} settings */
export function newLife({ origin, ...settings }) {
  const end = new AbortController();
  const results = newResults(origin, read);
  /** @type {Promise<Room> | undefined} */
  let room;

  /**
   * @param {Asked} asked
   * @returns {Promise<Answer>}
   */
  async function ask(asked) {
    end.signal.throwIfAborted();
    const current = (room ??= openRoom(settings));
    try {
      return await (await current).ask(asked);
    } catch (error) {
      // The next request finds a new one; what is no request breaks nothing.
      if (room === current && !(error instanceof TypeError)) room = undefined;
      throw error;
    }
  }

  /** @param {string} path */
  function read(path) {
    return ask({ method: "GET", path, headers: ["host", INSIDE] });
  }

  /** @param {Request} request */
  async function answered(request) {
    const { method, signal } = request;
    const file = results.file(request.url);
    if (file) return new Response(file, { headers: { "content-length": String(file.size) } });
    if (!/^https?:/.test(request.url)) return globalThis.fetch(request);
    const { host, pathname, search } = new URL(request.url);
    const headers = [...request.headers, ["host", host]].flat();
    // A worker is given a blob without a copy.
    const body = /^(GET|HEAD)$/.test(method) ? undefined : await request.blob();
    signal.throwIfAborted();
    const answer = await ask({ method, path: pathname + search, headers, body });
    const again = method === "POST" && /\/get-3d\/\w+\/([^/]+)$/.exec(pathname);
    if (again) results.forget(again[1]);
    if (answer.headers.includes("application/json")) {
      const json = await results.placed(new TextDecoder().decode(answer.body), host);
      answer.body = new TextEncoder().encode(json);
    }
    return delivered(answer, { signal, inPage: origin === undefined });
  }

  return {
    /**
     * @param {Request} request
     * @returns {Promise<Response>}
     */
    fetch: (request) => unless([request.signal, end.signal], answered(request)),

    /** What was received, the oldest first. */
    async requests() {
      const { body } = await unless([end.signal], read("/sandbox/requests"));
      const { data } = JSON.parse(new TextDecoder().decode(body));
      /** @type {import("../sandbox.js").ReceivedRequest[]} */
      const all = data.results;
      return all.filter(({ host }) => host !== INSIDE);
    },

    async end() {
      end.abort(new TypeError("Failed to fetch: the sandbox was reset"));
      results.release();
      const open = await room?.catch(() => undefined);
      open?.close();
    },
  };
}

/**
 * What a promise comes to, unless one of the signals is aborted before.
 *
 * @template T
 * @param {AbortSignal[]} signals
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function unless(signals, promise) {
  return new Promise((resolve, reject) => {
    const stops = signals.map((signal) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop);
      return () => signal.removeEventListener("abort", stop);
    });
    promise.then(resolve, reject).finally(() => stops.forEach((remove) => remove()));
  });
}
