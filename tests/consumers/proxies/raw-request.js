// Sends requests that an ordinary HTTP client does not send.

import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";

import { sessionsPath } from "./cases.js";

/** @import { TestRequest } from "./cases.js" */

/**
 * Sends a request.
 *
 * @param {string} address
 * @param {string} origin of the web page that sends it
 * @param {TestRequest} request
 * @returns {Promise<{ status: number, headers: import("node:http").IncomingHttpHeaders }>}
 *   status 0 if the connection was closed without a response
 */
export function sendRequest(
  address,
  origin,
  { method = "GET", target = sessionsPath, headers = {}, length = 0, chunked, body, localAddress },
) {
  const { hostname, port, host } = new URL(address);
  const path = resolveTarget(address, target);
  if (body) length = Buffer.byteLength(body);
  const all = {
    host,
    origin,
    ...(method === "POST" && { "content-type": "application/json" }),
    ...(length && !chunked && { "content-length": String(length) }),
    ...headers,
  };
  const defined = Object.entries(all).filter(([, value]) => value !== undefined);
  return new Promise((resolve) => {
    const outgoing = request({
      ...{ hostname, port, method, path, setHost: false, agent: false, timeout: 20_000 },
      ...(localAddress && { localAddress }),
      headers: /** @type {Record<string, string>} */ (Object.fromEntries(defined)),
    });
    outgoing.on("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      response.on("end", () => outgoing.destroy());
    });
    outgoing.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    outgoing.on("error", () => resolve({ status: 0, headers: {} }));
    outgoing.on("timeout", () => outgoing.destroy());
    if (body) return outgoing.end(body);
    const chunk = Buffer.alloc(1024 * 1024, " ");
    const write = (/** @type {number} */ left) => {
      if (outgoing.destroyed) return;
      if (left <= 0) outgoing.end();
      else outgoing.write(chunk.subarray(0, left), () => write(left - chunk.length));
    };
    write(length);
  });
}

/**
 * Adds the path of the proxy to a request target.
 *
 * @param {string} address
 * @param {string} target
 */
function resolveTarget(address, target) {
  if (target.startsWith("ROOT")) return target.slice("ROOT".length);
  if (!target.startsWith("/")) return target.replace("PROXY", address);
  return new URL(address).pathname.replace(/\/$/, "") + target;
}

/**
 * Sends raw text, and keeps the connection open until `done` settles; by default for 300 ms, longer
 * than a response takes.
 *
 * @param {string} address
 * @param {string} text
 * @param {Promise<unknown>} [done]
 */
export async function sendRaw(address, text, done = setTimeout(300)) {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  // The proxy may reset the connection.
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.write(text);
  socket.resume();
  await Promise.race([closed, done]);
  socket.destroy();
}
