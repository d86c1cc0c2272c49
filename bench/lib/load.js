// Sends requests to a server over keep-alive connections.

import { Agent, request } from "node:http";

import { quantile, summarize } from "./statistics.js";

/** @import { Summary } from "./statistics.js" */

/**
 * @typedef {object} Load
 * @property {number} perSecond
 * @property {Summary} milliseconds
 * @property {number} p99
 */

const connections = 4;

/**
 * @param {string} origin
 * @param {string[]} codes
 */
export function pollNext(origin, codes) {
  let next = 0;
  return (/** @type {Agent} */ agent) =>
    expectSuccess(send(agent, `${origin}/image-to-3d-sessions/${codes[next++ % codes.length]}`));
}

/**
 * Repeats a step on each connection, and measures it.
 *
 * @param {number} seconds
 * @param {(agent: Agent) => Promise<unknown>} step
 * @returns {Promise<Load>}
 */
export async function load(seconds, step) {
  /** @type {number[]} */
  const times = [];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (performance.now() - start < seconds * 1000) {
        const started = performance.now();
        await step(agent);
        times.push(performance.now() - started);
      }
      agent.destroy();
    }),
  );
  const perSecond = (times.length / (performance.now() - start)) * 1000;
  return { perSecond, milliseconds: summarize(times), p99: quantile(times, 0.99) };
}

/**
 * @param {Agent} agent
 * @param {string} url
 * @param {string} [body] sends a POST request
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{ status: number | undefined, text: string }>}
 */
export function send(agent, url, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const all = { "content-type": "application/json", ...headers };
    const sent = request(url, { agent, method, headers: all }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode, text });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @param {ReturnType<typeof send>} response */
export async function expectSuccess(response) {
  const { status, text } = await response;
  if (status !== 200 && status !== 201) throw new Error(`Unexpected status ${status}: ${text}`);
  return text;
}
