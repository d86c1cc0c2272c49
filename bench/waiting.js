// Measures the traffic of waiting for a session, and the delay until its end is noticed.

import { readFileSync } from "node:fs";

import { countingProxy, startApi } from "./lib/api.js";
import { openBrowser } from "./lib/browser.js";
import { now, sleep } from "./lib/clock.js";
import { startHarness } from "./lib/harness.js";
import { formatNumber, formatSummary, quantile, summarize } from "./lib/statistics.js";

/** @import { Summary } from "./lib/statistics.js" */
/**
 * @typedef {object} Row
 * @property {string} method
 * @property {number} requests per minute of one wait
 * @property {number} bytes per minute of one wait, in both directions, including headers
 * @property {Summary} delay seconds from the end of the session to the end of the wait in the page
 * @property {number} longestDelay
 */

export const title = "Waiting";

export const note =
  "Sessions of equal duration, waited for by a page of another origin. The waits start at different " +
  "times in the first eighth of the sessions, so that they are at different points between two polls " +
  "when the sessions end. *Delay*: from the end of the session on the server to the end of the wait.";

const waits = 8;

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const seconds = settings.quick ? 8 : 120;
  // Two stages, of a second each at speed 1.
  const api = await startApi(["--speed", String(2 / seconds)]);
  const proxies = {
    library: await countingProxy(api.origin),
    loop: await countingProxy(api.origin),
  };
  const harness = await startHarness();
  const browser = await openBrowser("Chromium", harness, []);
  try {
    const file = readFileSync("www/samples/turtle.webp", "base64");
    const image_url = `data:image/webp;base64,${file}`;
    /** When each session ended, by its code. @type {Map<string, number>} */
    const ends = new Map();
    const createSessions = (/** @type {keyof typeof proxies} */ method) =>
      Promise.all(
        Array.from({ length: waits }, async (_, at) => {
          const code = await api.create({ image_url });
          void recordEnd(api, code, seconds, ends);
          return { code, after: (at / waits) * (seconds / 8) * 1000 };
        }),
      ).then((sessions) => ({ sessions, baseUrl: proxies[method].origin }));
    const sessions = {
      library: await createSessions("library"),
      loop: await createSessions("loop"),
    };
    settings.log(`${2 * waits} sessions of ${seconds} s`);
    /** @type {Record<keyof typeof proxies, { code: string, started: number, ended: number }[]>} */
    const ended = await harness.runTask("wait", sessions);
    // A page may notice the end of a session before `recordEnd` does.
    while (ends.size < 2 * waits) await sleep(20);
    const rows = /** @type {(keyof typeof proxies)[]} */ (Object.keys(proxies)).map((method) => {
      const minutes =
        ended[method].reduce((sum, { started, ended }) => sum + ended - started, 0) / 60_000;
      const delays = ended[method].map(
        ({ code, ended }) => Math.max(0, ended - (ends.get(code) ?? NaN)) / 1000,
      );
      const { requests, bytes } = proxies[method].counts;
      return {
        method,
        requests: requests / minutes,
        bytes: bytes / minutes,
        delay: summarize(delays),
        longestDelay: quantile(delays, 1),
      };
    });
    return { seconds, rows };
  } finally {
    await browser.close();
    harness.close();
    for (const { close } of Object.values(proxies)) close();
    api.close();
  }
}

/**
 * Polls a session every 50 ms before its expected end, and records when it ended.
 *
 * @param {Awaited<ReturnType<typeof startApi>>} api
 * @param {string} code
 * @param {number} seconds the expected duration
 * @param {Map<string, number>} ends
 */
async function recordEnd(api, code, seconds, ends) {
  await sleep(seconds * 1000 - 500);
  while ((await api.session(code)).status !== "preview_done") await sleep(50);
  ends.set(code, now());
}

/** @param {{ seconds: number, rows: Row[] }} data */
export function tables({ seconds, rows }) {
  return [
    {
      caption: `Sessions of ${seconds} s`,
      head: ["method", "requests / min", "bytes / min", "delay, s", "longest delay, s"],
      rows: rows.map(({ method, requests, bytes, delay, longestDelay }) => [
        method === "library" ? "this library" : "`fetch` every 3 s",
        formatNumber(requests),
        formatNumber(bytes),
        formatSummary(delay),
        formatNumber(longestDelay),
      ]),
    },
  ];
}
