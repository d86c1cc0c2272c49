// Imitations of the API for tests of the library without a server.

import assert from "node:assert/strict";

/** Part of every key in the tests: the test run ends with a search for it in all output. */
export const CANARY = "canary7d1f93";

export const baseUrl = "https://csm.example";
export const code = "SESSION_1_1";

/** The smallest PNG. */
export const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNQmvkfAAKbAbtuSfydAAAAAElFTkSuQmCC",
  "base64",
);
export const image = new Blob([png]);

/**
 * Returns a response of the API with a session.
 *
 * @param {object} [fields]
 * @param {ResponseInit} [init]
 */
export const sessionResponse = (fields = {}, init = {}) =>
  Response.json({ data: { session_code: code, status: "preview_done", ...fields } }, init);

/**
 * Returns what a call rejects with. Fails if it resolves or does not settle within five seconds.
 *
 * @param {Promise<unknown>} call
 * @returns {Promise<any>}
 */
export async function failure(call) {
  const timeout = new Promise((resolve) => setTimeout(resolve, 5000, "never settled").unref());
  const settled = call.then(
    (value) => `resolved with ${JSON.stringify(value)}`,
    (error) => ({ error }),
  );
  const outcome = /** @type {any} */ (await Promise.race([settled, timeout]));
  assert.ok(outcome.error, String(outcome));
  return outcome.error;
}

/** @param {Response[]} responses one for each request; `undefined` is never answered */
export function fetchInTurn(...responses) {
  /** @type {string[]} */
  const requests = [];
  const fetch = async (/** @type {string} */ url) => {
    requests.push(url);
    const response = responses[requests.length - 1];
    return response ?? new Promise(() => {});
  };
  return { requests, fetch };
}
