// The addresses of pictures and models in the sandbox's answers, as the caller can use them.

/** @import { Asked } from "./room.js" */
/** @import { Answer } from "./handler.js" */

/**
 * Where files lie that have no `blob:` address. Nobody else can have it.
 *
 * @type {string}
 */
const nowhere = "https://sandbox.invalid";

/**
 * The one place that knows how the sandbox writes a file's address: under the host that the
 * request named.
 *
 * @param {string} host
 */
function addresses(host) {
  const literal = host.replace(/[^\w:-]/g, "\\$&");
  return new RegExp(`"http://${literal}(/files/([^/"]+)/([^/"]+))"`, "g");
}

/**
 * The addresses of one sandbox's files.
 *
 * @param {string | undefined} origin where they are to lie; without it in the page, as blobs
 * @param {(path: string) => Promise<Answer>} read
 */
export function newResults(origin, read) {
  const blobs = origin === undefined && typeof URL.createObjectURL === "function";
  /** @type {Map<string, Promise<string>>} by path: each file is read once */
  const made = new Map();
  /** @type {Map<string, Blob>} by address */
  const files = new Map();
  let released = false;

  /** @param {string} path */
  async function blobUrl(path) {
    const { status, headers, body, delivery } = await read(path);
    // One that is not simply sent, or not to everybody, cannot be a blob.
    if (status !== 200 || delivery || !headers.includes("access-control-allow-origin")) {
      return nowhere + path;
    }
    const type = headers[headers.indexOf("content-type") + 1];
    const file = new Blob([body], { type });
    const url = URL.createObjectURL(file);
    if (released) URL.revokeObjectURL(url);
    else files.set(url, file);
    return url;
  }

  /** @param {string} path */
  function place(path) {
    if (!blobs) return (origin ?? nowhere) + path;
    const url = made.get(path) ?? blobUrl(path);
    made.set(path, url);
    return url;
  }

  return {
    /**
     * A JSON text with all addresses replaced.
     *
     * @param {string} json
     * @param {string} host as the request named it
     */
    async placed(json, host) {
      const found = [...json.matchAll(addresses(host))];
      const places = await Promise.all(found.map(([, path]) => place(path)));
      let next = 0;
      return json.replace(addresses(host), () => JSON.stringify(places[next++]));
    },

    /**
     * The session's models are made anew, at the same paths. The old ones remain until `release`.
     *
     * @param {string} code
     */
    forget(code) {
      for (const path of made.keys()) {
        if (path.startsWith(`/files/${code}/`) && !path.endsWith("/image")) made.delete(path);
      }
    },

    /**
     * The file at a `blob:` address. So it can be had too where a policy, or a page that is none,
     * lets nobody fetch such an address.
     *
     * @param {string} url
     */
    file: (url) => files.get(url),

    release() {
      released = true;
      for (const url of files.keys()) URL.revokeObjectURL(url);
      files.clear();
    },
  };
}
