// A Cloudflare Worker that forwards requests to an Image-to-3D API and adds the API key. It rejects
// every other request. Set the key with `wrangler secret put API_KEY`, the rest as variables.
// express.js, route.js and netlify.js call its function in Node.js.

/**
 * @typedef {object} Env
 * @property {string} API_KEY
 * @property {string} UPSTREAM `https://api.csm.ai`, or another server with the same API
 * @property {string} SERVER_NAME the host name of the proxy
 * @property {string} ALLOWED_ORIGIN the origin of your page; several are separated by spaces
 * @property {string} [PATH_PREFIX] the path under which the proxy is reached, such as `/api`
 *
 * @typedef {object} Settings
 * @property {string | null} [visitor] names the visitor to the API, which limits each visitor: an
 *   address or a user, which must not come from the visitor's own headers
 * @property {number} [maxBodyBytes] the largest body. Base64 makes an image a third larger
 */

/**
 * The images and models of sessions, which this project's server serves at URLs that cannot be guessed.
 * They need no key, and pages show them in elements that send no origin.
 */
const file = /^\/files\/[\w-]{1,100}\/[\w-]{1,50}(\.\w{1,10})?(\?ticket=[\w-]{1,100})?$/;

/** The variables that must be set. */
const required = /** @type {const} */ (["API_KEY", "UPSTREAM", "SERVER_NAME", "ALLOWED_ORIGIN"]);

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
  fetch(request, env) {
    // Cloudflare sets this header itself, and accepts bodies of at least 100 MB.
    return forwardToApi(request, env, { visitor: request.headers.get("cf-connecting-ip") });
  },
};

/**
 * Forwards a request to the API, or rejects it.
 *
 * @param {Request} request
 * @param {Env} env
 * @param {Settings} [settings]
 */
export async function forwardToApi(request, env, settings = {}) {
  const origin = request.headers.get("origin");
  const allowedOrigins = (env.ALLOWED_ORIGIN ?? "").split(" ").map(withoutSlash);
  const isAllowed = allowedOrigins.includes(origin ?? "");
  const target = targetOf(request, env);
  const rejection = check(request, target, env, settings, isAllowed ? "allowed" : "other");
  const response = rejection ?? (await forward(request, target, env, settings));
  if (isAllowed) {
    response.headers.set("access-control-allow-origin", origin ?? "");
    response.headers.set("access-control-expose-headers", "retry-after");
    response.headers.set("vary", "origin");
  }
  return response;
}

/**
 * Returns the path and the query of a request below the prefix, or an empty text.
 *
 * @param {Request} request
 * @param {Env} env
 */
function targetOf({ url }, { PATH_PREFIX: prefix = "" }) {
  const { pathname, search } = new URL(url);
  return pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) + search : "";
}

/** @param {Request} request @param {string} target */
const isFile = ({ method }, target) => method === "GET" && file.test(target);

/**
 * Returns a response to a request that must not be forwarded: a rejection, or the response to a
 * preflight.
 *
 * @param {Request} request
 * @param {string} target
 * @param {Env} env
 * @param {Settings} settings
 * @param {"allowed" | "other"} origin
 */
function check(request, target, env, { maxBodyBytes = 64 * 1024 * 1024 }, origin) {
  const { method, headers, body, url } = request;
  const missing = required.filter((name) => !env[name]);
  if (missing.length > 0)
    return reject(500, `Missing settings of the proxy: ${missing.join(", ")}`);
  // In Next.js, the URL has the host that the server listens on.
  const host = headers.get("host") ?? new URL(url).host;
  if (withoutPort(host) !== withoutPort(env.SERVER_NAME))
    return reject(421, "This host is not the SERVER_NAME of the proxy");
  if (isFile(request, target)) return undefined;
  // Browsers send no Origin header with same-origin GET requests.
  const isSameOrigin =
    method === "GET" && !headers.has("origin") && headers.get("sec-fetch-site") === "same-origin";
  if (origin === "other" && !isSameOrigin)
    return reject(403, "This origin is not in the ALLOWED_ORIGIN of the proxy");
  if (headers.has("upgrade")) return reject(403);
  if (!targets[method]?.test(target)) return reject(404);
  if (method === "OPTIONS") return preflight();
  // Without a length the size of the body is unknown.
  if (body && !headers.has("content-length")) return reject(411);
  if (Number(headers.get("content-length")) > maxBodyBytes) return reject(413);
}

/**
 * Forwards a request, with the API key unless it is for a file.
 *
 * @param {Request} request
 * @param {string} target
 * @param {Env} env
 * @param {Settings} settings
 */
async function forward(request, target, env, { visitor }) {
  const { method, headers, body } = request;
  /** @type {RequestInit & { duplex: "half" }} */
  const init = {
    method,
    headers: isFile(request, target)
      ? pick(headers, "if-none-match", "range")
      : {
          ...pick(headers, "content-type", "idempotency-key"),
          ...(visitor && { "x-visitor": visitor }),
          "x-api-key": env.API_KEY,
        },
    body,
    redirect: "manual",
    // Node.js requires it for a body that is a stream.
    duplex: "half",
  };
  // The upstream server may have a path of its own.
  let response;
  try {
    response = await fetch(withoutSlash(env.UPSTREAM) + target, init);
  } catch {
    return reject(502, "The UPSTREAM of the proxy cannot be reached");
  }
  const { status, body: content } = response;
  const names = ["content-type", "retry-after"];
  if (isFile(request, target))
    names.push("cache-control", "content-disposition", "etag", "content-range");
  return new Response(content, { status, headers: pick(response.headers, ...names) });
}

/**
 * Returns the response to a request that is not forwarded.
 *
 * @param {number} status
 * @param {string} [message] for the developer
 */
const reject = (status, message) =>
  message
    ? Response.json({ statusCode: status, message }, { status })
    : new Response(null, { status });

/** @param {string} url */
const withoutSlash = (url) => url.replace(/\/$/, "");

/** @param {string} host */
const withoutPort = (host) => host.replace(/:\d+$/, "");

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
