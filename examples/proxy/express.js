// The proxy of worker.js as a middleware of Express:
//   app.use("/api", imageTo3dProxy({ ...process.env, PATH_PREFIX: "/api" }));
// Put it before `express.json()`, which would read the body.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import worker from "./worker.js";

/**
 * Returns a middleware for Express, or for any other server with `(request, response, next)`.
 *
 * @param {import("./worker.js").Env} env
 */
export function imageTo3dProxy(env) {
  /**
   * @param {import("node:http").IncomingMessage & { originalUrl?: string }} received
   * @param {import("node:http").ServerResponse} response
   * @param {(error: unknown) => void} next
   */
  return async (received, response, next) => {
    try {
      const { status, headers, body } = await worker.fetch(toRequest(received), env);
      response.writeHead(status, Object.fromEntries(headers));
      await pipeline(body ?? [], response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else next(error);
    }
  };
}

/** @param {import("node:http").IncomingMessage & { originalUrl?: string }} received */
function toRequest(received) {
  const { method = "GET", headers, originalUrl, url } = received;
  const hasBody = headers["content-length"] !== undefined || "transfer-encoding" in headers;
  /** @type {RequestInit & { duplex: "half" }} */
  const init = {
    method,
    headers: Object.entries(headers).map(([name, value]) => [name, String(value)]),
    body: hasBody ? /** @type {ReadableStream} */ (Readable.toWeb(received)) : null,
    duplex: "half",
  };
  return new Request(`http://${headers.host}${originalUrl ?? url}`, init);
}
