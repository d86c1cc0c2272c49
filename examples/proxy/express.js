// The proxy of worker.js as a middleware of Express:
//   app.use("/api", imageTo3dProxy({ ...process.env, PATH_PREFIX: "/api" }));
// Put it before `express.json()`, which would read the body. Express limits no body that a middleware
// streams; this one rejects more than 64 MiB.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { forwardToApi } from "./worker.js";

/** @typedef {import("node:http").IncomingMessage & { originalUrl?: string, ip?: string }} Received */

/**
 * Returns a middleware for Express, or for any other server with `(request, response, next)`.
 *
 * @param {import("./worker.js").Env} env
 */
export function imageTo3dProxy(env) {
  /**
   * @param {Received} received
   * @param {import("node:http").ServerResponse} response
   * @param {(error: unknown) => void} next
   */
  return async (received, response, next) => {
    try {
      // The address of the connection, or that of the header if Express has a "trust proxy". With a
      // login of your own, name the user instead.
      const visitor = received.ip ?? received.socket.remoteAddress;
      await sendResponse(response, await forwardToApi(toRequest(received), env, { visitor }));
    } catch (error) {
      if (response.headersSent) response.destroy();
      else next(error);
    }
  };
}

/** @param {Received} received */
export function toRequest(received) {
  const { method = "GET", headers, originalUrl, url } = received;
  const hasBody =
    method !== "GET" && ("content-length" in headers || "transfer-encoding" in headers);
  /** @type {RequestInit & { duplex: "half" }} */
  const init = {
    method,
    headers: Object.entries(headers).map(([name, value]) => [name, String(value)]),
    body: hasBody ? /** @type {ReadableStream} */ (Readable.toWeb(received)) : null,
    duplex: "half",
  };
  return new Request(new URL(originalUrl ?? url ?? "/", `http://${headers.host}`), init);
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {Response} sent
 */
export async function sendResponse(response, { status, headers, body }) {
  response.writeHead(status, Object.fromEntries(headers));
  await pipeline(body ?? [], response);
}
