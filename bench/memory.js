// How much memory it takes to send a large picture.

import { openBrowser } from "./lib/browser.js";
import { picture } from "./lib/pictures.js";
import {
  forgetPeak,
  megabytes as memoryOf,
  pageProcesses,
  watchGrowth,
  worked,
} from "./lib/processes.js";
import { openStand } from "./lib/stand.js";
import { shown, spread, summary } from "./lib/statistics.js";
import { sleep } from "./lib/clock.js";
import { names } from "./ways.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ megabytes: number, way: string, page: Summary, all: Summary, heap: number }} Row */

export const title = "Memory";

export const note =
  "Chromium, a fresh one each time, after three pictures of 1 MB in the same way: growth of the " +
  "peak of the page's process (`VmHWM`), and of all the browser's processes together (`Pss`, " +
  "looked at as often as possible), in MB; median (25th – 75th percentile) of three. The body " +
  "alone is four thirds of the picture. *Wasm heap*: the WebAssembly's memory afterwards, in KiB; " +
  "it never shrinks.";

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  /** @type {Row[]} */
  const rows = [];
  const ways = settings.quick ? ["library", "FileReader"] : Object.keys(names);
  for (const megabytes of settings.quick ? [32] : [32, 100]) {
    const files = [picture(1).path, picture(megabytes).path];
    for (const way of ways) {
      /** @type {Awaited<ReturnType<typeof growth>>[]} */
      const growths = [];
      for (let round = 0; round < (settings.quick ? 1 : 3); round++) {
        growths.push(await growth(way, files));
      }
      const of = (/** @type {"page" | "all"} */ what) => summary(growths.map((one) => one[what]));
      rows.push({ megabytes, way, page: of("page"), all: of("all"), heap: growths[0].heap });
      settings.say(`${megabytes} MB, ${way}`);
    }
  }
  return rows;
}

/**
 * What the second file takes in a browser of its own, after the first was sent a few times.
 *
 * @param {string} way
 * @param {string[]} files
 */
async function growth(way, files) {
  const stand = await openStand();
  const browser = await openBrowser("Chromium", stand, files);
  try {
    for (let round = 0; round < 3; round++) {
      await stand.ask("send", { way, file: 0, cold: false });
    }
    await sleep(500);
    const pages = pageProcesses(browser.main).map((id) => {
      forgetPeak(id);
      return { id, before: memoryOf(id, "VmRSS"), worked: worked(id) };
    });
    const end = await watchGrowth(browser.main);
    await stand.ask("send", { way, file: 1, cold: false });
    const all = await end();
    // The page's is the one that has worked.
    const busy = pages.map(({ id, before, worked: then }) => ({
      growth: memoryOf(id, "VmHWM") - before,
      worked: worked(id) - then,
    }));
    const page = busy.sort((a, b) => b.worked - a.worked)[0].growth;
    /** @type {number} */
    const heap = await stand.ask("heap", { way });
    return { page, all, heap };
  } finally {
    await browser.close();
    stand.close();
  }
}

/** @param {Row[]} rows */
export function tables(rows) {
  return [
    {
      head: ["MB", "way", "the page's process", "all processes", "beyond the body", "wasm heap"],
      rows: rows.map(({ megabytes, way, page, all, heap }) => [
        megabytes,
        names[way],
        spread(page),
        spread(all),
        shown(all.median - (megabytes * 4) / 3),
        heap ? heap / 1024 : "–",
      ]),
    },
  ];
}
