// Asks as no tidy client does.

import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";

import { sessions } from "./cases.js";

/** @import { Asked } from "./cases.js" */

/**
 * The status of the answer; 0 where the connection was closed instead.
 *
 * @param {string} address
 * @param {string} origin of the page that it would come from
 * @param {Asked} asked
 * @returns {Promise<{ status: number, headers: import("node:http").IncomingHttpHeaders }>}
 */
export function ask(
  address,
  origin,
  { method = "GET", target = sessions, headers = {}, length = 0, chunked },
) {
  const { hostname, port, host } = new URL(address);
  const all = {
    host,
    origin,
    ...(method === "POST" && { "content-type": "application/json" }),
    ...(length && !chunked && { "content-length": String(length) }),
    ...headers,
  };
  const sent = Object.entries(all).filter(([, value]) => value !== undefined);
  return new Promise((resolve) => {
    const asking = request({
      ...{ hostname, port, method, path: target, setHost: false, agent: false, timeout: 20_000 },
      headers: /** @type {Record<string, string>} */ (Object.fromEntries(sent)),
    });
    asking.on("response", (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
      answer.on("end", () => asking.destroy());
    });
    asking.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
    });
    asking.on("error", () => resolve({ status: 0, headers: {} }));
    asking.on("timeout", () => asking.destroy());
    const piece = Buffer.alloc(1024 * 1024, " ");
    const write = (/** @type {number} */ left) => {
      if (asking.destroyed) return;
      if (left <= 0) asking.end();
      else asking.write(piece.subarray(0, left), () => write(left - piece.length));
    };
    write(length);
  });
}

/**
 * Sends a text as it is, and keeps the connection until what is awaited has come; by default as long
 * as an answer takes.
 *
 * @param {string} address
 * @param {string} text
 * @param {Promise<unknown>} [awaited]
 */
export async function send(address, text, awaited = setTimeout(300)) {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  // The proxy may close the connection in any way, or keep it.
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.write(text);
  socket.resume();
  await Promise.race([closed, awaited]);
  socket.destroy();
}
