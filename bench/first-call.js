// How long a page waits that has loaded nothing yet.

import { openBrowser } from "./lib/browser.js";
import { picture } from "./lib/pictures.js";
import { openStand } from "./lib/stand.js";
import { shown, shuffled, spread, summary } from "./lib/statistics.js";
import { names } from "./ways.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ browser: string, way: string, first: Summary }} Row */

export const title = "First call";

export const note =
  "Milliseconds from the `import` to the request's first byte at the server, in a page that has " +
  "loaded nothing yet and may keep nothing, with a picture of 0.1 MB; the server is on the same " +
  "machine, so what loading over a network takes comes on top.";

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  const rounds = settings.quick ? 5 : 25;
  const ways = Object.keys(names);
  const small = picture(0.1);
  /** @type {Row[]} */
  const rows = [];
  for (const browserName of /** @type {const} */ (["Chromium", "Firefox"])) {
    const stand = await openStand();
    const browser = await openBrowser(browserName, stand, [small.path]);
    try {
      const times = Object.fromEntries(ways.map((way) => [way, /** @type {number[]} */ ([])]));
      for (let round = 0; round < 1 + rounds; round++) {
        for (const way of shuffled(ways)) {
          const { result, picture } = await stand.during(false, () =>
            stand.ask("send", { way, file: 0, cold: true }),
          );
          // The browser's own first time.
          if (round > 0) times[way].push(picture.arrived - result.started);
        }
      }
      for (const way of ways) rows.push({ browser: browserName, way, first: summary(times[way]) });
      settings.say(browserName);
    } finally {
      await browser.close();
      stand.close();
    }
  }
  return rows;
}

/** @param {Row[]} rows */
export function tables(rows) {
  const plain = (/** @type {string} */ browser) =>
    rows.find((row) => row.browser === browser && row.way === "FileReader")?.first.median ?? NaN;
  return [
    {
      head: ["browser", "way", "milliseconds", "× plain `fetch`"],
      rows: rows.map(({ browser, way, first }) => [
        browser,
        names[way],
        spread(first),
        shown(first.median / plain(browser)),
      ]),
    },
  ];
}
