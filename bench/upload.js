// From a file in an input to its complete body at the server, which counts it.

import { openBrowser } from "./lib/browser.js";
import { checkBody, picture } from "./lib/pictures.js";
import { openStand } from "./lib/stand.js";
import { shown, shuffled, spread, summary } from "./lib/statistics.js";
import { limit, names, references } from "./ways.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ browser: string, megabytes: number, way: string, cold: Summary, warm: Summary }} Row */

export const title = "Picture to request";

export const note =
  "Milliseconds from the file in the page to the server's answer, which comes when the whole body " +
  "is there: median (25th – 75th percentile). *Cold*: the first of a page, loading the code " +
  "included. Each cold body was compared with the file, of each warm one the length. The last " +
  "three of each size encode nothing: they send a body of the same size that was there before.";

const all = { ...names, ...references };

/** Megabytes, and how often each way is taken: cold, and warm. */
const full = /** @type {const} */ ([
  [0.1, 5, 61],
  [1, 5, 15],
  [8, 3, 11],
  [32, 3, 7],
  [100, 1, 3],
]);
const quick = /** @type {const} */ ([
  [0.1, 1, 3],
  [8, 1, 2],
]);

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  /** @type {Row[]} */
  const rows = [];
  const sizes = settings.quick ? quick : full;
  const pictures = sizes.map(([megabytes]) => picture(megabytes));
  for (const browserName of /** @type {const} */ (["Chromium", "Firefox"])) {
    const stand = await openStand();
    const browser = await openBrowser(
      browserName,
      stand,
      pictures.map(({ path }) => path),
    );
    settings.versions[browserName] = browser.version;
    try {
      for (const [file, [megabytes, cold, warm]] of sizes.entries()) {
        const times = Object.fromEntries(
          Object.keys(all).map((way) => [
            way,
            { cold: /** @type {number[]} */ ([]), warm: /** @type {number[]} */ ([]) },
          ]),
        );
        // A reference's body is of this size.
        await stand.ask("renew", {});
        const length = lengthOf(pictures[file].bytes);
        for (let round = 0; round < cold + 1 + warm; round++) {
          for (const way of shuffled(Object.keys(all))) {
            const isCold = round < cold;
            const isReference = way in references;
            const { result, picture } = await stand.during(isCold, () =>
              stand.ask("send", { way, file, cold: isCold, isReference }),
            );
            if (picture.bytes !== length) throw new Error(`${way}: ${picture.bytes} bytes came`);
            if (picture.body && !isReference) checkBody(way, picture.body, pictures[file]);
            // The first warm round is for getting warm.
            if (isCold) times[way].cold.push(result.milliseconds);
            else if (round > cold) times[way].warm.push(result.milliseconds);
          }
        }
        for (const [way, { cold, warm }] of Object.entries(times)) {
          const row = { cold: summary(cold), warm: summary(warm) };
          rows.push({ browser: browserName, megabytes, way, ...row });
        }
        settings.say(`${browserName}, ${megabytes} MB`);
      }
    } finally {
      await browser.close();
      stand.close();
    }
  }
  return rows;
}

/** @param {number} bytes of the picture */
function lengthOf(bytes) {
  const frame = JSON.stringify({ creativity: "lowest", image_url: "data:image/png;base64," });
  return frame.length + Math.ceil(bytes / 3) * 4;
}

/**
 * How many times as long as the limit each way takes, warm.
 *
 * @param {Row[]} rows
 * @param {string} browser
 * @param {number} megabytes
 */
export function ratios(rows, browser, megabytes) {
  const same = rows.filter((row) => row.browser === browser && row.megabytes === megabytes);
  const least = same.find(({ way }) => way === limit)?.warm.median ?? NaN;
  return Object.fromEntries(same.map(({ way, warm }) => [way, warm.median / least]));
}

/** @param {Row[]} rows */
export function tables(rows) {
  const browsers = [...new Set(rows.map(({ browser }) => browser))];
  return browsers.map((browser) => {
    const own = rows.filter((row) => row.browser === browser);
    const sizes = [...new Set(own.map(({ megabytes }) => megabytes))];
    return {
      caption: browser,
      head: ["MB", "way", "cold", "warm", "× the limit", "× this library"],
      rows: sizes.flatMap((megabytes) => {
        const times = ratios(rows, browser, megabytes);
        return own
          .filter((row) => row.megabytes === megabytes)
          .map(({ way, cold, warm }) => [
            megabytes,
            all[way],
            spread(cold),
            spread(warm),
            shown(times[way]),
            shown(times[way] / times.library),
          ]);
      }),
    };
  });
}
