// How long the page stands still while a picture is sent.

import { openBrowser } from "./lib/browser.js";
import { picture } from "./lib/pictures.js";
import { openStand } from "./lib/stand.js";
import { shown, shuffled, spread, summary } from "./lib/statistics.js";
import { names } from "./ways.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ megabytes: number, way: string, longest: Summary, worst: number }} Row */

export const title = "Main thread";

export const note =
  "Chromium, warm: the longest task of each sending, in milliseconds (`longtask` entries; 0 where " +
  "none was above 50).";

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  const sizes = settings.quick ? [32] : [32, 100];
  const rounds = settings.quick ? 2 : 3;
  const ways = settings.quick ? ["library", "FileReader"] : Object.keys(names);
  const stand = await openStand();
  const files = sizes.map((megabytes) => picture(megabytes).path);
  const browser = await openBrowser("Chromium", stand, files);
  /** @type {Row[]} */
  const rows = [];
  try {
    for (const [file, megabytes] of sizes.entries()) {
      const longest = Object.fromEntries(ways.map((way) => [way, /** @type {number[]} */ ([])]));
      for (let round = 0; round < rounds; round++) {
        for (const way of shuffled(ways)) {
          await stand.ask("send", { way, file, cold: false });
          longest[way].push(await stand.ask("longest", {}));
        }
      }
      for (const [way, tasks] of Object.entries(longest)) {
        rows.push({ megabytes, way, longest: summary(tasks), worst: Math.max(...tasks) });
      }
      settings.say(`${megabytes} MB`);
    }
  } finally {
    await browser.close();
    stand.close();
  }
  return rows;
}

/** @param {Row[]} rows */
export function tables(rows) {
  return [
    {
      head: ["MB", "way", "longest task", "the worst run's"],
      rows: rows.map(({ megabytes, way, longest, worst }) => [
        megabytes,
        names[way],
        spread(longest),
        shown(worst),
      ]),
    },
  ];
}
