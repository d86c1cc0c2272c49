// Adds the key on the way to an Image-to-3D API, and lets through nothing but that API: a
// Cloudflare Worker. The key is a secret (`wrangler secret put API_KEY`), the rest are variables.

/**
 * @typedef {object} Env
 * @property {string} API_KEY
 * @property {string} UPSTREAM `https://api.csm.ai`, or any other server of the same API
 * @property {string} SERVER_NAME the name by which pages reach this Worker
 * @property {string} ALLOWED_ORIGIN the origin of the pages that may call; several with a space between
 */

/** A picture takes four thirds of its size. */
const LARGEST = 64 * 1024 * 1024;

/** @type {Record<string, RegExp>} */
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
    const allowed = env.ALLOWED_ORIGIN.split(" ").includes(origin ?? "");
    const response = await answer(request, env, allowed);
    if (allowed) {
      response.headers.set("access-control-allow-origin", origin ?? "");
      response.headers.set("access-control-expose-headers", "retry-after");
      response.headers.set("vary", "origin");
    }
    return response;
  },
};

/**
 * @param {Request} request
 * @param {Env} env
 * @param {boolean} allowed whether the page that calls may
 */
async function answer(request, env, allowed) {
  const { method, headers, body } = request;
  const { hostname, pathname, search } = new URL(request.url);
  const target = pathname + search;
  if (!env.API_KEY) return refused(500);
  if (hostname !== env.SERVER_NAME) return refused(421);
  // A browser leaves the origin out of a page's GET to its own server.
  const own = method === "GET" && !headers.has("origin");
  if (!allowed && !(own && headers.get("sec-fetch-site") === "same-origin")) return refused(403);
  if (headers.has("upgrade")) return refused(403);
  if (!targets[method]?.test(target)) return refused(404);
  if (method === "OPTIONS") return preflight();
  // One of unknown length could be of any.
  if (body && !headers.has("content-length")) return refused(411);
  if (Number(headers.get("content-length")) > LARGEST) return refused(413);

  const from = await fetch(new URL(target, env.UPSTREAM), {
    method,
    headers: { ...picked(headers, "content-type", "idempotency-key"), "x-api-key": env.API_KEY },
    body,
    redirect: "manual",
  });
  const kept = picked(from.headers, "content-type", "retry-after");
  return new Response(from.body, { status: from.status, headers: kept });
}

/** @param {number} status */
const refused = (status) => new Response(null, { status });

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
 * Of some headers only these.
 *
 * @param {Headers} headers
 * @param {string[]} names
 */
function picked(headers, ...names) {
  /** @type {Record<string, string>} */
  const kept = {};
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) kept[name] = value;
  }
  return kept;
}
