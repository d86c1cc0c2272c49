// Replaces the URLs of images and models in the API's responses by URLs that the caller can load.

/** @import { ApiResponse } from "./worker.js" */

/**
 * The origin of files that have no `blob:` URL. The domain `.invalid` is reserved, so that no real
 * server has it.
 */
const UNREACHABLE_ORIGIN = "https://sandbox.invalid";

/**
 * Returns a pattern for the URLs of files as the API writes them: under the host of the request.
 *
 * @param {string} host
 */
function fileUrlPattern(host) {
  const literal = host.replace(/[^\w:-]/g, "\\$&");
  return new RegExp(`"http://${literal}(/files/([^/"]+)/([^/"]+))"`, "g");
}

/**
 * Creates the registry of one sandbox's file URLs.
 *
 * @param {string | undefined} origin the origin of the rewritten URLs; `undefined` for `blob:` URLs
 * @param {(path: string) => Promise<ApiResponse>} get reads a file from the API
 */
export function createFileUrls(origin, get) {
  const usesBlobs = origin === undefined && typeof URL.createObjectURL === "function";
  /** @type {Map<string, Promise<string>>} URLs by path, so that each file is read once */
  const urlsByPath = new Map();
  /** @type {Map<string, Blob>} */
  const blobsByUrl = new Map();
  let revoked = false;

  /** @param {string} path */
  async function createBlobUrl(path) {
    const { status, headers, body, delivery } = await get(path);
    // A blob could not reproduce an error, a simulated fault or a response without CORS headers.
    if (status !== 200 || delivery || !headers.includes("access-control-allow-origin")) {
      return UNREACHABLE_ORIGIN + path;
    }
    const type = headers[headers.indexOf("content-type") + 1];
    const blob = new Blob([body], { type });
    const url = URL.createObjectURL(blob);
    if (revoked) URL.revokeObjectURL(url);
    else blobsByUrl.set(url, blob);
    return url;
  }

  /** @param {string} path */
  function urlOf(path) {
    if (!usesBlobs) return (origin ?? UNREACHABLE_ORIGIN) + path;
    const url = urlsByPath.get(path) ?? createBlobUrl(path);
    urlsByPath.set(path, url);
    return url;
  }

  return {
    /**
     * Returns the JSON text with the URLs of all files rewritten.
     *
     * @param {string} json
     * @param {string} host the host of the request
     */
    async rewriteUrls(json, host) {
      const matches = [...json.matchAll(fileUrlPattern(host))];
      const urls = await Promise.all(matches.map(([, path]) => urlOf(path)));
      let next = 0;
      return json.replace(fileUrlPattern(host), () => JSON.stringify(urls[next++]));
    },

    /**
     * Gives the models of a session new URLs when they are next rewritten, because they are made
     * again under the same paths. The old URLs stay valid until `revoke`.
     *
     * @param {string} code
     */
    forgetModels(code) {
      for (const path of urlsByPath.keys()) {
        if (path.startsWith(`/files/${code}/`) && !path.endsWith("/image")) urlsByPath.delete(path);
      }
    },

    /**
     * Revokes the URLs of a deleted session.
     *
     * @param {string} code
     */
    revokeAll(code) {
      for (const [path, url] of urlsByPath) {
        if (!path.startsWith(`/files/${code}/`)) continue;
        urlsByPath.delete(path);
        void url.then((url) => {
          URL.revokeObjectURL(url);
          blobsByUrl.delete(url);
        });
      }
    },

    /**
     * Returns the file of a `blob:` URL. `fetch` cannot load such a URL under some content security
     * policies, nor in some runtimes other than browsers.
     *
     * @param {string} url
     */
    find: (url) => blobsByUrl.get(url),

    /** Revokes all `blob:` URLs. */
    revoke() {
      revoked = true;
      for (const url of blobsByUrl.keys()) URL.revokeObjectURL(url);
      blobsByUrl.clear();
    },
  };
}
