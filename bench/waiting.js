// What it costs to wait for a session, and how soon its end is noticed.

import { readFileSync } from "node:fs";

import { countingProxy, startApi } from "./lib/api.js";
import { openBrowser } from "./lib/browser.js";
import { now, sleep } from "./lib/clock.js";
import { openStand } from "./lib/stand.js";
import { quantile, shown, spread, summary } from "./lib/statistics.js";

/** @import { Summary } from "./lib/statistics.js" */
/**
 * @typedef {object} Row
 * @property {string} way
 * @property {number} requests in a minute of one wait
 * @property {number} bytes in a minute of one wait, in both directions, headers included
 * @property {Summary} late seconds from the end on the server to the end in the page
 * @property {number} latest
 */

export const title = "Waiting";

export const note =
  "Sessions that all take as long, waited for from a page of another origin. The waits begin at " +
  "different times within the first eighth of that, so that each is at another point of its pauses " +
  "when its session ends. *Late*: from the end on the server to the end of the wait.";

const waits = 8;

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  const seconds = settings.quick ? 8 : 120;
  // Two stages, of a second each at speed 1.
  const api = await startApi(["--speed", String(2 / seconds)]);
  const proxies = {
    library: await countingProxy(api.origin),
    loop: await countingProxy(api.origin),
  };
  const stand = await openStand();
  const browser = await openBrowser("Chromium", stand, []);
  try {
    const file = readFileSync("www/samples/turtle.webp", "base64");
    const image_url = `data:image/webp;base64,${file}`;
    /** @type {Map<string, number>} when each session ended */
    const ends = new Map();
    const begin = (/** @type {keyof typeof proxies} */ way) =>
      Promise.all(
        Array.from({ length: waits }, async (_, at) => {
          const code = await api.create({ image_url });
          void noteEnd(api, code, seconds, ends);
          return { code, after: (at / waits) * (seconds / 8) * 1000 };
        }),
      ).then((sessions) => ({ sessions, baseUrl: proxies[way].origin }));
    const sessions = { library: await begin("library"), loop: await begin("loop") };
    settings.say(`${2 * waits} sessions of ${seconds} s`);
    /** @type {Record<keyof typeof proxies, { code: string, began: number, ended: number }[]>} */
    const ended = await stand.ask("wait", sessions);
    // The last that was looked at may not have been noticed here yet.
    while (ends.size < 2 * waits) await sleep(20);
    const rows = /** @type {(keyof typeof proxies)[]} */ (Object.keys(proxies)).map((way) => {
      const minutes = ended[way].reduce((sum, { began, ended }) => sum + ended - began, 0) / 60_000;
      const late = ended[way].map(
        ({ code, ended }) => Math.max(0, ended - (ends.get(code) ?? NaN)) / 1000,
      );
      const { requests, bytes } = proxies[way].counts;
      return {
        way,
        requests: requests / minutes,
        bytes: bytes / minutes,
        late: summary(late),
        latest: quantile(late, 1),
      };
    });
    return { seconds, rows };
  } finally {
    await browser.close();
    stand.close();
    for (const { close } of Object.values(proxies)) close();
    api.close();
  }
}

/**
 * Looks at a session often enough to know when it ended.
 *
 * @param {Awaited<ReturnType<typeof startApi>>} api
 * @param {string} code
 * @param {number} seconds how long it will take
 * @param {Map<string, number>} ends
 */
async function noteEnd(api, code, seconds, ends) {
  await sleep(seconds * 1000 - 500);
  while ((await api.session(code)).status !== "preview_done") await sleep(50);
  ends.set(code, now());
}

/** @param {{ seconds: number, rows: Row[] }} data */
export function tables({ seconds, rows }) {
  return [
    {
      caption: `Sessions of ${seconds} s`,
      head: ["way", "requests / min", "bytes / min", "late, s", "the latest, s"],
      rows: rows.map(({ way, requests, bytes, late, latest }) => [
        way === "library" ? "this library" : "`fetch` every 3 s",
        shown(requests),
        shown(bytes),
        spread(late),
        shown(latest),
      ]),
    },
  ];
}
