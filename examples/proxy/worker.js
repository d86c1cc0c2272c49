// A Cloudflare Worker that forwards requests to an Image-to-3D API and adds the API key. It rejects
// every other request. Set the key with `wrangler secret put API_KEY`, the rest as variables.

/**
 * @typedef {object} Env
 * @property {string} API_KEY
 * @property {string} UPSTREAM `https://api.csm.ai`, or another server with the same API
 * @property {string} SERVER_NAME this Worker's host name
 * @property {string} ALLOWED_ORIGIN the origin of your page; several are separated by spaces
 */

/** The largest body in bytes. Base64 makes an image a third larger. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** The allowed request targets by method. @type {Record<string, RegExp>} */
const targets = {
  POST: /^\/image-to-3d-sessions(\/get-3d\/(preview|refine)\/[A-Za-z0-9_-]{1,100})?$/,
  GET: /^\/image-to-3d-sessions(\/[A-Za-z0-9_-]{1,100}|\?limit=\d{1,6}(&page=\d{1,6})?|\?page=\d{1,6})?$/,
  OPTIONS: /^\/image-to-3d-sessions(\/[A-Za-z0-9_/-]{1,130})?(\?[a-z0-9=&]{1,50})?$/,
};

export default {
  /**
   * @param {Request} request
   * @param {Env} env
   */
  async fetch(request, env) {
    const origin = request.headers.get("origin");
    const isAllowed = env.ALLOWED_ORIGIN.split(" ").includes(origin ?? "");
    const rejection = check(request, env, isAllowed ? "allowed" : "other");
    const response = rejection ?? (await forward(request, env));
    if (isAllowed) {
      response.headers.set("access-control-allow-origin", origin ?? "");
      response.headers.set("access-control-expose-headers", "retry-after");
      response.headers.set("vary", "origin");
    }
    return response;
  },
};

/**
 * Returns a response to a request that must not be forwarded: a rejection, or the response to a
 * preflight.
 *
 * @param {Request} request
 * @param {Env} env
 * @param {"allowed" | "other"} origin
 */
function check({ method, headers, body, url }, env, origin) {
  const { hostname, pathname, search } = new URL(url);
  if (!env.API_KEY) return reject(500);
  if (hostname !== env.SERVER_NAME) return reject(421);
  // Browsers send no Origin header with same-origin GET requests.
  const isSameOrigin =
    method === "GET" && !headers.has("origin") && headers.get("sec-fetch-site") === "same-origin";
  if (origin === "other" && !isSameOrigin) return reject(403);
  if (headers.has("upgrade")) return reject(403);
  if (!targets[method]?.test(pathname + search)) return reject(404);
  if (method === "OPTIONS") return preflight();
  // Without a length the size of the body is unknown.
  if (body && !headers.has("content-length")) return reject(411);
  if (Number(headers.get("content-length")) > MAX_BODY_BYTES) return reject(413);
}

/**
 * Forwards a request with the API key.
 *
 * @param {Request} request
 * @param {Env} env
 */
async function forward({ method, headers, body, url }, env) {
  const { pathname, search } = new URL(url);
  /** @type {RequestInit & { duplex: "half" }} */
  const init = {
    method,
    headers: { ...pick(headers, "content-type", "idempotency-key"), "x-api-key": env.API_KEY },
    body,
    redirect: "manual",
    // Node.js requires it for a body that is a stream.
    duplex: "half",
  };
  const response = await fetch(new URL(pathname + search, env.UPSTREAM), init);
  return new Response(response.body, {
    status: response.status,
    headers: pick(response.headers, "content-type", "retry-after"),
  });
}

/** @param {number} status */
const reject = (status) => new Response(null, { status });

const preflight = () =>
  new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "content-type, idempotency-key",
      "access-control-max-age": "600",
    },
  });

/**
 * Returns the headers with these names.
 *
 * @param {Headers} headers
 * @param {string[]} names
 */
function pick(headers, ...names) {
  /** @type {Record<string, string>} */
  const picked = {};
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked[name] = value;
  }
  return picked;
}
