// Runs in a page of the server: makes the library and helpers for tests its globals, which
// `page-globals.d.ts` declares.

import * as library from "/pkg/index.js";

import { faultKey } from "./keys.js";
import { uploads } from "./uploads.js";

/** @import { Session } from "/pkg/index.js" */

/** A small sample. */
const image = await (await fetch("/samples/turtle.webp")).blob();

/** Returns a `fetch`, and the requests that it has sent with their times in milliseconds. */
function recordRequests() {
  /** @type {{ at: number, key: string | null }[]} */
  const requests = [];
  /**
   * @param {string} url
   * @param {RequestInit & { headers: Record<string, string> }} init
   */
  const recordingFetch = (url, init) => {
    requests.push({ at: performance.now(), key: init.headers["x-api-key"] ?? null });
    return fetch(url, init);
  };
  return { requests, fetch: recordingFetch };
}

/**
 * The result of a call as plain data: that of an `ImageTo3dError` if it has a `kind`. `threw` is
 * anything else that the call has rejected with.
 *
 * @typedef {object} Outcome
 * @property {string} [kind]
 * @property {string} [sent]
 * @property {string} message empty if there is no error
 * @property {Session} [session]
 * @property {string} [status]
 * @property {unknown} [threw]
 */

/**
 * Returns the result of a call, and never rejects.
 *
 * @param {Promise<any>} promise
 * @returns {Promise<Outcome>}
 */
async function outcome(promise) {
  try {
    const session = await promise;
    return { message: "", status: session.status, session };
  } catch (error) {
    if (!(error instanceof library.ImageTo3dError)) {
      return { message: "", threw: error };
    }
    const { kind, sent, message, session } = error;
    return { kind, sent, message, session, status: session?.status };
  }
}

export const helpers = { image, faultKey, recordRequests, outcome, uploads };

Object.assign(globalThis, { library, helpers });
